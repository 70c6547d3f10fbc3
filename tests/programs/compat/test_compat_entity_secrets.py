"""Secrets that a block of the other SDK sets in the client's entities are masked from then on; nothing else differs."""

import copy
import inspect
import json
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, create_model

from sdk.compat.client import client_class
from sdk.compat.entity_secrets import ENTITIES, have_entities_tell
from sdk.masking import Masking, use_masking
from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import ROOT

STAND_IN = Path(__file__).parent / "stand_in"
MODES = pytest.mark.parametrize("paths", [(ROOT,), (ROOT, STAND_IN)], ids=["alias", "installed"])

BLOCK = """
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock, FunctionBlockAcquireResult, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.entities import Device, DeviceGroup

@register_function_block(Registration(
    name="rotate", package="acme", description="Sets secrets", run_on="device", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData, reversible=True,
))
class Rotate(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def acquire(self, params):
        return FunctionBlockAcquireResult(success=True, message="Nothing")

    async def run(self, params, context):
        device = context.device
{body}

    async def rollback(self, params, context, result_from_failed=None):
        await self.run(params, context)
"""
SETS = """
device.password = "Rotated-Pw-1"
print("printed", device.password)
self.logger.warning("logged {}", device.password)
device.connection_options = '{"enable_secret": "In-Options-2"}'
print("printed In-Options-2")
device.facts = {"login": {"token": "In-Facts-3"}}
print("printed In-Facts-3")
created = Device(password="Created-With-4", skip_if_identifier_exists=False, identifier_fields=[])
print("printed", created.password)
created.password = "Set-Later-5"
print("printed", created.password)
group = DeviceGroup(facts={"secret": "In-Group-6"}, skip_if_identifier_exists=False, identifier_fields=[])
print("printed", group.facts["secret"])
context.devices.append(created)
return FunctionBlockResult(
    success=True, message=f"returned {device.password}, {created.password}", data=FunctionBlockResultData()
)
"""
RAISES = """
device.password = "Rotated-Pw-1"
device.facts = {}
device.facts["login"] = {"secret": "In-Place-7"}
context.device = device.model_copy(update={"password": "In-A-Copy-8"})
raise RuntimeError("the device refused Rotated-Pw-1, In-Place-7 and In-A-Copy-8")
"""
SECRETS = (
    *("Rotated-Pw-1", "In-Options-2", "In-Facts-3", "Created-With-4", "Set-Later-5", "In-Group-6"),
    *("In-Place-7", "In-A-Copy-8"),
)
CONTEXT = json.dumps({"devices": [{"id": 7, "hostname": "sw7", "password": "came-with-the-job-0"}]})


