"""A text that IOS is given in one line, and refuses, is a refused line of the change. Over real SSH."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sdk.connection import Configuration, Connection, Login, connect
from sdk.connection.changes.errors import LineRefusedError
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"


@asynccontextmanager
async def changing(faults: Faults | None = None) -> AsyncIterator[tuple[EmulatedIos, Connection]]:
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
        login = Login(host=device.host, port=device.port, username="admin", password=PASSWORD)
        async with connect(login, platform="ios", needs=(Configuration,)) as connection:
            yield device, connection


@pytest.mark.parametrize(
    "answer",
    ["% Invalid input detected at '^' marker.", "% Authorization failed.", "Command authorization failed."],
)
async def test_a_banner_of_one_line_that_is_refused_ends_the_change_and_all_is_taken_back(
    answer: str,
) -> None:
    async with changing(Faults(outputs={"banner motd ~x~": answer})) as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan("ntp server 192.0.2.7\nbanner motd #x#\nntp server 192.0.2.8")
        with pytest.raises(
            LineRefusedError, match=r"line 2 of 3.*Its configuration is as it was before"
        ) as refused:
            await connection.apply(plan)
        assert answer in str(refused.value)
        assert device.device.running_config() == before
        assert "ntp server 192.0.2.8" not in device.typed


async def test_a_banner_of_one_line_that_reads_like_a_refusal_is_taken_for_the_text_that_it_is() -> None:
    async with changing() as (device, connection):
        change = await connection.apply(await connection.plan("banner motd #% Invalid input#"))
        assert "% Invalid input" in device.device.running_config()
        assert change.not_shown == change.unforeseen == ()
