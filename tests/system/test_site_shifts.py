# SPDX-License-Identifier: Apache-2.0
"""A volunteer's shift beside a living house, from the card to the printed sheet."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.cli.demo.cast import cast
from edge.cli.files import config_folder
from edge.cli.system_clock import wall_ms
from edge.control.client import ask
from edge.core.event import NOBODY, Event, EventKind, Person
from edge.core.moment import Moment
from edge.settings.site_file import load
from edge.storage.journal_file import open_journal
from tests.panel.conftest import start_panel, stop_panel
from tests.system.house import SEED, House, living_house

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.demo.cast import Resident

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

TOKEN = re.compile(r'name="token" value="([^"]+)"')
PINS = {"陈姨": "528491", "李站长": "274916", "林叔": "613950"}
#: 14:00 until closing at midnight.
FORGOTTEN_MIN = 600
SITE = timedelta(hours=8)


def volunteer() -> tuple[str, Resident]:
    """Return the desk, and whose card is held to it."""
    plan = load(config_folder() / "demo.toml").plan()
    for point, people in cast(SEED, plan).items():
        if plan.access_points[point].is_desk:
            return point, next(p for p in people if p.part.role == "VOLUNTEER")
    raise AssertionError("the demonstration has no desk")


def yesterday_at_two() -> datetime:
    """Return 14:00 of yesterday at the site, in UTC."""
    here = datetime.fromtimestamp(wall_ms() / 1000, UTC) + SITE
    day = here.replace(hour=14, minute=0, second=0, microsecond=0)
    return day - timedelta(days=1) - SITE


async def forget(folder: Path, holder: str) -> None:
    """Let a shift have begun yesterday, in a boot that ended with a power cut."""

    def event(seq: int, kind: EventKind, at_ms: int, person: Person = NOBODY) -> Event:
        s = at_ms / 1000
        moment = Moment(monotonic_s=s, earliest_ms=at_ms, latest_ms=at_ms, boot="cut")
        return Event(seq=seq, kind=kind, moment=moment, subject="desk", person=person)

    at_ms, whose = int(yesterday_at_two().timestamp() * 1000), Person(holder=holder)
    began = event(1, EventKind.DUTY_STARTED, at_ms, whose)
    # By it the clock knows that midnight is over.
    later = event(2, EventKind.STARTED, wall_ms())
    async with open_journal(
        folder / "journal.db", new_epoch=lambda: "00c0ffee", salt=lambda: bytes(16)
    ) as opened:
        await opened.journal.append([began, later])


class Tablet:
    """A tablet's browser, without scripts."""

    def __init__(self, url: str) -> None:
        headers = {"Origin": url.rstrip("/")}
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=20)

    async def seen(self, path: str) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert len(answer.content) <= 15_000, path
        return answer.text

    async def post(self, page: str, path: str, **form: str) -> str:
        """Send a form of a page; return where it leads."""
        found = TOKEN.search(await self.seen(page))
        assert found is not None, page
        answer = await self.http.post(path, data={"token": found.group(1), **form})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


async def shell(house: House, verb: str, **fields: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, house.stage.control_socket, verb, **fields)


async def paired(house: House, url: str) -> Tablet:
    tablet = Tablet(url)
    code = (await shell(house, "pair-begin"))["code"]
    led = await tablet.post("/pair", "/pair", code=code, name="tablet")
    assert led == "/?told=paired"
    return tablet


async def by_pin(tablet: Tablet, account: str, name: str) -> str:
    page = f"/login/pin/{account}"
    return await tablet.post(page, "/login/pin", account=account, pin=PINS[name])


async def test_a_shift_from_the_card_to_the_printed_sheet(tmp_path: Path) -> None:
    point, chen = volunteer()
    await forget(tmp_path, chen.holder)
    async with living_house(tmp_path) as house:
        known = {}
        for name, role in (
            ("陈姨", "VOLUNTEER"),
            ("李站长", "MANAGER"),
            ("林叔", "VOLUNTEER"),
        ):
            fields = {"name": name, "role": role, "pin": PINS[name]}
            fields["holder"] = chen.holder if name == "陈姨" else ""
            known[name] = (await shell(house, "account-add", **fields))["account"]
        panel = await start_panel(house.stage.control_socket)
        try:
            tablet = await paired(house, panel.url)
            await _a_card_begins_and_asks(house, tablet, point, chen)
            await _the_end_is_thanked_for(house, tablet)
            await _two_settle_what_was_forgotten(house, tablet, known)
            await _a_sheet_adds_up(tablet, chen)
            await _somebody_without_a_card(house, tablet, chen)
            await tablet.http.aclose()
        finally:
            errors = await stop_panel(panel)
        assert errors == ""
        await house.until_sent()


