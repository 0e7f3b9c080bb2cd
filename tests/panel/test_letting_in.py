# SPDX-License-Identifier: Apache-2.0
"""Letting in, the bell, a door's mode, a tablet's look: over HTTP, without a script."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from edge.panel.chime import RATE_HZ, chime
from edge.panel.letin_pages import REASONS
from edge.panel.look import SIZES, USUAL, Look, read_look
from edge.panel.words import LANGUAGES
from tests.panel.readings import NOW_MS
from tests.panel.scripted_gateway import TABLET

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

HALL, KITCHEN = "living-room-door", "kitchen-door"
ENTRY = {"seq": 77, "door": KITCHEN, "persons": 2, "reason": "HELP"}


def room(door: str, **told: Any) -> dict[str, Any]:
    known = {"inside": 3, "capacity": 0, "free": None, "next": [], "doors": [door]}
    return known | told


async def shown(gateway: ScriptedGateway, **status: Any) -> None:
    """Let the panel know another status."""
    gateway.status |= status
    gateway.show()
    await asyncio.sleep(0.1)


async def send(http: httpx.AsyncClient, page: str, path: str, **fields: str) -> str:
    """Send a form with a page's token; return where it leads."""
    found = re.search(r'name="token" value="([^"]+)"', (await http.get(page)).text)
    assert found is not None, page
    answer = await http.post(path, data={"token": found[1], **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_three_taps_open_and_lead_to_what_was_written(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["open"] = {"seq": 77}
    gateway.answers["letin"] = {"entries": [ENTRY]}
    first = (await http.get("/letin")).text
    assert re.findall(r"why=(\w+)", first) == [r for r in REASONS if r != "NO_BOOKING"]
    second = (await http.get("/letin?why=HELP")).text
    assert second.count('type="radio"') == 2 + 5
    assert 'value="1" checked' in second
    told = await send(http, "/letin?why=HELP", "/letin", why="HELP", door=KITCHEN)
    assert told == "/letin/done?seq=77"
    page = (await http.get(told)).text
    assert "门开了 · 10 秒内可以改" in page
    assert "2 人" in page
    [order] = gateway.orders
    assert (order["verb"], order["door"], order["count"]) == ("open", KITCHEN, 1)
    assert (order["reason"], order["is_extended"]) == ("HELP", False)
    assert order["tablet"] == TABLET


async def test_one_door_is_opened_by_the_second_tap(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["open"] = {"seq": 77}
    await shown(gateway, doors={KITCHEN: gateway.status["doors"][KITCHEN]})
    page = (await http.get("/letin?why=STAFF")).text
    assert 'type="radio"' not in page
    assert page.count('<button name="count"') == 5
    fields = {"why": "STAFF", "door": KITCHEN, "count": "5", "slow": "yes"}
    assert await send(http, "/letin?why=STAFF", "/letin", **fields) != "/letin"
    assert (gateway.orders[0]["count"], gateway.orders[0]["is_extended"]) == (5, True)


async def test_no_booking_is_a_reason_only_where_there_is_room(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    there: tuple[tuple[int | None, bool], ...] = ((0, False), (None, True), (1, True))
    for free, is_offered in there:
        await shown(gateway, rooms={"living-room": room(HALL, capacity=9, free=free)})
        assert ("NO_BOOKING" in (await http.get("/letin")).text) is is_offered
        fields = {"why": "NO_BOOKING", "door": HALL}
        told = await send(http, "/letin?why=HELP", "/letin", **fields)
        assert (told != "/letin?told=again") is is_offered
        elsewhere = fields | {"door": KITCHEN}
        told = await send(http, "/letin?why=HELP", "/letin", **elsewhere)
        assert told == "/letin?told=again", "nothing is known of that door's room"


async def test_a_trembling_hand_opens_once(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["open"] = {"seq": 77}
    fields = {"why": "HELP", "door": KITCHEN}
    await send(http, "/letin?why=HELP", "/letin", **fields)
    again = await send(http, "/letin?why=HELP", "/letin", **fields)
    assert again == "/letin?told=ignored"
    assert len(gateway.orders) == 1


async def test_what_was_wrong_is_one_more_order(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["letin"] = {"entries": [ENTRY]}
    for right, persons, reason in (("0", 0, "HELP"), ("STAFF", 2, "STAFF")):
        fields = {"seq": "77", "right": right}
        told = await send(http, "/letin/fix?seq=77", "/letin/fix", **fields)
        assert told == "/letin?told=letin.fixed"
        order = gateway.orders.pop()
        assert (order["verb"], order["seq"]) == ("correct-entry", 77)
        assert (order["persons"], order["reason"]) == (persons, reason)


async def test_too_late_or_never_written_nothing_is_corrected(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = (await http.get("/letin/done?seq=77")).text
    assert "记错了" not in page
    fields = {"seq": "77", "right": "1"}
    told = await send(http, "/letin?why=HELP", "/letin/fix", **fields)
    assert told == "/letin?told=letin.late"
    assert gateway.orders == []


async def test_who_could_not_pay_pays_here(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["letin"] = {"due": [{"seq": 9, "door": KITCHEN, "fen": 1250}]}
    gateway.answers["let-in-paid"] = {"seq": 80}
    assert "厨房门 · 已收 12.50 元，开门" in (await http.get("/letin")).text
    told = await send(http, "/letin", "/letin/paid", seq="9")
    assert told == "/letin/done?seq=80"
    assert gateway.orders[0]["seq"] == 9


async def test_a_bell_shows_on_every_open_page_and_goes_when_it_is_answered(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    async with asyncio.timeout(10), http.stream("GET", "/live/bell") as stream:
        lines = stream.aiter_lines()

        async def bell() -> str:
            async for line in lines:
                if line.startswith("data: {"):
                    part = json.loads(line.removeprefix("data: "))
                    assert part["name"] == "bell"
                    return str(part["html"])
            raise AssertionError("the stream ended")

        assert await bell() == ""
        await shown(gateway, calls={KITCHEN: 1})
        rung = await bell()
        assert "厨房门有人按铃" in rung
        assert 'autoplay src="/chime.wav"' in rung
        await shown(gateway, calls={KITCHEN: 2})
        assert await bell() != rung, "another ring sounds again"
        await shown(gateway, calls={})
        assert await bell() == ""


async def test_two_taps_answer_and_open(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["open"] = {"seq": 78}
    await shown(gateway, calls={KITCHEN: 1})
    fields = {"door": KITCHEN, "what": "open"}
    told = await send(http, f"/call?door={KITCHEN}", "/call", **fields)
    assert told == "/letin/done?seq=78"
    assert [order["verb"] for order in gateway.orders] == ["answer", "open"]
    told = await send(
        http, f"/call?door={KITCHEN}", "/call", door=KITCHEN, what="answer"
    )
    assert told == "/?told=bell.heard"
    gateway.does_refuse = True
    told = await send(http, f"/call?door={KITCHEN}", "/call", **fields)
    assert told == "/?told=bell.over", "somebody else was quicker: nothing opens"
    assert [order["verb"] for order in gateway.orders][3:] == ["answer"]


async def test_nobody_on_duty_hears_the_bell_and_opens_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    await shown(gateway, calls={KITCHEN: 1}, awaiting=["kitchen-front"])
    http.cookies.delete("session")
    page = (await http.get("/")).text
    assert "厨房门有人按铃" in page
    assert "/call" not in page
    assert (await http.get(f"/call?door={KITCHEN}")).status_code == 403


async def test_who_waits_at_a_checkpoint_is_confirmed(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    await shown(gateway, awaiting=["kitchen-front"])
    assert "厨房门有人等您确认" in (await http.get("/")).text
    path = "/confirm?at=kitchen-front"
    told = await send(http, path, "/confirm", at="kitchen-front")
    assert told == "/?told=bell.let_in"
    [order] = gateway.orders
    assert (order["verb"], order["access_point"]) == ("confirm", "kitchen-front")
    await shown(gateway, awaiting=[])
    gone = await http.get(path)
    assert gone.headers["location"] == "/?told=bell.gone"


async def test_a_manager_changes_a_door_on_the_second_page(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    assert "/door?" not in (await http.get("/")).text
    http.cookies.set("session", "manager")
    assert f"/door?door={HALL}" in (await http.get("/")).text
    page = (await http.get(f"/door?door={HALL}")).text
    assert "<form" not in page
    sure = f"/door?door={HALL}&mode=BLOCKED"
    told = await send(http, sure, "/door", door=HALL, mode="BLOCKED")
    assert told == "/?told=doors.BLOCKED"
    [order] = gateway.orders
    assert (order["verb"], order["door"], order["mode"]) == ("mode", HALL, "BLOCKED")
    for mode in ("LOCKED_OPEN", "LOCKED_DOWN", ""):
        assert await send(http, sure, "/door", door=HALL, mode=mode or "x")
    assert len(gateway.orders) == 1


@pytest.mark.parametrize(
    ("span", "minutes"), [("half", 30), ("hour", 60), ("hours", 120), ("closing", 448)]
)
async def test_a_door_is_free_until_a_time_that_is_chosen_with_it(
    gateway: ScriptedGateway, http: httpx.AsyncClient, span: str, minutes: int
) -> None:
    http.cookies.set("session", "manager")
    closing_ms = NOW_MS + 448 * 60_000
    await shown(gateway, closing_ms=closing_ms)
    free = f"/door?door={HALL}&mode=UNLOCKED"
    page = (await http.get(free)).text
    assert "谁都能进" in page
    assert "到关门 22:00" in page
    told = await send(http, free, "/door", door=HALL, mode="UNLOCKED", span=span)
    assert told == "/?told=door_until.free"
    [order] = gateway.orders
    late_ms = order["until_ms"] - NOW_MS - minutes * 60_000
    assert 0 <= late_ms < 10_000


async def test_no_door_stands_free_for_ever_or_by_a_clock_that_is_not_sure(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.set("session", "manager")
    free = f"/door?door={HALL}&mode=UNLOCKED"
    assert "到关门" not in (await http.get(free)).text
    for span in ("", "for-ever"):
        fields = {"door": HALL, "mode": "UNLOCKED", "span": span}
        assert await send(http, free, "/door", **fields) == "/?told=again"
    no_closing = {"door": HALL, "mode": "UNLOCKED", "span": "closing"}
    clock = "/?told=door_until.no_clock"
    assert await send(http, free, "/door", **no_closing) == clock
    await shown(gateway, clock={"earliest_ms": NOW_MS, "known": False})
    page = (await http.get(free)).text
    assert "定不了几点" in page
    assert 'name="span"' not in page
    locked = f"/door?door={HALL}&mode=LOCKED"
    half = {"door": HALL, "mode": "UNLOCKED", "span": "half"}
    assert await send(http, locked, "/door", **half) == clock
    assert gateway.orders == []


async def test_the_duty_page_counts_people_and_names_times_alone(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    spans = [[1_795_329_120_000, 1_795_332_720_000]]
    full = room(HALL, capacity=3, free=0, next=spans)
    notices = [{"title": "台风蓝色预警", "level": "URGENT"}]
    await shown(gateway, rooms={"living-room": full}, notices=notices)
    page = (await http.get("/")).text
    for words in ("3 人，最多 3 人", "满了", "14:32–15:32", "台风蓝色预警"):
        assert words in page
    assert len(page.encode()) <= 15_000


# -- a tablet's look -----------------------------------------------------------------


async def test_a_tablet_keeps_its_size_its_language_and_its_quiet(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    for wish in ("size-30", "language-en", "sound-off"):
        assert await send(http, "/display", "/display", set=wish) == (
            "/display?told=display.kept"
        )
    assert http.cookies["look"] == "30.en.off"
    await shown(gateway, calls={KITCHEN: 1})
    page = (await http.get("/letin")).text
    assert '<html lang="en" class="s30">' in page
    assert re.search(r'Let in <span class="en" lang="zh-CN">放行', page)
    assert "<audio" not in page
    async with asyncio.timeout(10), http.stream("GET", "/live") as stream:
        async for line in stream.aiter_lines():
            if '"verdict"' in line:
                assert "Ready" in line
                break


async def test_another_tablet_is_not_concerned(http: httpx.AsyncClient) -> None:
    await send(http, "/display", "/display", set="language-yue")
    assert 'lang="yue"' in (await http.get("/")).text
    http.cookies.delete("look")
    assert 'lang="zh-CN"' in (await http.get("/")).text


async def test_a_look_that_there_is_not_changes_nothing(
    http: httpx.AsyncClient,
) -> None:
    for wish in ("size-99", "language-xx", "sound-", "", "x-24"):
        told = await send(http, "/display", "/display", set=wish)
        assert told == "/display?told=again"
        assert "look" not in http.cookies


def test_a_look_is_read_as_it_was_written_and_anything_else_is_the_usual() -> None:
    for size in SIZES:
        for language in ("", *LANGUAGES):
            for has_sound in (True, False):
                look = Look(size=size, language=language, has_sound=has_sound)
                assert read_look(look.text()) == look
    for text in ("", "20", "20.en", "20.en.loud", "21.en.on", "20.<b>.on", "é.\0.on"):
        assert read_look(text) == USUAL


def test_the_chime_is_a_small_sound() -> None:
    sound = chime()
    assert sound[:4] + sound[8:16] == b"RIFFWAVEfmt "
    assert len(sound) <= 6_000
    assert int.from_bytes(sound[4:8], "little") == len(sound) - 8
    assert int.from_bytes(sound[24:28], "little") == RATE_HZ
    assert max(sound[44:]) - min(sound[44:]) > 150
