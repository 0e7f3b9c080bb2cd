# SPDX-License-Identifier: Apache-2.0
"""The web application put together: which routers there are, and who may use them.

The law of the module: every router is named in :func:`_routers`, in one line. What
stands in ``for_gateways`` is reached with a gateway's certificate alone, one that its
authority signed, that was not revoked, and whose name is registered; a route there
learns the name from :data:`Caller`. What stands in ``for_anybody`` guards itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from cloud_sync.platform import registry
from cloud_sync.platform.web import doors, enrolment, snapshots
from cloud_sync.platform.web.caller import Caller
from cloud_sync.platform.web.peer import peer_of
from cloud_sync.platform.web.refusals import Gate, WebRefusal, answer_errors

__all__ = ["Caller", "Lent", "make_app"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.platform.keys import Signer
    from cloud_sync.platform.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What routers borrow of the platform; ``now_ms`` gives UTC milliseconds."""

    database: Database
    signer: Signer
    settings: Settings
    folder: Path
    now_ms: Callable[[], int]


def _routers(lent: Lent) -> tuple[Iterable[APIRouter], Iterable[APIRouter]]:
    """Return the routers for anybody, and those for gateways; a line for each."""
    for_anybody: list[APIRouter] = [
        enrolment.router(lent),
        doors.router(lent),
    ]
    for_gateways: list[APIRouter] = [
        snapshots.router(lent),
    ]
    return for_anybody, for_gateways


def make_app(lent: Lent) -> Gate:
    """Return the application: no page of documentation, no schema, no redirects."""
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    answer_errors(app)
    for_anybody, for_gateways = _routers(lent)
    app.include_router(_health(lent))
    for router in for_anybody:
        app.include_router(router)
    for router in for_gateways:
        app.include_router(router, dependencies=[Depends(_guard(lent))])
    return Gate(app)


def _health(lent: Lent) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> JSONResponse:
        """Say that the database answers, and nothing else."""
        async with lent.database.reading() as work:
            await work.fetch("SELECT 1")
        return JSONResponse({"ok": True}, headers={"cache-control": "no-store"})

    return router


def _guard(lent: Lent) -> Any:
    async def guard(request: Request) -> None:
        """Let a gateway in whose certificate is good at this moment."""
        peer = peer_of(request.scope)
        if peer is None:
            what = "show this gateway's certificate"
            raise WebRefusal(401, "NO_CERTIFICATE", what)
        async with lent.database.reading() as work:
            is_good = await registry.may_enter(work, peer.name, peer.serial)
        if not is_good:
            what = "this certificate is no registered gateway's, or was revoked"
            raise WebRefusal(403, "CERTIFICATE_REFUSED", what)
        request.state.gateway = peer.name

    return guard
