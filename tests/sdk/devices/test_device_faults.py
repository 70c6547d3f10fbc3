"""Each scripted fault of the emulated device over real SSH, as a client sees it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncssh
import pytest
from netmiko import ConnectHandler

from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS

PASSWORD = "lab-password-1"
FAULT_SECONDS = 0.3


def ssh_client(device: EmulatedIos, **options: Any) -> Any:
    return asyncssh.connect(
        device.host,
        device.port,
        username="admin",
        password=PASSWORD,
        client_keys=None,
        config=None,
        **{"known_hosts": None, **options},
    )


@contextlib.asynccontextmanager
async def shell_with(faults: Faults, **options: Any) -> AsyncIterator[asyncssh.SSHClientProcess[str]]:
    """Yield a shell on a device with these faults; its connection is cut at the end."""
    async with EmulatedIos("admin", PASSWORD, faults=faults, **options) as device:
        client = await ssh_client(device)
        yield await client.create_process(term_type="vt100")
        client.abort()
        await client.wait_closed()


async def until(shell: asyncssh.SSHClientProcess[str], text: str) -> str:
    return await asyncio.wait_for(shell.stdout.readuntil(text), timeout=PATIENCE_SECONDS)


async def is_silent(shell: asyncssh.SSHClientProcess[str]) -> bool:
    try:
        await asyncio.wait_for(shell.stdout.read(1), FAULT_SECONDS)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(
    ("faults", "sent", "heard"),
    [
        (Faults(http_service=True), b"SSH-2.0-client\r\n", b"HTTP/1.1 400"),
        (Faults(telnet_service=True), b"", b"Username: "),
        (Faults(endless_banner=True), b"", b"Notice 3:"),
        (Faults(no_key_exchange=True), b"SSH-2.0-client\r\n", b"SSH-2.0-Emulated_1.0\r\n"),
        (Faults(refuses_in_words=True), b"", b"Exceeded MaxStartups"),
    ],
    ids=["http", "telnet", "endless banner", "no key exchange", "no session in words"],
)
async def test_another_service_answers_in_the_place_of_ssh(faults: Faults, sent: bytes, heard: bytes) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        reader, writer = await asyncio.open_connection(device.host, device.port)
        writer.write(sent)
        await asyncio.wait_for(reader.readuntil(heard), timeout=PATIENCE_SECONDS)
        writer.close()


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
async def test_only_what_needs_sha_1_is_offered() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(sha1_only=True)) as device:
        with pytest.raises(asyncssh.KeyExchangeFailed):
            await ssh_client(device, kex_algs=["curve25519-sha256"])
        algorithms = {
            "kex_algs": ["diffie-hellman-group14-sha1"],
            "mac_algs": ["hmac-sha1"],
            "server_host_key_algs": ["ssh-rsa"],
            "signature_algs": ["ssh-rsa"],
        }
        async with ssh_client(device, **algorithms) as client:
            assert (await client.run("show clock")).exit_status == 0


async def test_the_host_key_can_be_exchanged_while_it_runs() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:

        def known() -> asyncssh.SSHKnownHosts:
            return asyncssh.import_known_hosts(f"[{device.host}]:{device.port} {device.host_key}")

        before = known()
        async with ssh_client(device, known_hosts=before):
            pass
        device.renew_host_key()
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await ssh_client(device, known_hosts=before)
        async with ssh_client(device, known_hosts=known()):
            pass


async def test_fault_new_host_key_at_counts_for_the_connections_that_follow() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(new_host_key_at="show clock")) as device:
        before = device.host_key
        async with ssh_client(device) as client:
            await client.run("show clock")
        assert device.host_key != before
        known = asyncssh.import_known_hosts(f"[{device.host}]:{device.port} {device.host_key}")
        async with ssh_client(device, known_hosts=known):
            pass


async def test_a_connection_above_the_limit_is_cut_and_the_place_is_free_again() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(session_limit=1)) as device:
        first = await ssh_client(device)
        with pytest.raises((asyncssh.ConnectionLost, OSError)):
            await ssh_client(device)
        first.close()
        await first.wait_closed()
        async with ssh_client(device) as again:
            assert (await again.run("show clock")).exit_status == 0


async def test_a_login_may_be_taken_and_no_session_given() -> None:
    faults = Faults(no_channel=True)
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device, ssh_client(device) as client:
        with pytest.raises(asyncssh.ChannelOpenError):
            await client.run("show clock")


async def test_a_login_may_be_slow() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(login_seconds=FAULT_SECONDS)) as device:
        begun = asyncio.get_running_loop().time()
        async with ssh_client(device):
            assert asyncio.get_running_loop().time() - begun >= FAULT_SECONDS


async def test_keyboard_interactive_is_the_only_way_in() -> None:
    faults = Faults(keyboard_interactive_only=True)
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        with pytest.raises(asyncssh.PermissionDenied):
            await ssh_client(device, preferred_auth="password")
        async with ssh_client(device, preferred_auth="keyboard-interactive"):
            pass


@pytest.mark.parametrize(
    "faults", [Faults(second_factor=True), Faults(password_expired=True)], ids=["factor", "old"]
)
async def test_the_right_password_is_not_enough(faults: Faults) -> None:
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        with pytest.raises(asyncssh.PermissionDenied):
            await ssh_client(device)


async def test_a_shell_asks_for_a_new_password_where_the_prompt_should_be() -> None:
    async with shell_with(Faults(expired_in_shell=True)) as shell:
        assert "expired" in await until(shell, "New password: ")
        shell.stdin.write("other\n")
        assert "other" not in await asyncio.wait_for(shell.stdout.read(), timeout=PATIENCE_SECONDS)


async def test_a_linux_shell_is_where_the_command_line_should_be() -> None:
    async with shell_with(Faults(bash_shell=True)) as shell:
        await until(shell, "admin@lab1:~$ ")
        shell.stdin.write("show version\n")
        assert "-bash: show: command not found" in await until(shell, "~$ ")


async def test_a_banner_may_look_like_a_prompt() -> None:
    async with shell_with(Faults(login_banner="Welcome to\nlab1#\nlab9>\n")) as shell:
        assert await until(shell, "lab9>\r\n\r\nlab1#") == "Welcome to\r\nlab1#\r\nlab9>\r\n\r\nlab1#"


async def test_an_output_is_paged_until_it_is_turned_off() -> None:
    async with shell_with(Faults()) as shell:
        shell.stdin.write("show running-config\n")
        first = await until(shell, " --More-- ")
        assert (
            first.count("\n") == 25
        )  # the line before the prompt, the echo, and a screen but for its last line
        shell.stdin.write("\n")
        assert (await until(shell, " --More-- ")).count("\n") == 1
        shell.stdin.write(" ")
        assert (await until(shell, "lab1#")).endswith("end\r\nlab1#")
        shell.stdin.write("show running-config\n")
        await until(shell, " --More-- ")
        shell.stdin.write("q")
        await until(shell, "lab1#")
        shell.stdin.write("terminal length 0\nshow running-config\n")
        assert "--More--" not in await until(shell, "\r\nend\r\nlab1#")


async def test_fault_pager_stays_on() -> None:
    async with shell_with(Faults(pager_stays_on=True)) as shell:
        shell.stdin.write("terminal length 0\nshow running-config\n")
        await until(shell, " --More-- ")


async def test_one_key_confirms_and_the_enter_behind_it_is_an_empty_line() -> None:
    async with shell_with(Faults()) as shell:
        shell.stdin.write("clear counters\n")
        await until(shell, "[confirm]")
        shell.stdin.write("y")
        await until(shell, "lab1#")
        shell.stdin.write("clear counters\n\n")
        assert (await until(shell, "[confirm]\r\nlab1#")).count("lab1#") == 1
        assert await is_silent(shell)


async def test_fault_question_at_waits_for_an_answer_that_never_helps() -> None:
    async with shell_with(Faults(question_at="show version")) as shell:
        shell.stdin.write("show version\n")
        await until(shell, "[y/n]: ")
        shell.stdin.write("y\n")
        await until(shell, "\r\n") if not await is_silent(shell) else None
        assert await is_silent(shell)


async def test_fault_changed_prompt_at() -> None:
    async with shell_with(Faults(changed_prompt_at="show clock")) as shell:
        shell.stdin.write("show clock\n\n")
        await until(shell, "\r\nstandby-lab1#\r\nstandby-lab1#")


async def test_fault_large_output_has_its_size_and_an_end() -> None:
    async with shell_with(Faults(large_output="show clock", large_output_bytes=300_000)) as shell:
        await until(shell, "lab1#")
        shell.stdin.write("show clock\n")
        received = await until(shell, "lab1#")
        assert 300_000 <= len(received) < 300_200


async def test_an_answer_of_one_s_own_pauses_at_the_byte_that_was_named() -> None:
    faults = Faults(
        outputs={"show clock": "one\nlab1#\ntwo"}, pause_in="show clock", pause_at_byte=10, pause_seconds=3.0
    )
    async with shell_with(faults) as shell:
        shell.stdin.write("show clock\n")
        await until(shell, "show clock\r\none\r\nlab1#")
        assert await is_silent(shell)
        assert await until(shell, "lab1#") == "\r\ntwo\r\nlab1#"


async def test_faults_may_be_exchanged_while_it_runs() -> None:
    async with EmulatedIos("admin", PASSWORD) as device, ssh_client(device) as client:
        device.faults = Faults(outputs={"show clock": "late"})
        assert (await client.run("show clock")).stdout == "late\r\n"


async def test_a_half_open_link_is_silent_and_ends_nothing() -> None:
    async with shell_with(Faults(half_open_at="show clock")) as shell:
        await until(shell, "lab1#")
        shell.stdin.write("show clock\n")
        await asyncio.sleep(0.05)
        shell.stdin.write("show version\n")
        assert re.fullmatch(r"(show clock\r\n)?", await _heard(shell))
        assert not shell.stdout.at_eof()


async def _heard(shell: asyncssh.SSHClientProcess[str]) -> str:
    heard = ""
    with contextlib.suppress(TimeoutError):
        while True:
            heard += await asyncio.wait_for(shell.stdout.read(100), FAULT_SECONDS)
    return heard


async def test_a_device_that_stops_reading_stops_the_writer() -> None:
    async with shell_with(Faults(stops_reading_at="show clock")) as shell:
        shell.stdin.write("show clock\n")
        await until(shell, "UTC")
        shell.stdin.write("x" * 8_000_000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(shell.stdin.drain(), FAULT_SECONDS)


async def test_shutting_the_management_interface_cuts_it_off_until_the_timer_reverts_it() -> None:
    faults = Faults(management_interface="GigabitEthernet0/0")
    async with shell_with(faults, minute_seconds=3.0) as shell:
        shell.stdin.write("configure terminal revert timer 1\ninterface gi0/0\n")
        assert "in 1 minutes" in await until(shell, "(config-if)#")
        shell.stdin.write("shutdown\n")
        # Of the last line, the echo may get through, and no prompt.
        assert re.fullmatch(r"(shutdown\r\n)?", await _heard(shell))
        # The link is back when the timer has put the interface back.
        await until(shell, "lab1(config-if)#")


async def test_a_reload_that_is_due_restores_the_saved_configuration_on_the_same_port() -> None:
    async with EmulatedIos("admin", PASSWORD, minute_seconds=0.2) as device:
        client = await ssh_client(device)
        await client.run("write memory")
        shell = await client.create_process(term_type="vt100")
        shell.stdin.write("reload in 1\n")
        await until(shell, "[confirm]")
        shell.stdin.write("\n")
        shell.stdin.write("configure terminal\nhostname gone\n")
        await asyncio.wait_for(client.wait_closed(), timeout=PATIENCE_SECONDS)
        again = await _connect_again(device)
        assert "hostname lab1" in (await again.run("show running-config")).stdout
        assert (await again.run("show reload")).stdout == "No reload is scheduled.\r\n"
        again.abort()


async def _connect_again(device: EmulatedIos) -> Any:
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        try:
            return await ssh_client(device)
        except OSError:
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.05)


async def test_a_reload_can_be_cancelled_and_a_change_confirmed() -> None:
    async with EmulatedIos("admin", PASSWORD, minute_seconds=2.0) as device, ssh_client(device) as client:
        shell = await client.create_process(term_type="vt100")
        shell.stdin.write("reload in 1\n")
        await until(shell, "[confirm]")
        shell.stdin.write("\nreload cancel\n")
        await until(shell, "SHUTDOWN ABORTED")
        shell.stdin.write("configure terminal revert timer 1\nhostname kept\nend\nconfigure confirm\n")
        await until(shell, "configure confirm\r\nkept#")
        await asyncio.sleep(2.1)
        shell.stdin.write("show reload\n")
        assert "kept#" in await until(shell, "No reload is scheduled.\r\nkept#")


async def test_netmiko_configures_under_the_timer_of_the_device() -> None:
    def work(device: EmulatedIos) -> str:
        with ConnectHandler(
            device_type="cisco_ios", host=device.host, port=device.port, username="admin", password=PASSWORD
        ) as session:
            session.send_config_set(
                ["hostname renamed"], config_mode_command="configure terminal revert timer 1"
            )
            session.set_base_prompt()
            return session.send_command("configure confirm") + session.find_prompt()

    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        assert await asyncio.to_thread(work, device) == "renamed#"
