# SPDX-License-Identifier: Apache-2.0
"""``menshen why``: why a door opened or did not, from the journal and today's list.

The law of the module: files are opened for reading alone, beside a gateway that writes
them; what is not kept is said, never made up. Everything is read in one walk.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge.cli.exits import GOOD, TROUBLE, WRONG_USE
from edge.cli.journal_view import NoJournalError
from edge.cli.roster_key import held_seal
from edge.core.event import decode
from edge.core.explain.inquiry import Asking, Inquiry
from edge.core.explain.kept import Kept, placed
from edge.core.explain.retelling import Unknown
from edge.core.explain.scene import Scene
from edge.core.explain.telling import beside, explained, opened, rule_words
from edge.core.explain.words import REASONS, STEPS
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import EMPTY, Cursor, RosterBuilder
from edge.storage.connection import open_aiosqlite
from edge.storage.position import read_position
from edge.storage.roster import RosterStore
from edge.storage.rows import select
from edge.storage.verification import read_epochs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.core.explain.explanation import Explanation
    from edge.core.explain.openers import Openers
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan
    from edge.storage.connection import Connection

SLICE_ROWS = 500
DAY_MS = 86_400_000
MINUTE_MS = 60_000
#: Farther from WHEN, and the answer would be a page of the journal.
MAX_WITHIN_MIN = 24 * 60
_WHEN = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}:\d{2}(?::\d{2})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyOptions:
    """What the command line asked for; ``now_ms`` says which day is today."""

    door: str
    when: str
    state: Path
    now_ms: int
    holder: str = ""
    within_min: float = 2.0
    is_json: bool = False


@dataclass(slots=True, kw_only=True)
class Shelf:
    """What was found of the journal while it was read.

    ``is_whole``: nothing was trimmed, so the standing is known from the first day.
    """

    is_whole: bool = True
    unread: int = 0


def when_ms(told: str, now_ms: int, utc_offset_ms: int) -> int:
    """Read ``2026-03-02 15:04`` or ``15:04`` (today) as the site's time; ValueError."""
    found = _WHEN.fullmatch(told.strip())
    if found is None:
        raise ValueError(f"{told!r}: write '2026-03-02 15:04', or 15:04 for today")
    day, clock = found.groups()
    if day is None:
        local_s = (now_ms + utc_offset_ms) // 1000
        day = datetime.fromtimestamp(local_s, tz=UTC).date().isoformat()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock:0>5}+00:00")
    except ValueError as error:
        raise ValueError(f"{told!r}: {error}") from error
    return round(moment.timestamp() * 1000) - utc_offset_ms


async def kept_events(path: Path, shelf: Shelf) -> AsyncIterator[Kept]:
    """Yield every event that the journal's file holds, oldest first."""
    _assert_there(path)
    async with open_aiosqlite(path, is_reader=True) as reader:
        position = await read_position(reader)
        if position is None:
            return
        shelf.is_whole = position.trimmed == 0
        async for kept in _walk(reader, position.trimmed, position.last, shelf):
            yield kept


def _is_there(path: Path) -> bool:
    return path.is_file()


def _assert_there(path: Path) -> None:
    if not _is_there(path):
        raise NoJournalError(f"{path}: no journal here; is --state the right folder?")


async def _walk(
    reader: Connection, place: int, last: int, shelf: Shelf
) -> AsyncIterator[Kept]:
    epochs = await read_epochs(reader)
    while place < last:
        records = await select(reader, after=place, base=0, max_rows=SLICE_ROWS)
        if not records:
            return
        for record in records:
            epoch, seq = epochs.numbered(record.seq)
            try:
                event = decode(seq, record.core, record.pii)
            except (ValueError, KeyError, TypeError):
                shelf.unread += 1  # a kind of a newer version
                continue
            yield Kept(
                event=placed(event, record.seq - seq),
                epoch=epoch,
                seq=seq,
                is_erased=record.pii is None,
            )
        place = records[-1].seq


async def roster_of_today(path: Path, spaces: frozenset[str]) -> Roster:
    """Build the roster that is in force from its file; an empty one without a file."""
    if not _is_there(path):
        return EMPTY
    quarantine, builder = Quarantine(), RosterBuilder(spaces)
    async with open_aiosqlite(path, is_reader=True) as reader:
        store = await RosterStore.open(reader, held_seal(path.parent))
        place = Cursor(store.cursor.epoch, store.cursor.rev)
        async for chunk in store.rows():
            parsed = (quarantine.parse(row.kind, row.id, row.body) for row in chunk)
            builder.add(row for row in parsed if row is not None)
    return EMPTY if quarantine.is_hopeless else builder.build(place)


