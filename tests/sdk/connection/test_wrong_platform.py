"""A driver of netmiko that waits for the words of its platform, on a device that has other ones."""

import pytest
from connection_support import PASSWORD, login_to

from sdk.connection import Cause, DeviceError, connect
from sdk.testing.devices import EmulatedIos, Faults

LIMIT_SECONDS = 1.0


@pytest.mark.parametrize(
    ("faults", "cause", "retryable"),
    [(Faults(), Cause.WRONG_PLATFORM, False), (Faults(no_prompt=True), Cause.NO_PROMPT, True)],
    ids=["a prompt", "silence"],
)
async def test_a_prompt_without_the_platforms_words_is_another_platform_and_silence_is_not(
    faults: Faults, cause: Cause, retryable: bool
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
        with pytest.raises(DeviceError) as caught:
            async with connect(login_to(device), platform="junos", login_seconds=LIMIT_SECONDS):
                pass
    assert (caught.value.cause, caught.value.retryable) == (cause, retryable)
    assert caught.value.last_line == ("r1#" if cause is Cause.WRONG_PLATFORM else None)