def outcome_of(
    code: str, directory: Path, paths: tuple[Path, ...], *flags: str
) -> tuple[dict[str, Any], str]:
    """Run the one block of `code` as a job in a child; return what is known of its end, and all that was logged."""
    block = directory / "under_test.py"
    block.write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", "run-block", *flags, "--json", "--function-blocks", str(block)],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PYTHONPATH": ":".join(map(str, paths)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr


def rotate(body: str, directory: Path, paths: tuple[Path, ...], *flags: str) -> tuple[dict[str, Any], str]:
    code = BLOCK.replace("{body}", textwrap.indent(body.strip(), " " * 8))
    return outcome_of(code, directory, paths, "acme/rotate", "--context", CONTEXT, *flags)


@MODES
def test_a_secret_that_is_set_or_created_is_masked_from_then_on_in_print_log_and_message(
    tmp_path: Path, paths: tuple[Path, ...]
) -> None:
    outcome, log = rotate(SETS, tmp_path, paths)
    assert outcome["success"], outcome["message"]
    assert outcome["stdout"] == "printed ***\n" * 6
    assert "logged ***" in [line["message"] for line in outcome["logs"]]
    assert outcome["message"] == "returned ***, ***"
    assert outcome.pop("db_updates"), "the engine gets them as they are"
    told = json.dumps(outcome) + log
    assert [secret for secret in SECRETS if secret in told] == []


@MODES
@pytest.mark.parametrize("job_type", ["execute", "rollback"])
def test_a_secret_that_a_block_has_set_is_in_clear_in_nothing_that_tells_of_its_exception(
    tmp_path: Path, paths: tuple[Path, ...], job_type: str
) -> None:
    outcome, log = rotate(RAISES, tmp_path, paths, "--type", job_type)
    assert not outcome["success"]
    assert "raised RuntimeError: the device refused ***, *** and ***" in outcome["message"]
    assert "Traceback (most recent call last)" in log
    told = json.dumps(outcome) + log
    assert [secret for secret in SECRETS if secret in told] == []


OWN_BLOCK = """
import sys

from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)

@register_function_block(Registration(
    name="own", package="acme", description="Looks at its modules", run_on="device", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData,
))
class Own(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context):
        context.device.password = "Rotated-Pw-1"
        loaded = "neops_workflow_engine_client" in sys.modules
        return FunctionBlockResult(success=True, message=f"loaded: {loaded}", data=FunctionBlockResultData())
"""


def test_the_process_of_a_block_of_this_sdk_does_not_load_the_client(tmp_path: Path) -> None:
    outcome, _ = outcome_of(OWN_BLOCK, tmp_path, (ROOT,), "acme/own", "--context", CONTEXT)
    assert outcome["message"] == "loaded: False"


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What whoever masks was told of, in this order. At first and in the end, the client's classes are their own."""
    secrets: list[str] = []
    give_back()
    use_masking(Masking(tell=secrets.append))
    yield secrets
    use_masking(Masking())
    give_back()


def give_back() -> None:
    for kind in map(client_class, ENTITIES):
        for name in {"__setattr__", "__init__"} & vars(kind).keys():
            delattr(kind, name)


class Closed(dict[str, Any]):
    """A mapping that shows nothing."""

    def items(self) -> Any:
        raise RuntimeError("not to be looked into")


class Behind(BaseModel):
    """A base that stands after the client's class, and writes down what is set."""

    model_config = ConfigDict(validate_assignment=True)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        vars(self)["password"] = f"{name} was set"


GIVEN: dict[str, Any] = {"id": 7, "hostname": "sw7", "connectionOptions": '{"port": 22}', "facts": {"a": [1]}}


def behaviour() -> list[Any]:
    """What comes of using the client's class of devices, and classes that derive from it, in many ways."""
    device_class = client_class("DeviceTypeDto")
    derived: Any = create_model("Derived", __base__=device_class, rack=(str, "r1"))
    both: Any = create_model("Both", __base__=(device_class, Behind))
    device, other = device_class.from_dict(GIVEN), derived(**GIVEN, password="x")
    for each in (device, other):
        each.hostname, each.facts = "sw8", {"b": 2}
    with_base = both(id=1)
    with_base.vendor = "v"
    again = pickle.loads(pickle.dumps(device))
    return [
        *(str(inspect.signature(each)) for each in (device_class, derived, both)),
        *(each.model_json_schema() for each in (device_class, derived)),
        *(each.__pydantic_custom_init__ for each in (device_class, derived, both)),
        *(each.model_dump() for each in (device, other, with_base, device.model_copy(update={"ip": "::1"}))),
        *(again == device, copy.deepcopy(other) == other, device == other, type(again) is device_class),
        *(repr(device), device.model_fields_set, device.to_json()),
        isinstance(derived.model_validate({"id": 3}), device_class),
        derived.model_validate(device, from_attributes=True).hostname,
        *map(
            refusal, (lambda: setattr(device, "connection_state", "ODD"), lambda: setattr(device, "id", "x"))
        ),
        *map(refusal, (lambda: setattr(device, "passwrod", "x"), lambda: setattr(device, "to_json_", 1))),
        *map(refusal, (lambda: derived(hostname="no id"), lambda: derived(1), lambda: derived(id=1, rack=5))),
    ]


def refusal(attempt: Any) -> str:
    try:
        attempt()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "none"


def test_the_client_s_classes_do_all_else_as_before(told: list[str]) -> None:
    before = behaviour()
    assert told == []
    have_entities_tell()
    assert behaviour() == before


def test_the_client_s_entities_tell_what_is_set_and_nothing_of_what_came_with_a_job(told: list[str]) -> None:
    have_entities_tell()
    have_entities_tell()
    context = client_class("JobExecutionContextDto").from_dict(
        {"devices": [{**GIVEN, "password": "came-with-the-job-0"}], "interfaces": [], "deviceGroups": []}
    )
    (device,) = context.devices
    copy.deepcopy(device).model_copy(update={"hostname": "x"})
    pickle.loads(pickle.dumps(device))
    assert told == []
    device.password = "Rotated-Pw-1"
    assert told == ["Rotated-Pw-1"]
    device.hostname = "no-secret"
    with pytest.raises(ValueError, match=r"connection_?[oO]ptions"):
        device.connection_options = {"enable_secret": "In-Options-2"}
    client_class("InterfaceTypeDto")(id=1).name = "Gi0/1"
    client_class("DeviceGroupTypeDto")(id=1).facts = {"secret": "In-Group-6"}
    client_class("DeviceTypeDto")(
        id=1, password="Created-With-4", connectionOptions='{"secret": "In-Options-9"}'
    )
    assert told == ["Rotated-Pw-1", "In-Options-2", "In-Group-6", "Created-With-4", "In-Options-9"]


def test_what_can_not_be_looked_into_can_be_set_too(told: list[str]) -> None:
    have_entities_tell()
    device = client_class("DeviceTypeDto")(id=1, facts={"a": Closed(password="x")})
    device.facts = {"a": Closed(password="y")}
    assert (device.facts, told) == ({"a": {"password": "y"}}, [])
