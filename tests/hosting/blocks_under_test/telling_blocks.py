"""Blocks that tell what they know: to the log, on the terminal, in errors."""

import asyncio
import base64
import contextlib
import dataclasses
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import urllib.parse
from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel, SecretStr
from typing_extensions import TypedDict

from sdk import (
    SENSITIVE,
    Device,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.concurrency import run_parallel, schedule_task

module_logger = logging.getLogger(__name__)


class Credentials(FunctionBlockParams):
    """Declared in a model inside of the parameters."""

    code: Annotated[str, SENSITIVE] = ""
    wrapped: SecretStr | None = None


class Params(FunctionBlockParams):
    """What to tell, and how often."""

    pin: Annotated[str, SENSITIVE] = ""
    logins: list[Credentials] = Field(default=[])
    count: int = 0
    text: str = ""


class AllCredentials(RootModel[list[Credentials]]):
    """A list that has a name."""


@dataclasses.dataclass
class Key:
    """Declared in a dataclass."""

    user: str
    value: Annotated[str, SENSITIVE]


class Place(TypedDict):
    """Declared in a dict."""

    site: str
    alarm: Annotated[str, SENSITIVE]


class Records(FunctionBlockParams):
    """Parameters whose secrets are in no model of their own."""

    logins: AllCredentials
    key: Key
    place: Place


class Data(FunctionBlockResultData):
    """Whatever a block below tells."""

    value: Any = None


class Strict(BaseModel):
    """Refuses a text, and shows it."""

    pin: int


def block(name: str) -> Registration:
    return Registration(
        package="telling",
        name=name,
        description=name,
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )


def done(value: Any = None, message: str = "done") -> FunctionBlockResult[Data]:
    return FunctionBlockResult(success=True, message=message, data=Data(value=value))


class Base(FunctionBlock[Params, Data]):
    """A block of this file."""


@register_function_block(block("secrets"))
class Secrets(Base):
    """Tells its declared secrets everywhere, in many ways of writing."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        wrapped = params.logins[0].wrapped
        secrets = [params.pin, params.logins[0].code, wrapped.get_secret_value() if wrapped else ""]
        for secret in secrets:
            self.logger.info("logged %s", secret, extra={"seen": secret})
            module_logger.warning(json.dumps({"note": secret}))
            print(urllib.parse.quote(secret))
            print(base64.b64encode(b"me:" + secret.encode()).decode(), file=sys.stderr)
            sys.stdout.write(secret[:3])
            sys.stdout.flush()
            time.sleep(0.01)  # so that the rest comes by itself
            print(secret[3:])
        raise ValueError(f"{secrets!r}")


@register_function_block(block("short_secret"))
class ShortSecret(Base):
    """Tells a secret of four characters, with its name beside it and without."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        print(f"pin={params.pin}")
        print(f"the {params.pin} alone")
        print(repr(params))
        Strict.model_validate({"pin": params.pin})
        return done()


@register_function_block(block("fields"))
class Fields(Base):
    """Logs with fields, with context, and an exception."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        self.logger.info("logged in", extra={"port": 22, "ok": True, "auth_token": "x1", "odd": {1}})
        self.logger.with_context(hostname="r1").warning("with context")
        try:
            {}["lost"]
        except LookupError:
            self.logger.exception("it failed")
        return done(self.logger.get_context())


@register_function_block(block("levels"))
class Levels(Base):
    """Logs at each level, with loggers of several names."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        for name in ("chatty.inner", "chattyother"):
            logging.getLogger(name).debug("debug of %s", name)
            logging.getLogger(name).info("info of %s", name)
        self.logger.debug("debug of the block")
        module_logger.debug("debug of its module")
        return done()


@register_function_block(block("logs_and_dies"))
class LogsAndDies(Base):
    """Logs and prints lines, and is killed the moment after."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        for number in range(params.count):
            self.logger.info("logged %d", number)
            print(f"printed {number}")
        os.kill(os.getpid(), signal.SIGKILL)
        return done()


@register_function_block(block("dies_in_a_line"))
class DiesInALine(Base):
    """Is killed while it prints its secret."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        os.write(1, b"it is " + params.pin.encode()[:-2])
        os.kill(os.getpid(), signal.SIGKILL)
        return done()


@register_function_block(block("long_record"))
class LongRecord(Base):
    """Logs a text that is cut in the middle of its secret."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        self.logger.info("x " * (params.count // 2) + params.pin)
        print("x " * (params.count // 4) + params.pin)
        return done()


@register_function_block(block("raises_text"))
class RaisesText(Base):
    """Raises an error with what it was given."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        message = f"told {params.text}"
        raise ValueError(message)


@register_function_block(block("rotates"))
class Rotates(Base):
    """Sets passwords of a device, and tells each in every way at once."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        device = context.devices[0]
        told = ""
        for number in range(params.count):
            device.password = told = f"{params.text}-{number}"
            print(f"printed {told}")
            self.logger.info("logged %s", told)
            print(f"complained {told}", file=sys.stderr)
        created = Device(password="of-a-new-device", skip_if_identifier_exists=False, identifier_fields=[])
        print(f"created {created.password}")
        device.facts = {"token": "in-a-dict-1"}
        print("facts in-a-dict-1")
        device.facts["login"] = {"secret": "in-place-22"}
        return done(message=f"returned {told}, of-a-new-device, in-a-dict-1 and in-place-22")


@register_function_block(block("floods_with_secrets"))
class FloodsWithSecrets(Base):
    """Sets more passwords than the worker remembers."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        for number in range(params.count):
            context.devices[0].password = f"{params.text}-{number}" * (number % 50 + 1)
        self.logger.info("logged %s-0", params.text)
        return done(message=f"returned {context.devices[0].password}")


@register_function_block(block("tells_password"))
class TellsPassword(Base):
    """Tells the password that it came with, and one that it has put into a dict in place."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        device = context.devices[0]
        print(f"printed {device.password}")
        (device.facts or {})["login"] = {"secret": "in-place-22"}
        message = f"returned {device.password} and in-place-22"
        return FunctionBlockResult(success=True, message=message, data=Data(value=gc.isenabled()))


@register_function_block(block("besides"))
class Besides(Base):
    """Raises a secret where nothing of it becomes the result: in tasks, in a thread, and beside another error."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        async def fails() -> None:
            await asyncio.sleep(0)
            raise ValueError("-" * params.count + params.pin)

        thread = threading.Thread(target=asyncio.run, args=(fails(),))
        thread.start()
        thread.join()
        schedule_task(fails)()
        with contextlib.suppress(ValueError):
            await run_parallel(fails(), fails())
        return done()


@register_function_block(dataclasses.replace(block("records"), param_cls=Records))
class TellsRecords(FunctionBlock[Records, Data]):
    """Tells the secrets in a root model, a dataclass and a dict."""

    async def run(self, params: Records, context: WorkflowContext) -> FunctionBlockResult[Data]:
        secrets = [params.logins.root[0].code, params.key.value, params.place["alarm"]]
        for secret in secrets:
            print(f"printed {secret}")
            self.logger.info("logged %s at %s", secret, params.place["site"])
        raise ValueError(f"refused {secrets!r}")
