# SPDX-License-Identifier: Apache-2.0
"""``menshen why`` and ``menshen what-if``: from the files of a site, read alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.journal_view import NoJournalError
from edge.cli.load_site import load_site
from edge.cli.roster_key import roster_seal
from edge.cli.what_if import WhatIfOptions, what_if
from edge.cli.why import WhyOptions, when_ms, why
from edge.core.controller import Controller
from edge.core.credential import Credential, CredentialKind
from edge.core.moment import Moment
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import parse_row
from edge.core.stimulus import ContactChanged, Scan
from edge.storage.connection import open_aiosqlite
from edge.storage.journal_file import open_journal
from edge.storage.roster_file import open_roster
from edge.storage.roster_row import RosterRow
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.event import Event
    from edge.core.plan import SitePlan

DAY_MS = 86_400_000
OFFSET_MS = 8 * 3_600_000
#: 2 March 2026, 15:00 in China.
AT_MS = 1_772_434_800_000
FEED = "0001-0a1b2c3d"
TOKENS = {"wang": b"wang............", "li": b"li.............."}


def _rows() -> list[RosterRow]:
    rows = []
    for name, token in TOKENS.items():
        body = {
            "credentials": [f"CARD:{token.hex()}"],
            "enabled": 1,
            "extended": 0,
            "language": "zh-CN",
            "roles": ["RESIDENT"],
        }
        rows.append(RosterRow("holder", f"h-{name}", 1, json.dumps(body)))
    body = {
        "from": AT_MS - 3_600_000,
        "to": AT_MS + 3_600_000,
        "holder": "h-wang",
        "party": 2,
        "space": "hall",
        "state": "CONFIRMED",
    }
    return [*rows, RosterRow("booking", "b-1", 1, json.dumps(body))]


def _site(folder: Path, name: str = "site.toml", text: str = TEXT) -> SitePlan:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_site(path).plan()


def _events(plan: SitePlan) -> list[Event]:
    """Live through a scan that opens and one that does not."""
    builder = RosterBuilder()
    for row in _rows():
        parsed = parse_row(row.kind, row.id, json.loads(row.body))
        builder.add([parsed] if parsed is not None else [])
    now = Moment(
        monotonic_s=10.0, earliest_ms=AT_MS - 60_000, latest_ms=AT_MS, boot="boot0000"
    )
    controller = Controller(plan, next_seq=1)
    roster = builder.build(Cursor(FEED, 3))
    events = [*controller.start(now).events, *controller.adopt(roster, now).events]
    for name in ("li", "wang"):
        now = replace(
            now,
            monotonic_s=now.monotonic_s + 30,
            earliest_ms=now.earliest_ms + 30_000,
            latest_ms=now.earliest_ms + 30_000,
        )
        scan = Scan(
            access_point="outside",
            credential=Credential(kind=CredentialKind.CARD, token=TOKENS[name]),
            received_s=now.monotonic_s,
        )
        events += controller.handle(scan, now).events
    opened = ContactChanged(door="front", is_open=True)
    return [*events, *controller.handle(opened, now).events]


async def _lived(folder: Path) -> SitePlan:
    """Leave a journal and a roster in the folder; return the site."""
    plan = _site(folder)
    async with open_journal(
        folder / "journal.db", new_epoch=lambda: "0a1b2c3d", salt=lambda: bytes(16)
    ) as opened:
        await opened.journal.append(_events(plan))
    path, seal = folder / "roster.db", roster_seal(folder)
    async with open_roster(path, open_aiosqlite, seal) as roster:
        await roster.store.stage("s", _rows())
        await roster.store.promote(
            "s",
            epoch=FEED,
            rev=3,
            hash="00" * 32,
            count=len(_rows()),
            applied_ms=AT_MS,
        )
    return plan


def _options(folder: Path, **fields: Any) -> WhyOptions:
    usual: dict[str, Any] = {
        "door": "front",
        "when": "2026-03-02 15:00",
        "state": folder,
        "now_ms": AT_MS,
    }
    return WhyOptions(**usual | fields)


async def test_both_decisions_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = await _lived(tmp_path)
    assert await why(plan, _options(tmp_path, holder="h-li", is_json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    refused, granted = told["decisions"]
    assert (refused["reason"], refused["next_step"]) == ("UNAUTHORIZED", "BOOK")
    assert (granted["granted"], granted["rule"]) == (True, "booking")
    assert granted["person"] == {"holder": "h-wang", "booking": "b-1", "ticket": None}
    assert (granted["outcome"], granted["late_commit"]) == ("TAKEN", False)
    assert (granted["roster"], granted["settings"]) == (3, plan.settings_revision)
    assert granted["openers"]["same_list"]
    assert granted["openers"]["asked"]["answer"]["reason"] == "UNAUTHORIZED"
    assert told["journal_is_whole"]
    assert await why(plan, _options(tmp_path)) == 0
    lines = capsys.readouterr().out
    assert "GRANTED to holder h-wang, booking b-1 (CARD)" in lines
    assert "BEWARE" not in lines


async def test_a_time_of_which_nothing_is_kept_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = await _lived(tmp_path)
    assert await why(plan, _options(tmp_path, when="18:00")) == 1
    told = capsys.readouterr().out
    assert "nobody was decided about" in told
    assert "any card     no, CREDENTIAL_NOT_FOUND" in told


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"door": "back"}, "there are: front"),
        ({"when": "3 pm"}, "15:04 for today"),
        ({"when": "25:00"}, "25:00"),
        ({"when": "2026-02-30 10:00"}, "2026-02-30"),
        ({"within_min": 0}, "--within"),
        ({"within_min": 100_000}, "--within"),
    ],
)
async def test_wrong_use_says_what_to_write(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, Any],
    word: str,
) -> None:
    plan = await _lived(tmp_path)
    assert await why(plan, _options(tmp_path, **fields)) == 2
    assert word in capsys.readouterr().out


async def test_a_folder_without_a_journal_is_told(tmp_path: Path) -> None:
    plan = _site(tmp_path)
    with pytest.raises(NoJournalError, match="--state"):
        await why(plan, _options(tmp_path))


async def test_without_a_list_only_the_events_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = await _lived(tmp_path)
    (tmp_path / "roster.db").unlink()
    assert await why(plan, _options(tmp_path)) == 0
    told = capsys.readouterr().out
    assert "GRANTED to holder h-wang" in told
    assert f"list {FEED}@3 is not kept" in told


async def test_a_trimmed_beginning_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = _site(tmp_path)
    events = _events(plan)
    async with open_journal(
        tmp_path / "journal.db", new_epoch=lambda: "0a1b2c3d", salt=lambda: bytes(16)
    ) as opened:
        await opened.journal.append(events, "{}")
        await opened.journal.acknowledge(len(events))
        assert await opened.journal.trim(len(events) - 3) == 3
    assert await why(plan, _options(tmp_path)) == 0
    told = capsys.readouterr().out
    assert "BEWARE: the journal's beginning was trimmed away" in told
    assert "GRANTED to holder h-wang" in told
    assert "REFUSED" not in told


async def test_numbers_go_on_over_epochs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A grant of one epoch finds its outcome in the next."""
    plan = await _lived(tmp_path)
    events = _events(plan)
    taken = next(e for e in reversed(events) if e.kind == "ACCESS_TAKEN")
    later = tmp_path / "later"
    later.mkdir()
    async with open_journal(
        later / "journal.db", new_epoch=lambda: "0a1b2c3d", salt=lambda: bytes(16)
    ) as opened:
        journal, before = opened.journal, events[: taken.seq - 1]
        await journal.append(before)
        await journal.acknowledge(len(before))
        await journal.new_epoch()
        cause = int(taken.fact("cause") or 0) - len(before)
        facts = tuple(
            (name, cause if name == "cause" else value) for name, value in taken.facts
        )
        await journal.append([replace(taken, seq=journal.next_seq, facts=facts)])
    assert await why(plan, _options(later, is_json=True)) == 0
    granted = json.loads(capsys.readouterr().out)["decisions"][-1]
    assert granted["outcome"] == "TAKEN"


