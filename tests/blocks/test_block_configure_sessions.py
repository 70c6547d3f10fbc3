"""neops_base/configure with `confirm_seconds` takes two sessions: what it does where it may have one, or gets one."""

from collections.abc import Iterator
from typing import Any

import pytest

from blocks.devices.configure import Configure
from blocks.devices.configure_request import ConfigureParams
from sdk import WorkflowContext
from sdk.connection.places import use_places
from sdk.testing.devices import EmulatedIos

PASSWORD = "never-to-be-seen-1"


class OneFree:
    """A worker's places: the first that is asked for may be had until it is given back, all others are taken."""

    def __init__(self) -> None:
        self.limit = 1
        self.asked = 0
        self.taken = 0

    def ask(self, device: str) -> "OnePlace":
        del device
        self.asked += 1
        return OnePlace(self)


class OnePlace:
    def __init__(self, places: OneFree) -> None:
        self.places = places
        self.has = False

    def wait(self, seconds: float) -> bool:
        del seconds
        self.has = self.places.taken == 0
        self.places.taken += self.has
        return self.has

    def give_back(self) -> None:
        self.places.taken -= self.has


@pytest.fixture
def places() -> Iterator[OneFree]:
    free = OneFree()
    use_places(free)
    yield free
    use_places(None)


async def configure(device: EmulatedIos, **values: Any) -> Any:
    context = WorkflowContext.from_job(device.as_context(), "device", 1)
    params = ConfigureParams(
        port=device.port, lines=["ntp server 192.0.2.77"], require_rollback=False, **values
    )
    return await Configure().execute_function_block(params, context)


async def test_with_one_session_on_each_device_a_change_to_be_confirmed_is_refused_before_anything_is_sent(
    places: OneFree,
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        before = device.device.running_config()
        result = await configure(device, confirm_seconds=60)
        assert device.device.running_config() == before
        assert not [line for line in device.typed if line.startswith("configure")]
        assert places.asked == 1, "nobody waits for what can't come"
    assert (result.success, result.retryable) == (False, False)
    assert "--sessions-per-device 1" in result.message
    assert "Nothing was sent" in result.message


@pytest.mark.parametrize(
    ("values", "sent"), [({}, True), ({"confirm_seconds": 60, "dry_run": True}, False)], ids=["plain", "dry"]
)
async def test_what_needs_no_second_session_is_done_with_one(
    places: OneFree, values: dict[str, Any], sent: bool
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        result = await configure(device, **values)
        assert ("192.0.2.77" in device.device.running_config()) is sent
    assert result.success, result.message
    assert places.asked == 1


async def test_a_change_that_gets_no_session_to_confirm_it_is_taken_back_and_worth_another_try(
    places: OneFree,
) -> None:
    places.limit = 2  # and other jobs have one
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        before = device.device.running_config()
        result = await configure(device, confirm_seconds=60)
        assert device.device.running_config() == before
        assert device.device.revert_timer is None
        assert places.asked == 2
    assert (result.success, result.retryable) == (False, True)
    assert "no new login was possible" not in result.message, "the device was not asked"
    assert "could not be confirmed, as no session was free for the new login" in result.message
    assert "The change was taken back" in result.message
