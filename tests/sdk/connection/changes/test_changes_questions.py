"""Lines of configuration about which a device asks something first: answered, so that no change stops half way."""

import re

import pytest

from sdk.connection import Configuration, Login, connect
from sdk.connection.changes.errors import LineRefusedError
from sdk.connection.deadline import Deadline
from sdk.connection.platforms.ios_questions import send_line
from sdk.connection.questions import Questions
from sdk.connection.reading import ASKED_SECONDS
from sdk.testing.devices import EmulatedIos
from tests.sdk.connection.platforms.scripted_session import DEADLINE, ScriptedReply, ScriptedSession

PASSWORD = "never-to-be-seen-1"
USER = "username eve privilege 15 secret 9 $9$made-up"
YES_NO = "Do you really want to remove these keys? [yes/no]: "
ALL_ENTRIES = "Dynamic mapping in use, do you want to delete all"
CHILD_ENTRIES = "Static entry in use, do you want to delete child"
TRUSTPOINT = (
    "% Removing an enrolled trustpoint will destroy all certificates received from the related CA.\n\n"
    "Are you sure you want to do this? [yes/no]: yes\n"
    "% Be sure to ask the CA administrator to revoke your certificates.\n"
)


def login_to(device: EmulatedIos) -> Login:
    return Login(host=device.host, port=device.port, username="admin", password=PASSWORD)


async def test_an_account_that_a_change_has_made_is_removed_by_the_undo_though_ios_asks_first() -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", needs=(Configuration,)) as connection,
    ):
        before = device.device.running_config()
        change = await connection.apply(await connection.plan(f"{USER}\nntp server 192.0.2.77"))
        assert USER in device.device.running_config()
        assert (await change.undo()).is_identical
        assert device.device.running_config() == before


async def test_an_account_that_a_change_has_removed_comes_back_where_a_later_line_is_refused() -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", needs=(Configuration,)) as connection,
    ):
        await connection.apply(await connection.plan(USER))
        before = device.device.running_config()
        change = await connection.apply(await connection.plan("no username eve"))
        assert "username" not in device.device.running_config()
        assert change.not_shown == change.unforeseen == change.stayed == ()
        await change.undo()
        assert device.device.running_config() == before
        with pytest.raises(LineRefusedError, match=r"line 2 of 2.*Its configuration is as it was before"):
            await connection.apply(await connection.plan("no username eve\nfrobnicate 7"))
        assert device.device.running_config() == before


async def test_any_other_question_is_a_refusal_after_which_the_same_session_takes_the_change_back() -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", needs=(Configuration,)) as connection,
    ):
        before = device.device.running_config()
        plan = await connection.plan("ntp server 192.0.2.77\ncrypto key zeroize rsa\nhostname never")
        with pytest.raises(
            LineRefusedError, match=r"line 2 of 3.*really want to remove these keys.*answered by no"
        ):
            await connection.apply(plan)
        assert device.device.running_config() == before
        assert (await connection.send_command("show version")).output


def test_a_trustpoint_that_is_removed_with_its_certificates_is_no_refusal() -> None:
    line = "no crypto pki trustpoint made-up"
    assert send_line(ScriptedSession({line: TRUSTPOINT}), line, DEADLINE) == ""
    refused = ScriptedSession({line: "% CA trustpoint for label made-up is in use."})
    assert "is in use" in send_line(refused, line, DEADLINE)


class AskingSession(ScriptedSession):
    """A device that asks `asked` about a line, and takes the line only if it is told yes."""

    def __init__(self, asked: str) -> None:
        super().__init__({})
        self._asked = asked

    def send(self, command: str, *, deadline: Deadline, questions: Questions | None = None) -> ScriptedReply:
        assert questions is not None, "nobody would answer"
        is_taken = questions.answer_to(self._asked, 0.0) == "yes"
        return ScriptedReply("" if is_taken else "%: Error: static entry in use, cannot remove")


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("no ip nat inside source list 7 pool out", ALL_ENTRIES),
        ("no ip nat inside source static 192.0.2.7 198.51.100.7", CHILD_ENTRIES),
    ],
)
def test_a_translation_that_is_in_use_is_removed_although_ios_asks_first(line: str, asked: str) -> None:
    for entries in ("entries", "entires"):
        assert send_line(AskingSession(f"{asked} {entries}? [no]: "), line, DEADLINE) == ""


def test_a_question_that_is_expected_is_answered_at_once_and_any_other_by_no_when_nothing_more_comes() -> (
    None
):
    questions = Questions({re.compile("sure"): "yes"})
    assert questions.answer_to("Are you sure? [yes/no]: ", 0.0) == "yes"
    assert questions.answer_to(YES_NO, ASKED_SECONDS / 2) is None
    assert questions.answer_to("r1(config)#", ASKED_SECONDS) is None
    assert questions.answer_to("Password: ", ASKED_SECONDS) is None
    assert (questions.answer_to(YES_NO, ASKED_SECONDS), questions.declined) == ("no", YES_NO.strip())
    assert Questions({}).answer_to("Go on? [confirm]", ASKED_SECONDS) == "n"


def test_a_device_that_asks_again_is_not_answered_for_ever() -> None:
    questions = Questions({re.compile("sure"): "yes"})
    assert questions.answer_to("Are you sure? [yes/no]: ", ASKED_SECONDS) == "yes"
    for came in ("Are you sure? [yes/no]:", "Are you sure? [yes/no]: "):  # its last blank came later
        assert questions.answer_to(came, ASKED_SECONDS) is None
    assert questions.answer_to(YES_NO, ASKED_SECONDS) == "no"
    assert questions.answer_to("Really? [y/n]: ", ASKED_SECONDS) is None
