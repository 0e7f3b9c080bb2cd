# SPDX-License-Identifier: Apache-2.0
"""Every page that the panel has, found by itself, at a house where all is in use.

The law of the module: the table of routes says what there is, the pages' own links say
at which address; a page that neither a link nor ``SAMPLES`` reaches is nobody's to
check, so its test fails and names it.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from edge.panel.assets import ASSETS
from edge.panel.routes import ROUTES
from edge.panel.visitor import Kind
from tests.panel.readings import MINUTE_MS, NOW_MS
from tests.panel.scripted_gateway import TABLET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

#: Who walks, and what their browser holds; who may most comes first.
WALKERS: dict[str, tuple[Kind, dict[str, str]]] = {
    "manager": (Kind.MANAGER, {"tablet": TABLET, "session": "manager"}),
    "volunteer": (Kind.VOLUNTEER, {"tablet": TABLET, "session": "volunteer"}),
    "installer": (Kind.INSTALLER, {"tablet": TABLET, "session": "installer"}),
    # The tablet of a box that nobody looks after yet.
    "first": (Kind.TABLET, {"tablet": TABLET, "session": "first"}),
    "tablet": (Kind.TABLET, {"tablet": TABLET}),
    "stranger": (Kind.STRANGER, {}),
}
#: Addresses of pages that no link of another page names, by their route.
SAMPLES: dict[str, str] = {
    "/lockers/{cell}/end": "/lockers/lockers-8/end",
    "/door/{door}": "/door/kitchen-door",
    "/emergency/end/{state}": "/emergency/end/FIRE",
    "/emergency/end/{state}/safe": "/emergency/end/FIRE/safe",
    "/drills/{number}": "/drills/77",
}
#: What is no page: files, what an authority needs, what machines ask.
FILES = frozenset(
    {
        *(f"/{name}" for name in ASSETS),
        *("/healthz", "/ca.crt", "/export/file", "/backup/file/{ticket}"),
    }
)
#: More than all pages together, so that links that breed others come to an end.
MAX_PAGES = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page: its route, an address of it, for whom it was drawn, and how it is built.

    ``html`` is what was answered; ``frame`` its tags in their order, without the menu.
    """

    route: str
    address: str
    walker: str
    html: str

    @property
    def name(self) -> str:
        asked = "&".join(sorted(key for key, _ in _query(self.address)))
        return f"{self.walker} {self.route}{'?' if asked else ''}{asked}"

    @property
    def frame(self) -> str:
        body = re.sub(r"<nav.*?</nav>", "", self.html, flags=re.DOTALL)
        return " ".join(re.findall(r"<([a-z]\w*)", body))


def page_routes() -> dict[str, frozenset[Kind]]:
    """Return every route that draws a page, and for whom."""
    return {
        path: kinds
        for (method, path), kinds in ROUTES.items()
        if method == "GET" and path not in FILES and "live" not in path.split("/")
    }


def populate(gateway: ScriptedGateway) -> None:
    """Make the site look like a weekday afternoon with a loose cable."""
    gateway.status["devices"]["kitchen-reader"] |= {
        "online": False,
        "since_ms": NOW_MS - 5 * MINUTE_MS,
    }
    gateway.status["doors"]["living-room-door"]["phase"] = "OPEN"
    gateway.status["events"]["waiting"] = 38
    gateway.status["platform"]["connected"] = False
    gateway.status["devices"]["kitchen-reader"]["shows"] = True
    gateway.status["doors"]["kitchen-door"]["slow_s"] = 30.0
    gateway.status |= {"calls": {"kitchen-door": 1}, "awaiting": ["kitchen-front"]}
    gateway.status["closing_ms"] = NOW_MS + 448 * MINUTE_MS
    gateway.status |= {
        "care": 2,
        "settings_faults": ["site.toml:9 door.1: no such key"],
    }
    gateway.status |= {"rooms": {"kitchen": ROOM}}
    gateway.turns["first"] = {"is_first": True, "has_manager": False}
    standing = {"state": "FIRE", "since_ms": NOW_MS, "by": "input", "who": ""}
    gateway.readings["emergency-now"]["standing"] = [standing]
    gateway.readings |= copy.deepcopy(MORE_READINGS)
    gateway.answers |= copy.deepcopy(MORE_ANSWERS)
    gateway.show()


