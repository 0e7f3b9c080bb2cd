# SPDX-License-Identifier: Apache-2.0
"""How the platform's web server says no: a name, a sentence, and nothing else.

The law of the module: nothing of a request comes back in its answer, no trace and no
server's name leaves the machine, and a body has a limit before anybody reads it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from fastapi import FastAPI, Request

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Any, Any, Any], Awaitable[None]]

#: A certificate request and two keys have 2 KiB.
BODY_BYTES = 64 * 1024
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_log = structlog.get_logger("platform.web")


class WebRefusal(Exception):  # noqa: N818  a refusal is an answer, no fault
    """What a route answers instead; ``what`` is a sentence of ours."""

    def __init__(self, status: int, name: str, what: str) -> None:
        super().__init__(name)
        self.status, self.name, self.what = status, name, what


def refusal(status: int, name: str, what: str) -> JSONResponse:
    """Return an answer that says no."""
    return JSONResponse({"error": name, "what": what}, status, headers=_HEADERS)


def answer_errors(app: FastAPI) -> None:
    """Have every failure of an application answered in our own words."""

    @app.exception_handler(WebRefusal)
    async def refused(_: Request, error: WebRefusal) -> JSONResponse:
        return refusal(error.status, error.name, error.what)

    @app.exception_handler(HTTPException)
    async def unknown(_: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        return refusal(status, status.name, "see docs/enrolment.md")

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> JSONResponse:
        return _failed()

    @app.exception_handler(RequestValidationError)
    async def misunderstood(_: Request, __: RequestValidationError) -> JSONResponse:
        what = "the request is not as the contract says"
        return refusal(422, "UNREADABLE", what)


def _failed() -> JSONResponse:
    return refusal(500, "FAULT", "the platform has a fault; see its log")


class Gate:
    """Stands before the application: bodies end here, and so do its exceptions."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        has_begun, taken = False, 0

        async def hear() -> dict[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES:
                raise HTTPException(413)
            return message

        async def say(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, hear, say)
        except Exception as fault:  # noqa: BLE001  whatever it is, it stays here
            # The name alone: a message may quote what was sent.
            _log.error("a request failed", fault=type(fault).__name__)
            if not has_begun:
                await _failed()(scope, receive, say)