def _asking(site: SitePlan, options: WhyOptions) -> Asking:
    known = {*site.doors, *site.banks}
    if options.door not in known:
        raise ValueError(f"no door {options.door!r}; there are: {_list(known)}")
    if not 0 < options.within_min <= MAX_WITHIN_MIN:
        raise ValueError(f"--within: more than 0, at most {MAX_WITHIN_MIN} minutes")
    return Asking(
        door=options.door,
        at_ms=when_ms(options.when, options.now_ms, site.utc_offset_ms),
        within_ms=round(options.within_min * MINUTE_MS),
        holder=options.holder,
    )


async def why(site: SitePlan, options: WhyOptions) -> int:
    """Print why, and return the exit code: 1 where nothing is kept of that time."""
    try:
        asking = _asking(site, options)
    except ValueError as error:
        print(error)
        return WRONG_USE
    state, shelf = options.state, Shelf()
    roster = await roster_of_today(state / "roster.db", frozenset(site.spaces))
    inquiry = Inquiry(asking, Scene(site, roster))
    async for kept in kept_events(state / "journal.db", shelf):
        inquiry.follow(kept)
    inquiry.end()
    tell = _tell_json if options.is_json else _tell_lines
    tell(inquiry, site, shelf)
    return GOOD if inquiry.found or inquiry.beside else TROUBLE


def _tell_lines(inquiry: Inquiry, site: SitePlan, shelf: Shelf) -> None:
    offset_ms = site.utc_offset_ms
    for line in _bewares(shelf):
        print(line)
    for each in inquiry.found:
        print("\n".join(explained(each, offset_ms, site.settings_revision)))
    if inquiry.beyond:
        print(f"and {inquiry.beyond} more decisions; ask for less with --within")
    if not inquiry.found:
        print("nobody was decided about at that door then; who could have opened:")
        for line in opened(inquiry.openers) if inquiry.openers else ():
            print(line)
    if inquiry.beside:
        print("beside it:")
    for kept in inquiry.beside:
        print(f"  {beside(kept, offset_ms)}")


def _bewares(shelf: Shelf) -> list[str]:
    told = []
    if not shelf.is_whole:
        told.append(
            "BEWARE: the journal's beginning was trimmed away; modes, emergencies and "
            "people inside from before that are not known"
        )
    if shelf.unread:
        told.append(f"BEWARE: {shelf.unread} events of another version were left out")
    return told


def _tell_json(inquiry: Inquiry, site: SitePlan, shelf: Shelf) -> None:
    told = {
        "settings": site.settings_revision,
        "journal_is_whole": shelf.is_whole,
        "unread": shelf.unread,
        "decisions": [_decision(each) for each in inquiry.found],
        "beyond": inquiry.beyond,
        "openers": _openers(inquiry.openers),
        "beside": [
            {
                "epoch": kept.epoch,
                "seq": kept.seq,
                "kind": kept.event.kind.value,
                "at": kept.event.subject,
                "earliest_ms": kept.event.moment.earliest_ms,
                "facts": dict(kept.event.facts),
            }
            for kept in inquiry.beside
        ],
    }
    print(json.dumps(told, ensure_ascii=False))


def _decision(each: Explanation) -> dict[str, Any]:
    told = each.told
    return {
        "epoch": told.epoch,
        "seq": told.seq,
        "at": told.at,
        "earliest_ms": told.moment.earliest_ms,
        "latest_ms": told.moment.latest_ms,
        "clock_known": told.is_clock_known,
        "granted": told.reason is None,
        "rule": told.rule,
        "rule_words": rule_words(told.rule),
        "reason": told.reason,
        "reason_words": REASONS[told.reason] if told.reason else None,
        "next_step": told.step,
        "next_step_words": STEPS[told.step] if told.step else None,
        "kind": told.kind,
        "person": asdict(told.person),
        "erased": told.is_erased,
        "roster": told.roster_revision,
        "roster_age_s": told.roster_age_s,
        "settings": told.settings_revision,
        "details": dict(told.details),
        "mode": each.mode,
        "emergencies": each.standing,
        "outcome": each.ending.name,
        "late_commit": each.is_late,
        "anew": each.anew.name if isinstance(each.anew, Unknown) else asdict(each.anew),
        "openers": _openers(each.openers),
    }


def _openers(told: Openers | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return asdict(told) | {"same_list": told.is_same_list}


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
