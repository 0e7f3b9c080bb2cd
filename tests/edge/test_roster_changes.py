# SPDX-License-Identifier: Apache-2.0
"""Changes of the roster: whatever changed, they answer as a roster built anew does."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.feed import FeedCursor, FeedRow, add
from cloud_sync.outputs import ChangesComplete, SnapshotComplete
from cloud_sync.ports import PortFaultError
from edge.cli import roster_feed
from edge.core.chain import canonical
from edge.core.event import EventKind
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import NOWHERE, LayeredRoster, RosterBuilder
from tests.edge.fed_site import EPOCH, running, second_run
from tests.edge.stage import settle

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.people.roster import Roster
    from tests.edge.fed_site import Site
    from tests.edge.stage import Stage

Key = tuple[str, str]
PEOPLE = [f"h-{n}" for n in range(14)]
TOKENS = [f"{n:032x}" for n in range(1, 18)]
HOUR_MS = 3_600_000


def text(key: Key, ver: int, body: dict[str, Any]) -> str:
    return canonical({"kind": key[0], "id": key[1], "ver": ver, "body": body})


def wire(key: Key, ver: int, body: dict[str, Any] | None) -> FeedRow:
    if body is None:
        return FeedRow(kind=key[0], id=key[1], ver=ver, body="", digest=b"")
    digest = sha256(text(key, ver, body).encode()).digest()
    return FeedRow(kind=key[0], id=key[1], ver=ver, body=canonical(body), digest=digest)


class Feed:
    """The rows as the platform has them, and how a site hears of them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.rows: dict[Key, FeedRow] = {}
        self.rev = 0

    def body(self, kind: str) -> dict[str, Any]:
        chance = self.chance
        if chance.random() < 0.04:
            return {"holder": 7}  # of no kind's shape
        match kind:
            case "holder":
                tokens = chance.sample(TOKENS, chance.choice((0, 1, 1, 2)))
                return {
                    "enabled": chance.randrange(2),
                    "extended": 0,
                    "language": chance.choice(("zh-CN", "en")),
                    "roles": [chance.choice(("RESIDENT", "VOLUNTEER"))],
                    "credentials": [f"CARD:{token}" for token in tokens],
                }
            case "booking":
                start = chance.randrange(40) * HOUR_MS
                return {
                    "holder": chance.choice(PEOPLE),
                    "space": chance.choice(("hall", "kitchen")),
                    "from": start,
                    "to": start + chance.choice((1, 3, 30)) * HOUR_MS,
                    "party": 2,
                    "state": chance.choice(("CONFIRMED", "CONFIRMED", "CANCELLED")),
                    "ticket": chance.choice(("0a", "0b", "0c")),
                }
            case "revocation":
                return {"holder": chance.choice(PEOPLE), "reason": "LEFT"}
            case _:
                return {"holder": chance.choice(PEOPLE), "order": 1, "route": "2 楼"}

    def changes(self, most: int) -> list[FeedRow]:
        """Write a revision; return what changed."""
        self.rev += 1
        chance, found = self.chance, {}
        for _ in range(chance.randint(1, most)):
            kind = chance.choice(("holder", "holder", "booking", "booking", "elder"))
            kind = chance.choice((kind, kind, "revocation"))
            names = PEOPLE if kind == "holder" else [f"{kind}-{n}" for n in range(12)]
            key = (kind, chance.choice(names))
            body = None if chance.random() < 0.3 else self.body(kind)
            if body is None and key not in self.rows:
                continue
            found[key] = wire(key, self.rev, body)
        for key, row in found.items():
            self.rows.pop(key, None)
            if row.body:
                self.rows[key] = row
        return list(found.values())

    @property
    def sum(self) -> bytes:
        return add(0, (row.digest for row in self.rows.values())).to_bytes(32)

    @property
    def cursor(self) -> FeedCursor:
        return FeedCursor(epoch=EPOCH, rev=self.rev)

    async def send(self, site: Site, most: int, **altered: Any) -> None:
        """Change something and let the site hear of it."""
        base = self.cursor
        rows = self.changes(most)
        name = f"pull-{self.rev}"
        for row in rows:
            await site.feed.stage(name, [row])
        told = {
            "snapshot": name,
            "base": base,
            "cursor": self.cursor,
            "hash": self.sum,
            "count": len(rows),
            "total": len(self.rows),
        }
        await site.feed.change(ChangesComplete(**{**told, **altered}))
        await settle()

    async def send_all(self, site: Site) -> None:
        name = f"all-{self.rev}"
        await site.feed.stage(name, list(self.rows.values()))
        whole = SnapshotComplete(
            snapshot=name, cursor=self.cursor, hash=self.sum, count=len(self.rows)
        )
        await site.feed.complete(whole)
        await settle()


