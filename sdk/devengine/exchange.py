"""One request and its answer: recorded, checked, handled or changed by a fault. Errors are answered as JSON."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback

from aiohttp import web

from sdk.devengine.errors import RequestError
from sdk.devengine.faults import Fault
from sdk.devengine.guards import check_content_type, check_sender, check_token
from sdk.devengine.handlers import Handler, answer, answer_error, route_name
from sdk.devengine.request_log import RequestRecord
from sdk.devengine.service import service_of

_HANG_LOOK_SECONDS = 0.1

_LOG = logging.getLogger("sdk.devengine")


class Exchange:
    """The state of one request on its way through the engine.

    An object, not a chain of middlewares: one step needs what another has learned (the body, a closed connection), and
    only aiohttp's newest releases have typed keys for that.
    """

    def __init__(self, request: web.Request, handler: Handler) -> None:
        self._request = request
        self._handler = handler
        self._route = route_name(request)
        self._body = b""
        self._dropped = False

    async def run(self) -> web.StreamResponse:
        """Handle the request and keep it in the request log, even if the client gives up during that."""
        monotonic_seconds, epoch_seconds = time.monotonic(), time.time()
        status: int | None = None
        try:
            response = await self._answered()
            status = None if self._dropped else response.status
            return response
        finally:
            log = service_of(self._request).request_log
            if log.enabled:
                log.append(
                    RequestRecord(
                        monotonic_seconds=monotonic_seconds,
                        epoch_seconds=epoch_seconds,
                        method=self._request.method,
                        path=self._request.path_qs,
                        route=self._route,
                        status=status,
                        engine_seconds=time.monotonic() - monotonic_seconds,
                        body_text=self._body.decode("utf-8", "replace"),
                    )
                )

    async def _answered(self) -> web.StreamResponse:
        """Turn every error into a JSON answer like Nest's. An unexpected error is logged and answered with a 500."""
        method, path = self._request.method, self._request.path
        try:
            check_sender(self._request)
            # Before the body is read: the engine does not read 32 MB from a stranger.
            check_token(self._request, service_of(self._request).token)
            check_content_type(self._request)
            self._body = await self._request.read()  # at most `MAX_BODY_BYTES`; 413 above
            return await self._with_faults()
        except RequestError as error:
            return answer_error(error.status, *error.messages)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return answer_error(404, f"Cannot {method} {path}")
        except web.HTTPException as error:
            return answer_error(error.status, error.reason)
        except web.RequestPayloadError:
            return answer_error(
                400, "the body can't be read: its compression or its chunks are not as the headers say"
            )
        except UnicodeEncodeError:
            # JSON can spell half of a surrogate pair; no database column can hold it.
            return answer_error(400, "the body contains text that is not Unicode (half of a surrogate pair)")
        except Exception as error:  # the last boundary: the engine answers and goes on
            # Without the error's own text: it may repeat values from the request.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _LOG.error("%s while handling %s %s\n%s", type(error).__name__, method, path, frames)
            return answer_error(500, f"the engine failed with {type(error).__name__}; its log says where")

    async def _with_faults(self) -> web.StreamResponse:
        fault = service_of(self._request).faults.take(self._route)
        if fault is None:
            return await self._handler(self._request)
        await asyncio.sleep(fault.delay_seconds)
        if fault.drop == "before":
            return self._drop()
        if fault.hang:
            if fault.handle:
                await self._handler(self._request)
            return await self._hang()
        true_answer = None if fault.replaces_handling else await self._handler(self._request)
        await asyncio.sleep(fault.answer_delay_seconds)
        return self._drop() if fault.drop == "after" else _spoilt(fault, true_answer)

    async def _hang(self) -> web.StreamResponse:
        self._dropped = True
        transport = self._request.transport
        # A transport does not report that it is closed.
        while transport is not None and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_HANG_LOOK_SECONDS)
        return answer_error(500, "never sent: the client has closed the connection")

    def _drop(self) -> web.StreamResponse:
        self._dropped = True
        if self._request.transport is not None:
            self._request.transport.abort()
        return answer_error(500, "never sent: the connection is closed")


def _spoilt(fault: Fault, true_answer: web.StreamResponse | None) -> web.StreamResponse:
    """Return the answer that the fault orders. What it does not name stays as in the true answer."""
    status = fault.status or (fault.success_status if true_answer is None else true_answer.status)
    response: web.StreamResponse
    if isinstance(fault.body, str | bytes):
        data = fault.body.encode("utf-8") if isinstance(fault.body, str) else fault.body
        response = web.Response(body=data, status=status, content_type="application/json")
    elif fault.body is not None:
        response = answer(fault.body, status)
    elif true_answer is None:
        response = answer_error(status, "ordered by a fault")
    else:
        response = true_answer
        response.set_status(status)
    if fault.content_type is not None:
        response.headers["Content-Type"] = fault.content_type
    response.headers.update(fault.headers)
    return response


@web.middleware
async def run_exchange(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle a request as an `Exchange`."""
    return await Exchange(request, handler).run()
