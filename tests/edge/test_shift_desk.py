# SPDX-License-Identifier: Apache-2.0
"""Shifts read at a real gateway: whose they are, and who may hear of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.cli.panel import farewells
from edge.cli.system_clock import wall_ms
from edge.core.event import NOBODY, Event, EventKind, Person
from edge.core.moment import Moment
from edge.core.stimulus import Noted
from edge.storage import finding
from edge.storage.journal_file import open_journal
from tests.edge.at_work import until
from tests.edge.panel_site import Site, TabletOf, panel_site
from tests.edge.test_panel_desk import OTHER, PIN, add, by_pin

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HOUR_MS = 3_600_000


async def forget(state: Path, holder: str, now_ms: int) -> None:
    """Write a journal in which a shift began 40 hours ago, and a later event."""

    def event(seq: int, kind: EventKind, at_ms: int, person: Person = NOBODY) -> Event:
        s = at_ms / 1000
        moment = Moment(monotonic_s=s, earliest_ms=at_ms, latest_ms=at_ms, boot="b")
        return Event(seq=seq, kind=kind, moment=moment, subject="desk", person=person)

    began_ms, whose = now_ms - 40 * HOUR_MS, Person(holder=holder)
    events = [
        event(1, EventKind.DUTY_STARTED, began_ms, whose),
        event(2, EventKind.STOPPED, now_ms - HOUR_MS),
    ]
    state.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  a test's own folder
    async with open_journal(
        state / "journal.db", new_epoch=lambda: "00c0ffee", salt=lambda: bytes(16)
    ) as opened:
        await opened.journal.append(events)


async def manager_at(site: Site) -> tuple[TabletOf, str]:
    """Log a manager in at a tablet of his own; a volunteer may be his second."""
    manager = await add(site, "李站长", "MANAGER", pin=PIN)
    second = await add(site, "林叔", "VOLUNTEER", pin=OTHER, holder="h-lin")
    tablet = await TabletOf(site).pair()
    assert (await by_pin(tablet, manager))["state"] == "in"
    return tablet, second


async def test_a_forgotten_end_is_asked_for_and_two_others_settle_it(
    tmp_path: Path,
) -> None:
    await forget(tmp_path / "state", "h-chen", wall_ms())
    async with panel_site(tmp_path) as site:
        await until(lambda: not site.on_duty())
        mine = await add(site, "陈姨", "VOLUNTEER", pin="528491", holder="h-chen")
        tablet = await TabletOf(site).pair()
        login = await by_pin(tablet, mine, "528491")
        assert login["forgot"] is True
        hours = await tablet.ask("hours")
        [asked] = hours["asks"]
        assert asked["why"] == "closing"
        assert "name" not in asked
        seq, recorded = asked["seq"], asked["minutes"]
        said = {"seq": seq, "minutes": recorded // 2, "reason": "forgot"}
        assert (await tablet.ask("duty-question", **said))["ok"]
        assert (await tablet.ask("hours"))["asks"] == []
        boss, second = await manager_at(site)
        [waiting] = (await boss.ask("roster"))["waiting"]
        assert (waiting["seq"], waiting["asked"]) == (seq, recorded // 2)
        fix = {"seq": seq, "minutes": recorded // 2, "reason": "forgot"}
        alone = await boss.ask("duty-correct", **fix)
        assert "second person" in alone["error"]
        himself = {"second_account": mine, "second_pin": "528491"}
        own = await boss.ask("duty-correct", **fix, **himself)
        assert own["error"] == "nobody corrects his own minutes"
        vouched = {"second_account": second, "second_pin": OTHER}
        assert (await boss.ask("duty-correct", **fix, **vouched))["ok"]
        assert (await boss.ask("roster"))["waiting"] == []
        told = (await boss.ask("shift", seq=seq))["shift"]
        assert told["minutes"] == recorded // 2
        assert [word["who"] for word in told["words"]] == ["陈姨", "李站长"]
        masked = (await tablet.ask("shift", seq=seq))["shift"]
        assert [word["second"] for word in masked["words"]] == ["", "林*"]


async def test_a_volunteer_sees_and_doubts_the_own_minutes_alone(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        lin = await (await TabletOf(site).pair()).tap_in("h-lin")
        await lin.ask("logout")
        [seq] = site.runtime.controller.house.duty.shifts
        chen = await (await TabletOf(site).pair()).tap_in("h-chen")
        for field in ({"holder": "h-lin"}, {"holder": "h-chen"}):
            refused = await chen.ask("hours", **field)
            assert "own hours alone" in refused["error"]
        assert (await chen.ask("shift", seq=seq))["shift"] is None
        doubt = {"seq": seq, "minutes": 5, "reason": "wrong"}
        refused = await chen.ask("duty-question", **doubt)
        assert refused["error"] == "everybody speaks of the own minutes alone"
        for verb in ("roster", "notices", "door-notice"):
            refused = await chen.ask(verb, text="x")
            assert refused["error"] == "this is for somebody else to do"
        [month, _] = (await chen.ask("hours"))["months"]
        assert [each["state"] for each in month["shifts"]] == ["RUNNING"]
        assert site.events("DUTY_QUESTIONED") == []


async def test_nobody_hears_of_shifts_without_a_turn(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await TabletOf(site).pair()
        for verb in ("hours", "roster", "shift", "notices"):
            assert not (await tablet.ask(verb))["ok"], verb
        assert (await tablet.ask("farewell"))["state"] == "none"
        tablet.tablet = ""
        assert not (await tablet.ask("farewell"))["ok"]


async def test_thanks_count_what_he_opened_and_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in("h-chen")
        [turn] = site.runtime.desk.book.sessions.running
        for actor in (turn.actor, turn.actor, "acc-other"):
            facts = (("actor", actor), ("count", 3), ("reason", "x"))
            note = Noted(kind=EventKind.MANUAL_ENTRY, subject="front", facts=facts)
            site.runtime.gateway.note(note)
        assert (await tablet.ask("logout"))["thanks"] is True
        thanks = await tablet.ask("farewell")
        assert (thanks["state"], thanks["opened"]) == ("thanks", 2)
        assert set(thanks) == {"ok", "state", "opened", "today", "month"}
        monkeypatch.setattr(farewells, "KEPT_S", 0.0)
        await tablet.tap_in("h-lin")
        await tablet.ask("logout")
        assert (await tablet.ask("farewell"))["state"] == "none"


async def test_the_journal_is_read_in_pieces_and_anew_after_an_erasing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PIECE_ROWS", 3)
    async with panel_site(tmp_path) as site:
        tablet, _ = await manager_at(site)
        for holder in ("h-chen", "h-lin", "h-chen"):
            start = await tablet.ask("duty", holder=holder, is_start=True)
            assert start["ok"]
            assert (await tablet.ask("duty", holder=holder, is_start=False))["ok"]
        known = await tablet.ask("roster")
        holders = [each["holder"] for each in known["shifts"]]
        assert holders == ["h-chen", "h-lin", "h-chen"]
        await site.runtime.journal.erase("h-chen")
        site.runtime.gateway.note(Noted(kind=EventKind.ERASED, subject="gateway"))
        known = await tablet.ask("roster")
        assert [each["holder"] for each in known["shifts"]] == ["h-lin"]
        assert (await tablet.ask("roster", week=1))["shifts"] == []
        nobody = await tablet.ask("hours", holder="990101199003070017")
        assert (nobody["has_card"], nobody["mark"], nobody["name"]) == (False, "", "")


async def test_the_line_at_the_door_is_kept_and_its_words_stay_out_of_the_journal(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        tablet, _ = await manager_at(site)
        done = await tablet.ask("door-notice", text="今天消毒")
        assert done["state"] == "done"
        assert (await tablet.ask("door-notice", text="长" * 61))["state"] == "form"
        changed = await site.until_told("SETTINGS_CHANGED", 4)
        assert changed["what"] == "door_notice_set"
        assert "今天消毒" not in str(site.events("SETTINGS_CHANGED"))
    async with panel_site(tmp_path) as site:
        status: dict[str, Any] = await site.shell("status")
        assert status["panel"]["notice"] == "今天消毒"
