# SPDX-License-Identifier: Apache-2.0
"""What all pages stand on: who looks, the words, one-time tokens, the gateway.

The law of the module: nothing of a request reaches a page but what was looked up; the
outcome of a form is one of our words, and a small number at most.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.bell import SILENT, bell
from edge.panel.duty import duty
from edge.panel.glance import glance
from edge.panel.look import LOOK, look_of
from edge.panel.presses import Press, Presses
from edge.panel.routes import EVERYBODY, ROUTES
from edge.panel.visitor import Cookies, Visitor, Visitors

if TYPE_CHECKING:
    from edge.panel.gateway_link import GatewayLink
    from edge.panel.hub import Hub
    from edge.panel.pages import Fragment, Pages
    from edge.panel.view import Duty, Glance
    from edge.panel.words import Words

#: Pages that may be open at once: a tablet, a few phones, and forgotten tabs.
MAX_STREAMS = 32
#: What may have become of a press, each with words of its own; a page's own outcomes
#: are ``<page>.<word>`` and stand in its table of words, ``told_<page>``.
TOLD = frozenset(
    {
        *("opened", "ignored", "refused", "gone", "again", "login"),
        *("wrong", "waits", "rest", "form", "easy", "differ", "unkept", "unknown"),
        *("paired", "code", "name", "holder", "taken", "second", "last", "self"),
        *("added", "retired", "pin_set", "tablet_retired", "no_reader", "busy"),
        *("over", "closed", "out", "stays", "fire", "full"),
    }
)


class ElsewhereError(Exception):
    """The answer stands at another address of ours."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class NotYoursError(HTTPException):
    """The page is for somebody else."""

    def __init__(self) -> None:
        super().__init__(403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How this panel is reached, and what proves that it is ours.

    ``authority`` is the certificate (PEM) that tablets are to trust, "" without TLS.
    """

    url: str
    is_secure: bool
    authority: str = ""
    fingerprint: str = ""

    @property
    def is_exposed(self) -> bool:
        """Say whether others on the network can read along."""
        host = self.url.partition("//")[2].rpartition(":")[0]
        is_local = host.startswith("127.") or host in ("localhost", "[::1]")
        return not self.is_secure and not is_local


class Ground:
    """The pages' common ground."""

    def __init__(
        self,
        *,
        hub: Hub,
        pages: Pages,
        link: GatewayLink,
        address: Address,
    ) -> None:
        self.hub = hub
        self._pages = pages
        self.link = link
        self.address = address
        self.cookies = Cookies(is_secure=address.is_secure)
        self.visitors = Visitors(link.ask)
        self._presses = Presses()
        #: Strangers spend tokens of their own, so that they push out nobody else's.
        self._strangers = Presses()

    @property
    def pages(self) -> Pages:
        """The pages in the language of who looks."""
        return self._pages.speaking(LOOK.get().language)

    @property
    def words(self) -> Words:
        """The words of who looks."""
        return self.pages.words

    async def admit(self, request: Request) -> None:
        """Let a request in if its route is for who sends it."""
        LOOK.set(look_of(request))
        method, path = request.method, request.scope["route"].path
        for_whom = ROUTES.get((method, path), frozenset())
        keys = self.cookies.read(request)
        visitor = Visitor(keys=keys)
        if path not in UNASKED:
            is_quiet = path.endswith("/live") or path.startswith("/live/")
            is_live = self.hub.standing.is_live
            visitor = await self.visitors.of(keys, is_quiet=is_quiet, is_live=is_live)
        request.state.visitor = visitor
        if visitor.kind in for_whom:
            return
        if method == "POST" or visitor.is_gone:
            told = "gone" if visitor.is_gone else "login"
            raise ElsewhereError(f"/?told={told}")
        raise NotYoursError

    def token(self, visitor: Visitor) -> str:
        """Return a one-time token for a page of this visitor."""
        return self._of(visitor).give(visitor.keys.mark)

    def spend(self, visitor: Visitor, token: str, back: str) -> None:
        """Spend a form's token; one that is no more leads ``back``."""
        judged = self._of(visitor).spend(token, visitor.keys.mark)
        if judged is not Press.FIRST:
            raise ElsewhereError(told(back, "again"))

    def press(self, visitor: Visitor, token: str, door: str) -> Press:
        """Judge a press of a door's button and spend its token."""
        owner = visitor.keys.mark
        return self._of(visitor).press(token, door, self.hub.now(), owner)

    def forget(self, door: str) -> None:
        """Let a door be tried again at once."""
        self._presses.forget(door)

    def draw(
        self,
        name: str,
        visitor: Visitor,
        told: str = "",
        number: int = 0,
        **shown: Any,
    ) -> HTMLResponse:
        """Draw a page with a fresh token and what became of the last press."""
        html = self.pages.draw(
            name,
            visitor,
            token=self.token(visitor),
            told=self.phrase(told, number),
            bell=self.bell(visitor),
            site=self._site(visitor),
            **shown,
        )
        return HTMLResponse(html)

    def bell(self, visitor: Visitor) -> Fragment:
        """Draw who rings and who waits, for the top of a page."""
        shown = visitor if visitor.is_paired else Visitor()
        found = bell(self.hub.standing, self.words)
        return self.pages.bell(found if visitor.is_paired else SILENT, shown)

    def _site(self, visitor: Visitor) -> str:
        """Return what this place is called; a stranger is not told."""
        is_told = visitor.is_paired
        return self.duty().site if is_told else self.words.say("page.site").zh

    def phrase(self, told: str, number: int = 0) -> str:
        """Draw what became of the last press; any other word is none."""
        table, _, word = told.rpartition(".")
        key = f"told_{table}.{word}" if table else f"told.{word}"
        known = key in self.words and 0 <= number < 1_000
        found = self.words.say(key, number=number) if known else None
        return self.pages.told(found)

    def duty(self) -> Duty:
        """Return what is known of the site now."""
        return duty(
            self.hub.standing,
            self.words,
            self.hub.now(),
            is_exposed=self.address.is_exposed,
        )

    def glance(self) -> Glance:
        """Return what whoever passes by is told."""
        return glance(self.hub.standing, self.words, self.hub.now())

    async def ask(self, verb: str, visitor: Visitor, **fields: Any) -> dict[str, Any]:
        """Ask the gateway for somebody; one that is gone leads to the first page."""
        answer = await self.link.ask(verb, visitor.keys, **fields)
        if not answer:
            raise ElsewhereError("/?told=gone")
        return answer

    def begun(self, answer: dict[str, Any], url: str) -> RedirectResponse:
        """Lead on with the turn that has begun."""
        led = go("/hours/end" if answer.get("forgot") is True else url)
        self.cookies.begin(led, str(answer["session"]))
        return led

    @property
    def has_room(self) -> bool:
        """Say whether one more page may listen."""
        return self.hub.streams < MAX_STREAMS

    async def nap(self, seconds: float) -> bool:
        """Sleep for a stream; say whether the panel still serves."""
        await asyncio.sleep(seconds)
        return not self.hub.is_closed

    async def order(self, verb: str, visitor: Visitor, **fields: Any) -> dict[str, Any]:
        """Have the doors set by somebody's order: the next page shows them as set.

        A page that knows no script is not kept fresh, and must not tell of locked
        doors beneath the word that all stand open.
        """
        answer = await self.ask(verb, visitor, **fields)
        if answer.get("ok") is True:
            await self.link.refresh()
        return answer

    def _of(self, visitor: Visitor) -> Presses:
        return self._presses if visitor.is_paired else self._strangers


def told(url: str, word: str, number: int = 0) -> str:
    """Return an address that tells what became of a press."""
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}told={word}" + (f"&n={number}" if number else "")


def go(url: str) -> RedirectResponse:
    """Lead on, so that "reload" never presses again."""
    return RedirectResponse(url, 303)


#: Pages that are the same for everybody, whoever it is.
UNASKED = frozenset(
    path
    for (method, path), whom in ROUTES.items()
    if whom == EVERYBODY and method == "GET" and path not in ("/", "/pair", "/trust")
)