def answers(roster: Roster) -> dict[str, Any]:
    """Return all that a roster says."""
    holders = {name: roster.holder(name) for name in PEOPLE}
    tables = roster.tables
    return {
        "holders": {n: h and asdict(h) for n, h in holders.items()},
        "tokens": {t: _name(roster.find(bytes.fromhex(t))) for t in TOKENS},
        "lists": {t: roster.lists(bytes.fromhex(t)) for t in TOKENS},
        "bookings": {n: _sorted(roster.bookings(n)) for n in PEOPLE},
        "here": {
            n: _sorted(roster.bookings_here(n, "hall", 5 * HOUR_MS, 9 * HOUR_MS))
            for n in PEOPLE
        },
        "booked": sorted(
            (owner, repr(asdict(booking)))
            for owner, booking in roster.booked("hall", 5 * HOUR_MS, 20 * HOUR_MS)
        ),
        "by name": {n: _owner(roster.booking(f"booking-{n}")) for n in range(12)},
        "revoked": (tables.revoked_holders, tables.revoked_tickets),
        "elders": [(e.holder_id, e.order, e.route) for e in tables.elders],
    }


def _name(holder: Any) -> str | None:
    return None if holder is None else str(holder.holder_id)


def _owner(found: Any) -> str | None:
    return None if found is None else str(found[0])


def _sorted(bookings: list[Any]) -> list[str]:
    assert [b.from_ms for b in bookings] == sorted(b.from_ms for b in bookings)
    return sorted(repr(asdict(booking)) for booking in bookings)


def anew(feed: Feed) -> dict[str, Any]:
    """Return what a roster of all the feed's rows says."""
    builder, quarantine = RosterBuilder(), Quarantine()
    parsed = (
        quarantine.parse(row.kind, row.id, row.body) for row in feed.rows.values()
    )
    builder.add(row for row in parsed if row is not None)
    return answers(builder.build(NOWHERE))


def assert_same(site: Site, feed: Feed) -> None:
    assert site.feed.cursor == feed.cursor
    assert site.feed.hash == feed.sum
    assert answers(site.stage.controller.roster) == anew(feed)


async def begun(site: Site, seed: int) -> Feed:
    feed = Feed(seed)
    for _ in range(6):
        feed.changes(20)
    await feed.send_all(site)
    assert_same(site, feed)
    return feed


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("layer_rows", [500, 9])
async def test_changes_answer_as_all_rows_would(
    tmp_path: Path,
    prompt_stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    layer_rows: int,
) -> None:
    monkeypatch.setattr(roster_feed, "LAYER_ROWS", layer_rows)
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site, seed)
        layered = 0
        for number in range(14):
            await feed.send(site, 6)
            assert site.feed.refusal == ""
            assert_same(site, feed)
            layered += isinstance(site.stage.controller.roster, LayeredRoster)
            if number == 9:
                await site.feed.fold()
                assert not isinstance(site.stage.controller.roster, LayeredRoster)
                assert_same(site, feed)
        assert layered >= (8 if layer_rows == 500 else 0)
        assert site.feed.misfits == 0
    async with second_run(tmp_path / "roster.db", prompt_stage) as again:
        assert_same(again, feed)
        await feed.send(again, 6)
        assert_same(again, feed)