@pytest.mark.parametrize(
    ("told", "expected_ms"),
    [
        ("2026-03-02 15:00", AT_MS),
        ("2026-03-02T15:00:30", AT_MS + 30_000),
        ("15:00", AT_MS),
        ("9:05", AT_MS - 5 * 3_600_000 - 55 * 60_000),
    ],
)
def test_when_is_the_sites_local_time(told: str, expected_ms: int) -> None:
    assert when_ms(told, AT_MS + 3_600_000, OFFSET_MS) == expected_ms


def test_today_is_the_sites_day_before_dawn() -> None:
    early_ms = AT_MS - 14 * 3_600_000  # 01:00, still yesterday in UTC
    assert when_ms("15:00", early_ms, OFFSET_MS) == AT_MS


async def test_the_same_file_changes_nothing_and_another_says_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = await _lived(tmp_path)
    options = WhatIfOptions(state=tmp_path, now_ms=AT_MS + DAY_MS, is_json=True)
    assert await what_if(plan, plan, options) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["same"], told["changed"]) == (2, 2, 0)
    walk_in = TEXT.replace('id = "hall"\n', 'id = "hall"\nentry = "walk_in"\n')
    after = _site(tmp_path, "new.toml", walk_in)
    assert await what_if(plan, after, options) == 0
    told = json.loads(capsys.readouterr().out)
    [change] = told["changes"]
    assert (change["before"], change["after"]) == ("UNAUTHORIZED", None)
    assert change["examples"][0]["rule_after"] == "walk_in"
    plain = replace(options, is_json=False)
    assert await what_if(plan, after, plain) == 0
    lines = capsys.readouterr().out
    assert "front: refused (UNAUTHORIZED) -> granted" in lines
    assert "not seen by this" in lines


async def test_only_the_days_asked_for_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = await _lived(tmp_path)
    options = WhatIfOptions(
        state=tmp_path, now_ms=AT_MS + 31 * DAY_MS, days=30, is_json=True
    )
    assert await what_if(plan, plan, options) == 0
    assert json.loads(capsys.readouterr().out)["decisions"] == 0


async def test_nothing_is_written(tmp_path: Path) -> None:
    plan = await _lived(tmp_path)
    names = ("journal.db", "roster.db")
    before = [(tmp_path / name).read_bytes() for name in names]
    await why(plan, _options(tmp_path))
    await what_if(plan, plan, WhatIfOptions(state=tmp_path, now_ms=AT_MS + DAY_MS))
    assert [(tmp_path / name).read_bytes() for name in names] == before