async def _a_card_begins_and_asks(
    house: House, tablet: Tablet, point: str, chen: Resident
) -> None:
    [ended] = house.events("DUTY_ENDED")
    assert (ended["why"], ended["minutes"]) == ("closing", FORGOTTEN_MIN)
    assert await tablet.post("/", "/login/card") == "/login/card"
    await house.visit(point, chen)
    led = "/login/card"
    async with asyncio.timeout(20):
        while led == "/login/card":
            led = await tablet.post("/login/card", "/login/card/take")
    assert led == "/hours/end", "yesterday's end is asked for first"
    page = await tablet.seen(led)
    assert re.findall(r'value="(\d+)">([0-9:]+)', page) == [
        *(("600", "00:00"), ("540", "23:00"), ("480", "22:00"), ("420", "21:00"))
    ]
    form = {"n": str(ended["cause"]), "minutes": "480", "why": "forgot"}
    assert await tablet.post(led, "/hours/ask", **form) == "/?told=hours.asked"
    page = await tablet.seen("/hours")  # it waits for the disk, as the journal does
    assert house.events("DUTY_STARTED")[-1]["plan"] == "w1", "the shift of this hour"
    assert "我接下来的班" in page
    assert "今天值班：陈*" in await tablet.seen("/")
    week = await tablet.seen("/roster/plan")
    assert "前台" in week
    assert week.partition("</header>")[2].count("陈姨") == 0
    [doubt] = house.events("DUTY_QUESTIONED")
    assert (doubt["minutes"], doubt["was"]) == (480, FORGOTTEN_MIN)
    assert "本人说是 8 小时（记的是 10 小时）" in page
    assert "正在值班" in page


async def _the_end_is_thanked_for(house: House, tablet: Tablet) -> None:
    for door in ("kitchen-door", "living-room-door"):
        assert await tablet.post("/", "/open", door=door) == "/?told=opened"
    assert len(house.events("DUTY_STARTED")) == 2
    assert await tablet.post("/more", "/logout", ends="shift") == "/thanks"
    page = await tablet.seen("/thanks")
    assert "今天开了 2 次门，谢谢您" in page
    assert "陈姨" not in page, "a page for whoever stands there"
    assert len(house.events("DUTY_ENDED")) == 2


async def _two_settle_what_was_forgotten(
    house: House, tablet: Tablet, known: dict[str, str]
) -> None:
    assert await by_pin(tablet, known["李站长"], "李站长") == "/"
    page = await tablet.seen("/roster")
    found = re.search(r'/roster/shift\?n=(-?\d+)">看一看', page)
    assert found is not None
    form = {"n": found.group(1), "minutes": "480", "why": "forgot"}
    where = f"/roster/shift?n={form['n']}"
    own = {"second": known["陈姨"], "second_pin": PINS["陈姨"]}
    led = await tablet.post(where, "/roster/correct", **form, **own)
    assert led.endswith("told=roster.not"), "nobody corrects his own minutes"
    other = {"second": known["林叔"], "second_pin": PINS["林叔"]}
    led = await tablet.post(where, "/roster/correct", **form, **other)
    assert led == "/roster?told=roster.corrected"
    assert "要两个人看一看" not in await tablet.seen("/roster")
    [corrected] = house.events("DUTY_CORRECTED")
    told = {key: corrected[key] for key in ("actor", "second", "minutes", "was")}
    assert told == {
        "actor": known["李站长"],
        "second": known["林叔"],
        "minutes": 480,
        "was": FORGOTTEN_MIN,
    }


async def _a_sheet_adds_up(tablet: Tablet, chen: Resident) -> None:
    month = f"{yesterday_at_two() + SITE:%Y-%m}"
    page = await tablet.seen(f"/roster/sheet?who={chen.holder}&month={month}")
    if yesterday_at_two().month == (yesterday_at_two() + timedelta(days=1)).month:
        assert "前台" in page, "of today's shift, which was planned"
    for words in ("8 小时", "14:00", "22:00", "李站长、林叔改", "社区值班"):
        assert words in page
    assert "8 小时 = 8 分" in page, "the minutes of today's shift make no tenth yet"


async def _somebody_without_a_card(
    house: House, tablet: Tablet, chen: Resident
) -> None:
    for does, word in (("begin", "begun"), ("end", "ended")):
        led = await tablet.post("/roster", "/roster/duty", who=chen.holder, does=does)
        assert led == f"/roster?told=roster.{word}"
    await tablet.seen("/roster")
    assert len(house.events("DUTY_ENDED")) == 3
    led = await tablet.post("/notices", "/notices/door", text="今天消毒", does="set")
    assert led == "/notices?told=notices.set"
    assert (await house.status())["panel"]["notice"] == "今天消毒"