@pytest.mark.parametrize("seed", range(3))
async def test_a_power_cut_at_any_statement_leaves_before_or_after(
    tmp_path: Path, prompt_stage: Stage, seed: int
) -> None:
    path = tmp_path / "roster.db"
    async with running(path, prompt_stage) as site:
        feed = await begun(site, seed)
        await feed.send(site, 6)
    held, rows = feed.cursor, dict(feed.rows)
    left = False
    for number in range(1, 60):
        async with second_run(path, prompt_stage) as site:
            assert site.feed.cursor == held
            site.disk.fail_after(number)
            feed.chance = random.Random(seed)
            raised = True
            with suppress(PortFaultError):
                await feed.send(site, 6)
                raised = False
        async with second_run(path, prompt_stage) as again:
            if again.feed.cursor == held:
                feed.rev, feed.rows = held.rev, dict(rows)
            assert_same(again, feed)
            left = again.feed.cursor != held
        if left and not raised:
            break
        if left:
            held, rows = feed.cursor, dict(feed.rows)
    assert left


async def test_what_does_not_add_up_changes_nothing_and_is_told(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site, 1)
        before, said = site.feed.cursor, answers(site.stage.controller.roster)
        await feed.send(site, 6, hash=bytes(32))
        assert (site.feed.cursor, site.feed.misfits) == (before, 1)
        assert answers(site.stage.controller.roster) == said
        assert site.told(EventKind.ROSTER_REFUSED) == [
            "the changes do not add up with what is held"
        ]
        await feed.send_all(site)
        await feed.send(site, 6)
        assert_same(site, feed)


async def test_a_row_that_rots_on_the_card_is_noticed(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site, 1)
        await site.disk.execute("UPDATE entry SET cell = zeroblob(length(cell))")
        base = feed.cursor
        key, row = next(iter(feed.rows.items()))
        changed = wire(key, 99, json.loads(row.body) | {"more": 1})
        feed.rows[key], feed.rev = changed, feed.rev + 1
        await site.feed.stage("rot", [changed])
        await site.feed.change(
            ChangesComplete(
                snapshot="rot",
                base=base,
                cursor=feed.cursor,
                hash=feed.sum,
                count=1,
                total=len(feed.rows),
            )
        )
        assert site.feed.cursor == base
        assert site.feed.refusal == "a cell of the roster does not open"


async def test_changes_of_something_else_are_refused(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site, 1)
        before = site.feed.cursor
        other = FeedCursor(epoch=EPOCH, rev=before.rev - 1)
        await feed.send(site, 6, base=other)
        assert site.feed.cursor == before
        assert "something else" in site.feed.refusal


async def test_who_was_taken_out_is_off_the_disk(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    path = tmp_path / "roster.db"
    token = "c0ffee" * 5 + "aa"
    async with running(path, prompt_stage) as site:
        feed = Feed(1)
        body = {"enabled": 1, "extended": 0, "language": "zh", "roles": []}
        for n in range(40):
            key = ("holder", f"p-{n}")
            listed = {"credentials": [f"CARD:{token if n == 7 else f'{n:032x}'}"]}
            feed.rows[key] = wire(key, 1, body | listed)
        feed.rev = 1
        await feed.send_all(site)
        assert site.knows(token)
        gone = wire(("holder", "p-7"), 2, None)
        del feed.rows["holder", "p-7"]
        base, feed.rev = feed.cursor, 2
        await site.feed.stage("two", [gone])
        changes = ChangesComplete(
            snapshot="two",
            base=base,
            cursor=feed.cursor,
            hash=feed.sum,
            count=1,
            total=39,
        )
        await site.feed.change(changes)
        assert not site.knows(token)
        await site.feed.fold()
        assert not site.knows(token)
    files = b"".join(each.read_bytes() for each in path.parent.glob("roster.db*"))
    assert token.encode() not in files
    assert bytes.fromhex(token)[:8] not in files
    assert bytes.fromhex(token)[:8][::-1] not in files
