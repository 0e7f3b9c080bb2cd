# SPDX-License-Identifier: Apache-2.0
"""The panel's application: its first page, a door's button, and every page beside it.

The law of the module: GET changes nothing; every POST needs an unspent token and ends
in a redirect, so that "reload" never presses again. Nothing of a request is echoed:
the outcome is one of a few fixed words. Whose a page is stands in the table of routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from edge.panel.assets import ASSETS, asset
from edge.panel.backup_pages import add_backup
from edge.panel.bag_pages import add_bags
from edge.panel.call_pages import add_calls
from edge.panel.count_pages import add_counts
from edge.panel.device_pages import add_devices
from edge.panel.display_pages import add_display
from edge.panel.door_pages import add_doors
from edge.panel.door_screen import add_door_screen
from edge.panel.drill_pages import add_drills
from edge.panel.emergency_pages import add_emergency
from edge.panel.entry_pages import add_entry
from edge.panel.export_pages import add_export
from edge.panel.first_pages import add_first
from edge.panel.gateway_link import Opened
from edge.panel.ground import (
    TOLD,
    ElsewhereError,
    Ground,
    NotYoursError,
    go,
    told,
)
from edge.panel.hours_pages import add_hours
from edge.panel.keeper_pages import add_keepers
from edge.panel.letin_pages import add_letin
from edge.panel.live import Live, add_live
from edge.panel.locker_pages import add_cells, add_lockers
from edge.panel.looking_pages import add_looking
from edge.panel.medicine_pages import add_medicine
from edge.panel.notice_pages import add_notices
from edge.panel.parcel_pages import add_parcels
from edge.panel.plan_pages import add_plan, today_of
from edge.panel.poster_pages import add_posters
from edge.panel.presses import Press
from edge.panel.roster_pages import add_roster
from edge.panel.street_pages import add_street
from edge.panel.trust_pages import add_trust
from edge.panel.visitor import Kind, Visitor

if TYPE_CHECKING:
    from edge.panel.pages import Fragment

__all__ = ["TOLD", "make_app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Everything replaceable, drawn for one version of the hub."""

    version: int
    fragments: dict[str, Fragment]


class First:
    """The first page and what keeps it fresh."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        #: By language.
        self._frames: dict[str, _Frame] = {}

    async def page(self, visitor: Visitor, told: str) -> str:
        """Draw the first page; ``told`` is a word of ``TOLD`` or anything else."""
        ground = self._ground
        planned = await today_of(ground, visitor) if visitor.on_duty_page else ""
        return ground.pages.live(
            ground.duty(),
            visitor,
            glance=ground.glance(),
            token=ground.token(visitor),
            told=ground.phrase(told),
            planned=planned,
        )

    async def press(
        self, visitor: Visitor, token: str, door: str, *, is_slow: bool
    ) -> str:
        """Open a door, or not; return the word of ``TOLD`` that says so."""
        standing = self._ground.hub.standing
        if standing.report is None or not standing.is_live:
            return "gone"
        if all(door != known.id for known in standing.report.doors):
            return "again"
        match self._ground.press(visitor, token, door):
            case Press.REPEATED:
                return "ignored"
            case Press.STALE:
                return "again"
            case Press.FIRST:
                return await self._open(visitor, door, is_slow=is_slow)

    async def _open(self, visitor: Visitor, door: str, *, is_slow: bool) -> str:
        link = self._ground.link
        opened = await link.open_door(door, visitor.keys, is_slow=is_slow)
        if opened is Opened.DONE:
            await self._ground.link.refresh()  # the door's row says so, too
            return "opened"
        self._ground.forget(door)
        return opened.value

    def key(self, visitor: Visitor) -> str:
        """Name what the page's parts cannot follow."""
        return self._ground.pages.key(self._ground.duty(), visitor)

    async def parts(self, visitor: Visitor) -> dict[str, Fragment]:
        """Return the parts that this visitor's page has."""
        drawn = self._current()
        if visitor.on_duty_page:
            return drawn
        shown = {name: part for name, part in drawn.items() if name in STARTS}
        # Drawn anew each time: a clock is never older than what it is sent with.
        return shown | self._ground.pages.glance(self._ground.glance())

    def _current(self) -> dict[str, Fragment]:
        """Return what all open pages show, drawn once for them all."""
        hub, language = self._ground.hub, self._ground.words.language
        frame = self._frames.get(language)
        if frame is None or frame.version != hub.version:
            fragments = self._ground.pages.fragments(self._ground.duty())
            frame = _Frame(version=hub.version, fragments=fragments)
            self._frames[language] = frame
        return frame.fragments


#: What is shown of the duty page where nobody is logged in.
STARTS = frozenset({"said", "emergency", "verdict", "links", "notice"})


def make_app(ground: Ground) -> FastAPI:
    """Return the application; it has no documentation pages and no schema."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect of its own making would write an address back as it was typed.
        redirect_slashes=False,
        dependencies=[Depends(ground.admit)],
    )
    first = First(ground)

    @app.get("/")
    async def read_first(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        if visitor.kind is Kind.STRANGER and not visitor.is_gone:
            return ground.draw("pair.html", visitor, told, code="")
        if visitor.kind is Kind.INSTALLER:
            return ground.draw("more.html", visitor, told)
        return HTMLResponse(await first.page(visitor, told))

    @app.post("/open")
    async def open_door(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        door: Annotated[str, Form(max_length=256)],
        slow: Annotated[str, Form(max_length=8)] = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        done = await first.press(visitor, token, door, is_slow=slow == "yes")
        return go(told("/", done))

    add_live(app, ground, "/live", Live(parts=first.parts, key=first.key))
    add_entry(app, ground)
    add_first(app, ground)
    add_looking(app, ground)
    add_devices(app, ground)
    add_export(app, ground)
    add_keepers(app, ground)
    add_hours(app, ground)
    add_roster(app, ground)
    add_plan(app, ground)
    add_notices(app, ground)
    add_emergency(app, ground)
    cells = add_lockers(app, ground)
    add_bags(app, ground)
    add_parcels(app, ground, cells)
    add_cells(app, ground, cells)
    add_medicine(app, ground)
    add_door_screen(app, ground)
    add_street(app, ground)
    add_drills(app, ground)
    add_letin(app, ground)
    add_calls(app, ground)
    add_doors(app, ground)
    add_counts(app, ground)
    add_display(app, ground)
    add_posters(app, ground)
    add_backup(app, ground)
    add_trust(app, ground)
    _serve_assets(app)
    _draw_errors(app, ground)
    return app


def _serve_assets(app: FastAPI) -> None:
    def serve(name: str, kind: str) -> None:
        body = asset(name)

        @app.get(f"/{name}")
        async def read_asset() -> Response:
            return Response(body, headers={"content-type": kind})

    for name, kind in ASSETS.items():
        serve(name, kind)


def _draw_errors(app: FastAPI, ground: Ground) -> None:
    """Answer every failure with a page of our own, never with what was typed."""

    def page(status: int, key: str = "") -> HTMLResponse:
        return HTMLResponse(ground.pages.error(status, key), status)

    @app.exception_handler(ElsewhereError)
    async def elsewhere(_: Request, error: ElsewhereError) -> Response:
        return go(error.url)

    @app.exception_handler(NotYoursError)
    async def not_yours(_: Request, __: NotYoursError) -> Response:
        return page(403, "error.not_yours")

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return page(error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misunderstood(_: Request, __: RequestValidationError) -> Response:
        return page(422)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        return page(500)