#: A room with places left.
ROOM: dict[str, Any] = {
    "inside": 3,
    "capacity": 12,
    "free": 9,
    "next": [[NOW_MS, NOW_MS + 60 * MINUTE_MS]],
    "doors": ["kitchen-door"],
}
#: A row of the log.
RECORD: dict[str, Any] = {
    "place": 900,
    "k": "ACCESS_DENIED",
    "at": "kitchen-front",
    "lo": NOW_MS,
    "kind": "QR",
    "reason": "WRONG_SPACE",
    "space": "living-room",
    "tail": "0042",
}
_HOURS = [0] * 8 + [3, 6, 9, 4, 2, 5, 8] + [0] * 9
_STAGES = [
    {"name": "responded", "within_s": 60, "after_s": 75},
    {"name": "evacuated", "within_s": 0, "after_s": None},
]
_DRILL = {"seq": 77, "drill": "fire", "stages": _STAGES, "duration_s": 90}
MORE_READINGS: dict[str, dict[str, Any]] = {"drills": {"drills": [_DRILL]}}
MORE_ANSWERS: dict[str, dict[str, Any]] = {
    "today": {
        "now": 9,
        "today": {
            "came": 37,
            "by_hour": _HOURS,
            "inside": [0] * 32 + [2, 5, 7, 9],
            "by_hand": 9,
            "refused": 0,
            "reasons": {"no_booking": 5},
        },
        "week": [
            {"day": "2026-11-21", "came": 20},
            {"day": "2026-11-22", "came": 37},
        ],
    },
    "records": {"rows": [RECORD] * 30, "before": 850},
    "box": {"disk_mb": 31_000, "wires": 1},
}


async def every_page(panel: PanelProcess) -> list[Found]:
    """Return every page once for who may most, and again for whom it is built anew."""
    found: dict[str, list[Found]] = {}
    for walker in WALKERS:
        for page in await _pages_of(panel, walker):
            known = found.setdefault(page.name.partition(" ")[2], [])
            if all(page.frame != other.frame for other in known):
                known.append(page)
    return [page for pages in found.values() for page in pages]


async def _pages_of(panel: PanelProcess, walker: str) -> list[Found]:
    """Walk every link that this visitor is shown."""
    kind, held = WALKERS[walker]
    mine = {path: kinds for path, kinds in page_routes().items() if kind in kinds}
    plain = [path for path in mine if "{" not in path]
    todo = [*plain, *(SAMPLES[path] for path in mine if path in SAMPLES)]
    found: dict[str, Found] = {}
    async with httpx.AsyncClient(base_url=panel.url, cookies=held) as client:
        while todo:
            address = todo.pop(0)
            route = _route_of(address, mine)
            if route is None:
                continue
            page = Found(route=route, address=address, walker=walker, html="")
            if page.name in found:
                continue
            answer = await client.get(address)
            told = f"{page.name}: {answer.status_code}"
            assert answer.status_code < 500, told
            if answer.status_code == 200 and _is_page(answer):
                page = Found(
                    route=route, address=address, walker=walker, html=answer.text
                )
                found[page.name] = page
                todo += _links(answer.text)
            assert len(found) <= MAX_PAGES, "links that breed others"
    return list(found.values())


def _is_page(answer: httpx.Response) -> bool:
    return answer.headers["content-type"].startswith("text/html")


def _links(html: str) -> Iterator[str]:
    for href in re.findall(r'href="(/[^"#]*)', html):
        yield unescape(href)


def _query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query, keep_blank_values=True)


def _route_of(address: str, routes: dict[str, frozenset[Kind]]) -> str | None:
    """Return the route that an address belongs to, the plainest first."""
    path = urlsplit(address).path
    for route in sorted(routes, key=lambda route: route.count("{")):
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(route))
        if re.fullmatch(pattern, path):
            return route
    return None
