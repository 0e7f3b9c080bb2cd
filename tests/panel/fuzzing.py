# SPDX-License-Identifier: Apache-2.0
"""Requests that nobody would write, made from a seed, and what no answer may do.

The law of the module: a case is a value and made from the seed alone; the panel's
whole application answers it in this process, behind its gate, and the gateway behind
it says what a test wrote. In every input there is a number and a PIN that must come
back nowhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi.routing import APIRoute

from edge.panel.app import make_app
from edge.panel.gate import Gate
from edge.panel.gateway_link import GatewayLink
from edge.panel.ground import Address, Ground
from edge.panel.hub import Hub
from edge.panel.pages import Pages
from edge.panel.report import parse, read_status
from edge.panel.routes import ROUTES
from edge.panel.standing import Standing, reported
from edge.panel.visitor import Keys, Visitor
from edge.panel.words import Words
from tests.panel.every_page import WALKERS, populate

if TYPE_CHECKING:
    from random import Random

    from fastapi import FastAPI
    from starlette.types import Message

    from tests.panel.scripted_gateway import ScriptedGateway

#: An identity number of no region with a right check digit, and a PIN.
NUMBER, PIN = "990101199003070015", "274916"
SURROGATE = "\ud800"
#: What is typed where a word is wanted.
WORDS = (
    *(NUMBER, PIN, f"{NUMBER}{PIN}", SURROGATE, f"{SURROGATE}{NUMBER}", ""),
    *("0", "-1", "9" * 40, "1e400", "NaN", "null", "true", "\x00", "\r\nX: 1"),
    *("'", '"><script>', "{{7*7}}", "%s%n", "../../etc/passwd", "\u202e", "𠮷", "{}"),
    *("kitchen-door", "acc-1", "tablet-1", "lockers-3", "lockers", "sure", "yes"),
    *("opened", "lockers.opened", "VOLUNTEER", "2026-11-22", "HELP", "S", "77"),
)
#: Names of fields that forms and addresses of the panel have, and some that none has.
FIELDS = (
    *("token", "door", "account", "id", "name", "pin", "again", "code", "hold", "role"),
    *("leaves", "ends", "told", "n", "t", "why", "count", "seq", "slow", "reason"),
    *("bank", "cell", "item", "typed", "mark", "size", "days", "day", "from", "to"),
    *("state", "kind", "whom", "second", "second_pin", "value", "word", "page"),
    *(
        "space",
        "persons",
        "holder",
        "number",
        "year",
        "month",
        "used",
        "text",
        NUMBER,
        SURROGATE,
        "",
    ),
)
HEADERS = (
    *(b"host", b"origin", b"sec-fetch-site", b"content-type", b"content-length"),
    *(b"cookie", b"accept", b"accept-language", b"range", b"x-forwarded-for"),
    *(b"transfer-encoding", b"last-event-id", b"if-none-match", NUMBER.encode()),
)
METHODS = ("GET", "POST", "HEAD", "PUT", "TRACE", "OPTIONS", f"X{NUMBER}")
FORM = b"application/x-www-form-urlencoded"
HUGE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request; ``who`` says whose secrets its cookies hold."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    who: str


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came back: the status, and every byte of it, head and body."""

    status: int = 0
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)


class NearLink(GatewayLink):
    """Asks a scripted gateway without a socket: its lines are the same."""

    def __init__(self, hub: Hub, gateway: ScriptedGateway) -> None:
        super().__init__(gateway.path, hub)
        self._gateway = gateway

    async def _ask(
        self, request: dict[str, Any], within_s: float | None = None
    ) -> dict[str, Any]:
        heard = json.loads(json.dumps(request))
        return parse(json.dumps(self._gateway.answer(heard)).encode())


