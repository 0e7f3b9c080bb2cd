# SPDX-License-Identifier: Apache-2.0
"""Confirming duty and answering alarms, as staff type it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.application import open_database
from cloud_sync.platform.settings import read_settings
from edge.cli.system_clock import wall_ms
from edge.core.duty.shift import month_of
from edge.core.event import EventKind
from tests.cloud_sync.platform.desk import Desk
from tests.cloud_sync.platform.test_reports import DAY_MS, HOUR_MS, sent, told
from tests.cloud_sync.platform.test_verbs import refused, typed
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

MONTH = ("--month", "2026-03")
START, END = EventKind.DUTY_STARTED, EventKind.DUTY_ENDED
PEOPLE = '{"kind":"elder","id":"e-1","body":{"holder":"h","order":1,"route":"r"}}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder, whose platform has heard of a day."""
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    rang_h = (wall_ms() - 30_000 - DAY_MS) / HOUR_MS
    day = told(
        (START, "desk", 1.0, (), "v-1"),
        (START, "desk", 2.0, (), "v-2"),
        (END, "desk", 3.0, (("cause", 1), ("minutes", 110)), "v-1"),
        (END, "desk", 5.0, (("cause", 2), ("minutes", 720), ("to_confirm", 1)), "v-2"),
        (START, "desk", 6.0, (), "v-1"),
        (EventKind.CALL_RAISED, "front", rang_h, (("staff", 0),), ""),
    )

    async def hear() -> None:
        settings = read_settings(tmp_path / "platform.toml")
        async with open_database(settings, tmp_path) as database:
            desk = Desk(database)
            desk.now_ms = wall_ms()
            await sent(desk, day)

    asyncio.run(hear())
    return tmp_path


def listed(*words: str) -> list[dict[str, int | str]]:
    found: list[dict[str, int | str]] = json.loads(typed(*words, "--json").output)
    return found


def test_a_month_is_confirmed_after_its_summary(folder: Path) -> None:
    words = ("confirm-month", "--by", "李社工", *MONTH)
    summary = typed(*words).output
    assert "v-1: 1 shifts, 110 minutes" in summary
    assert "1 with a forgotten end" in summary
    assert "1 run still" in summary
    assert "nothing is confirmed yet" in summary
    assert {each["state"] for each in listed("duty", *MONTH)} == {
        "PROVISIONAL",
        "RUNNING",
        "TO_CONFIRM",
    }
    done = typed(*words, "--yes").output
    assert "1 shifts confirmed by 李社工" in done
    assert "has no feed yet" in done
    assert "in all 0 shifts" in typed(*words, "--yes").output
    [row] = [each for each in listed("duty", *MONTH) if each["by"]]
    assert (row["state"], row["by"], row["minutes"]) == ("CONFIRMED", "李社工", 110)
    [hours] = [
        each
        for each in listed("hours", "--from", "2026-03-01", "--to", "2026-03-31")
        if each["holder"] == "v-1"
    ]
    assert (hours["confirmed_min"], hours["provisional_min"]) == (110, 0)
    assert typed("duty", *MONTH, "--csv", "duty.csv").exit_code == 0
    assert "李社工" in (folder / "duty.csv").read_text("utf-8-sig")


def test_one_shift_is_confirmed_with_its_reason_and_reaches_the_feed(
    folder: Path,
) -> None:
    forgotten = ("confirm-duty", GATEWAY, f"{EPOCH}:2", "--by", "李社工")
    assert "need a --reason" in refused(*forgotten, "--minutes", "180")
    more = ("--minutes", "180", "--reason", "she left at seven")
    assert "180 minutes in place of 720, confirmed" in typed(*forgotten, *more).output
    assert "180 minutes are confirmed already, by 李社工" in refused(*forgotten)
    # The first rows, and later a file that replaces all, leave the word in the feed.
    (folder / "people.jsonl").write_text(PEOPLE, "utf-8")
    words = ("rows", "import", "people.jsonl", "--gateway", GATEWAY)
    assert "2 written" in typed(*words).output
    assert "2 as before, 0 removed" in typed(*words, "--replace").output
    shown = ("rows", "show", "--gateway", GATEWAY, "--kind", "shift")
    row = json.loads(typed(*shown).output)
    assert row["body"]["minutes"] == 180
    assert row["body"]["reason"] == "she left at seven"
    again = ("--minutes", "170", "--reason", "ten minutes of talk")
    assert typed(*forgotten, *again).exit_code == 0
    row = json.loads(typed(*shown).output)
    assert (row["body"]["minutes"], row["body"]["number"]) == (170, 2)


def test_what_is_not_there_is_told(folder: Path) -> None:
    assert "no gateway gw-no" in refused("confirm-duty", "gw-no", "x", "--by", "li")
    assert "has no shift x" in refused("confirm-duty", GATEWAY, "x", "--by", "li")
    assert "expected YYYY-MM, got '3'" in refused("duty", "--month", "3")
    assert listed("duty") == [], month_of(wall_ms(), 8 * HOUR_MS)


def test_an_alarm_is_listed_and_answered(folder: Path) -> None:
    [alarm] = listed("alarms", "--open")
    assert (alarm["kind"], alarm["where"], alarm["state"]) == (
        *("CALL_RAISED", "front"),
        "WAITING",
    )
    words = ("answer", str(alarm["alarm"]), "--by", "陈师傅")
    assert "it is empty" in refused(*words)
    second = "2,吴社工,tel:139,mon-fri 8:00-18:00"
    lines = ("round,who,reach,hours", "1,陈师傅,tel:138,", second, "")
    (folder / "list.csv").write_text("\n".join(lines), "utf-8")
    imported = ("contacts", "import", "list.csv", "--gateway", GATEWAY)
    assert "2 contacts in 2 rounds" in typed(*imported).output
    [first, _] = listed("contacts", "show", "--gateway", GATEWAY)
    assert (first["who"], first["on_duty"]) == ("陈师傅", "yes")
    assert "answered by 陈师傅" in typed(*words, "--note", "开门了").output
    assert listed("alarms", "--open") == []
    [alarm] = listed("alarms")
    assert alarm["state"] == "ANSWERED"
    assert 30 <= int(alarm["after_s"]) < 90
    [summary] = listed("alarms", "--summary")
    assert (summary["alarms"], summary["answered"]) == (1, 1)
    assert "No such file" in refused(*imported[:2], "no.csv", *imported[3:])