class Panel:
    """The application behind its gate, with every kind of visitor's secrets."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        populate(gateway)
        self._clock_s = 0.0
        hub, pages = Hub(self._now), Pages(Words())
        report = read_status(gateway.status)
        assert report is not None
        hub.post(reported(Standing(), report, 0.0))
        self.gateway = gateway
        self.ground = Ground(
            hub=hub,
            pages=pages,
            link=NearLink(hub, gateway),
            address=Address(url="http://h/", is_secure=False),
        )
        self.app = make_app(self.ground)
        #: What each form of ours is asked for, by its path.
        self.forms = dict(map(_form, _posts(self.app)))
        self.gate = Gate(self.app, frozenset({"h"}), pages.error)

    def _now(self) -> float:
        """Return a clock on which every press of a door is a new one."""
        self._clock_s += 10.0
        return self._clock_s

    def token(self, who: str) -> str:
        """Return a token that a page would have given to somebody."""
        held = WALKERS[who][1]
        keys = Keys(held.get("tablet", ""), held.get("session", ""))
        return self.ground.token(Visitor(keys=keys, kind=WALKERS[who][0]))

    async def answer(self, case: Case) -> Answer:
        """Send a case through gate and application."""
        told = Answer()
        is_read = False

        async def receive() -> Message:
            nonlocal is_read
            if is_read:
                return {"type": "http.disconnect"}
            is_read = True
            return {"type": "http.request", "body": case.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
                told.head = b"\n".join(b"%s: %s" % pair for pair in message["headers"])
            else:
                told.body += message.get("body", b"")

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": case.method,
            "scheme": "http",
            "path": case.path,
            "raw_path": case.path.encode("utf-8", "surrogatepass"),
            "query_string": case.query,
            "root_path": "",
            "headers": list(case.headers),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await self.gate(scope, receive, send)
        return told


def _posts(app: FastAPI) -> list[APIRoute]:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    return [route for route in routes if "POST" in (route.methods or ())]


def _form(route: APIRoute) -> tuple[str, list[str]]:
    """Return a form's path, and what it is asked for."""
    asked = route.dependant.body_params  # codespell:ignore dependant
    return route.path, [param.alias for param in asked]


def make_case(random: Random, panel: Panel) -> Case:
    """Return the next case: a route of ours, bent somewhere, or something else."""
    who = random.choice(list(WALKERS))
    method, path = _place(random)
    fields = _fields(random)
    if method == "POST":
        fields += [(name, _word(random)) for name in panel.forms.get(path, ())]
        if random.random() < 0.7:
            fields.append(("token", panel.token(who)))
    body = _encoded(fields) if method == "POST" or random.random() < 0.1 else b""
    query = _encoded(_fields(random)) if random.random() < 0.6 else b""
    headers = [(b"host", b"h"), (b"cookie", _cookies(random, who))]
    if method == "POST":
        headers += [(b"origin", b"http://h"), (b"content-type", FORM)]
        headers.append((b"content-length", str(len(body)).encode()))
    if random.random() < 0.3:
        _bend(random, headers)
    return Case(
        method=method,
        path=path,
        query=query,
        headers=tuple(headers),
        body=body,
        who=who,
    )


#: The order of a set is not the same in every run; a seed's cases are.
_ROUTES = sorted(ROUTES)


def _place(random: Random) -> tuple[str, str]:
    method, route = random.choice(_ROUTES)
    path = re.sub(r"\{\w+\}", lambda _: _word(random), route)
    if random.random() < 0.1:
        path = random.choice((f"{path}/{_word(random)}", f"/{_word(random)}", "", "*"))
    if random.random() < 0.05:
        method = random.choice(METHODS)
    return method, path


def _word(random: Random) -> str:
    chosen = random.random()
    if chosen < 0.03:
        return random.choice((NUMBER, "a", SURROGATE, "中")) * random.randrange(1, 400)
    if chosen < 0.1:
        return "".join(chr(random.randrange(1, 0x3000)) for _ in range(4)) + NUMBER
    return random.choice(WORDS)


def _fields(random: Random) -> list[tuple[str, str]]:
    count = random.choice((0, 1, 2, 3, 5, 8))
    fields = [(random.choice(FIELDS), _word(random)) for _ in range(count)]
    if fields and random.random() < 0.2:
        fields.append((fields[0][0], _word(random)))
    return fields


def _encoded(fields: list[tuple[str, str]]) -> bytes:
    def text(word: str) -> str:
        return quote(word.encode("utf-8", "surrogatepass"))

    return "&".join(f"{text(name)}={text(word)}" for name, word in fields).encode()


def _cookies(random: Random, who: str) -> bytes:
    held = dict(WALKERS[who][1])
    held["look"] = random.choice(("20..on", "30.en.off", NUMBER, "24.yue.on", ""))
    if random.random() < 0.1:
        held[random.choice(("tablet", "session", NUMBER))] = NUMBER + PIN
    return "; ".join(f"{name}={value}" for name, value in held.items()).encode()


def _bend(random: Random, headers: list[tuple[bytes, bytes]]) -> None:
    """Repeat, take away, exchange or blow up a header."""
    kind = random.randrange(4)
    if kind == 0:
        headers.append(random.choice(headers))
    elif kind == 1:
        headers.pop(random.randrange(len(headers)))
    else:
        value = _word(random).encode("utf-8", "surrogatepass")
        if kind == 3:
            value += NUMBER.encode() * (HUGE // len(NUMBER))
        headers.append((random.choice(HEADERS), value))
