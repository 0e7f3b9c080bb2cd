# SPDX-License-Identifier: Apache-2.0
"""Rosters and acknowledgements come down on a stick, or nothing changes at all."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.feed import FeedCursor
from cloud_sync.outputs import SnapshotComplete
from edge.cli.sneakernet import importing
from edge.cli.sneakernet.refusals import ADVICE, Verdict
from edge.control.client import ControlError, ask
from edge.core.people.roster import Cursor
from firmware_sim.platform.feed import altered
from firmware_sim.platform.stick import sealed
from tests.cloud_sync.contract.schemas import flaws
from tests.edge.at_work import until
from tests.edge.fed_site import holder
from tests.edge.sneakernet.sites import GATEWAY, Office, Place, reached
from tests.edge.test_runtime_start import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def carried(place: Place, office: Office, stick: Path) -> None:
    """Carry all that waits to the platform."""
    done = await place.export(stick / "up")
    office.sticks.trust(GATEWAY, done.header["key"])
    office.sticks.take((stick / "up").read_bytes())
    (stick / "up").unlink()


def standing(place: Place) -> tuple[object, ...]:
    """Return all that an import may change, and nothing else."""
    runtime = place.runtime
    roster = runtime.controller.roster
    feed = runtime.feed
    return (roster.cursor, roster.credentials, feed.confirmed_ms, runtime.journal.acked)


def lines_of(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_bytes().splitlines()][:-1]


async def test_a_stick_brings_people_and_the_platforms_word_for_what_it_stored(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(30)
    await carried(place, office, stick)
    stored = place.runtime.journal.last_seq
    office.admit(*(f"h-{n}" for n in range(500)))
    file = office.write(stick / "down")
    assert len(lines_of(file)) > 3, "one part alone shows little"
    done = await place.take(file)
    assert (done.ack, done.feed, done.is_good) == (Verdict.TAKEN, Verdict.TAKEN, True)
    runtime = place.runtime
    assert runtime.journal.acked == stored
    assert runtime.controller.roster.credentials == 500
    cursor = office.store.feed.cursor
    assert runtime.controller.roster.cursor == Cursor(cursor.epoch, cursor.rev)
    # No later than when the platform stood by it, however long the stick was carried.
    assert runtime.feed.confirmed_ms <= office.now_ms
    # What is acknowledged does not go up again.
    await place.note()
    done_up = await place.export(stick / "next")
    assert done_up.header["first"] == stored + 1


async def test_a_roster_is_as_old_as_the_stick(
    place: Place, office: Office, stick: Path
) -> None:
    clock_ms = place.runtime.clock.now().earliest_ms
    office.now_ms = clock_ms - 5 * 86_400_000
    office.admit("h-1")
    await place.take(office.write(stick / "old"))
    assert place.runtime.feed.confirmed_ms == office.now_ms
    assert place.runtime.controller.rolls.confirmed_ms == office.now_ms
    office.now_ms = clock_ms - 3_600_000
    done = await place.take(office.write(stick / "new"))
    assert (done.feed, done.is_good) == (Verdict.CONFIRMED, True)
    assert place.runtime.controller.rolls.confirmed_ms == office.now_ms
    assert (await place.take(stick / "old")).feed is Verdict.KNOWN
    assert place.runtime.controller.rolls.confirmed_ms == office.now_ms


async def test_old_sticks_and_a_stick_twice_change_nothing(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(5)
    await carried(place, office, stick)
    office.admit("h-1")
    first = office.write(stick / "first")
    await place.note(5)
    await carried(place, office, stick)
    office.admit("h-1", "h-2")
    second = office.write(stick / "second")
    assert (await place.take(second)).is_good
    before = standing(place)
    again = await place.take(second)
    assert (again.ack, again.feed) == (Verdict.KNOWN, Verdict.KNOWN)
    older = await place.take(first)
    assert (older.ack, older.feed) == (Verdict.KNOWN, Verdict.OLDER)
    assert not again.is_good
    assert not older.is_good
    assert "KNOWN: was imported before" in "\n".join(again.lines())
    assert "OLDER: " in "\n".join(older.lines())
    assert standing(place) == before
    assert told(place.state, "ROSTER_REFUSED") == []


class Forger:
    """Spoils a good stick and seals it again, as whoever holds it in hand can."""

    def __init__(self, office: Office, lines: list[Any]) -> None:
        self.office = office
        self.first, self.header, *self.parts = lines

    def signed(self, purpose: str, **body: Any) -> str:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return self.office.signer.sign(purpose, text).decode()

    def by_a_stranger(self) -> None:
        forger, self.office.signer = self.office.signer, self.office.signer.forger()
        self.header = self.signed("mn.stick.v1", gw=GATEWAY, stick="0" * 32, time=1)
        self.office.signer = forger

    def a_changed_header(self) -> None:
        head, body, signature = self.header.split(".")
        self.header = f"{head}.{body[:-4]}AAAA.{signature}"

    def a_changed_part(self) -> None:
        head, body, signature = self.parts[-1].split(".")
        self.parts[-1] = f"{head}.{body[:-4]}AAAA.{signature}"

    def a_part_of_the_wire(self) -> None:
        self.parts[0] = self.signed("mn.feed.v1", gw=GATEWAY)

    def a_header_of_the_wire(self) -> None:
        self.header = self.signed("mn.ack.v1", gw=GATEWAY, epoch="x", hi=1, h="0" * 64)

    def a_part_of_another_stick(self) -> None:
        other = self.office.write(self.office.folder / "other")
        self.parts[0] = lines_of(other)[2]

    def a_missing_part(self) -> None:
        del self.parts[1]

    def an_empty_header(self) -> None:
        self.header = self.signed("mn.stick.v1", gw=GATEWAY, stick="0" * 32, time=1)

    def a_plain_word(self) -> None:
        self.header = "hello"


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (Forger.by_a_stranger, "SIGNATURE"),
        (Forger.a_changed_header, "SIGNATURE"),
        (Forger.a_changed_part, "SIGNATURE"),
        (Forger.a_part_of_the_wire, "PURPOSE"),
        (Forger.a_header_of_the_wire, "PURPOSE"),
        (Forger.a_part_of_another_stick, "FEED_PULL"),
        (Forger.a_missing_part, "TORN"),
        (Forger.an_empty_header, "BODY"),
        (Forger.a_plain_word, "NOT_SIGNED"),
    ],
)
async def test_a_forged_stick_has_a_name_and_no_effect(
    place: Place,
    office: Office,
    stick: Path,
    spoil: Callable[[Forger], None],
    name: str,
) -> None:
    await place.note(5)
    await carried(place, office, stick)
    office.admit(*(f"h-{n}" for n in range(500)))
    good = office.write(stick / "good")
    forger = Forger(office, lines_of(good))
    spoil(forger)
    (stick / "bad").write_bytes(sealed([forger.first, forger.header, *forger.parts]))
    before = standing(place)
    with pytest.raises(ControlError, match=rf"^{name}: "):
        await place.take(stick / "bad")
    assert standing(place) == before
    assert (await place.take(good)).is_good, "the bad one was in the way of the good"


async def test_sticks_for_others_and_from_others(
    place: Place, office: Office, stick: Path
) -> None:
    office.admit("h-1")
    before = standing(place)
    with pytest.raises(ControlError, match=r"^GATEWAY: .*another gateway"):
        await place.take(office.write(stick / "other", "gw-8"))
    stranger = Office(office.folder / "stranger")
    stranger.admit("h-1")
    with pytest.raises(ControlError, match=r"^KEY_UNKNOWN: "):
        await place.take(stranger.write(stick / "stranger"))
    assert standing(place) == before
    await until(lambda: len(told(place.state, "PLATFORM_REFUSED")) == 2)
    for event in told(place.state, "PLATFORM_REFUSED"):
        assert event["way"] == "stick"
        item = {"seq": 1, "core": event, "salt": "00" * 16, "pii": {}}
        assert flaws("event_item.json", item) == []


async def test_an_altered_row_is_refused_by_the_hash_it_was_announced_with(
    place: Place, office: Office, stick: Path
) -> None:
    office.admit("h-1")
    good = office.store.feed.parts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            office.store.feed,
            "parts",
            lambda *words, **more: [altered(part) for part in good(*words, **more)],
        )
        office.write(stick / "bad")
    with pytest.raises(ControlError, match=r"^FEED_HASH: "):
        await place.take(stick / "bad")
    assert place.runtime.controller.roster.credentials == 0


async def test_a_roster_half_of_which_is_broken_stays_out_and_the_ack_counts(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(5)
    await carried(place, office, stick)
    office.admit("h-1", "h-2", "h-3", language=7)
    done = await place.take(office.write(stick / "down"))
    assert (done.ack, done.feed) == (Verdict.TAKEN, Verdict.TOO_BROKEN)
    assert not done.is_good
    assert place.runtime.journal.acked > 0
    assert place.runtime.controller.roster.credentials == 0
    office.admit("h-1", "h-2", "h-3")
    assert (await place.take(office.write(stick / "mended"))).is_good


async def test_acknowledgements_are_held_against_the_journal(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(5)
    await carried(place, office, stick)
    epoch, last = place.runtime.journal.epoch, place.runtime.journal.last_seq
    head = place.runtime.journal.head.hex()
    for ack, verdict in [
        ({"epoch": "0009-00000000", "hi": 3, "h": head}, Verdict.OTHER_EPOCH),
        ({"epoch": epoch, "hi": last + 500, "h": head}, Verdict.DIFFERS),
        ({"epoch": epoch, "hi": last - 1, "h": head}, Verdict.DIFFERS),
    ]:
        body = {"gw": GATEWAY, "stick": "ab" * 16, "time": 5, "ack": ack}
        header = office.signer.sign("mn.stick.v1", json.dumps(body)).decode()
        first = {"type": "mn.stick.down.v1", "version": 1}
        (stick / "down").write_bytes(sealed([first, header]))
        done = await place.take(stick / "down")
        assert (done.ack, done.feed) == (verdict, Verdict.ABSENT)
        assert ADVICE[verdict] in "\n".join(done.lines())
        assert (place.runtime.journal.acked, place.runtime.journal.epoch) == (0, epoch)
    assert (await place.take(office.write(stick / "good"))).ack is Verdict.TAKEN


async def test_where_line_and_stick_meet_the_line_goes_first(
    place: Place, office: Office, stick: Path
) -> None:
    office.admit("h-1")
    file, feed = office.write(stick / "down"), place.runtime.feed
    await feed.stage("a pull of the line", [holder("by line")])
    with pytest.raises(ControlError, match=r"^LINE_BUSY: "):
        await place.take(file)
    cursor = FeedCursor(epoch="0001-00000000", rev=1)
    by_line = SnapshotComplete(
        snapshot="a pull of the line", cursor=cursor, hash=bytes(32), count=1
    )
    await feed.complete(by_line)
    assert feed.cursor == cursor
    office.store.feed.outrank(office.store.feed.cursor, "0a0a0a0a")
    assert (await place.take(office.write(stick / "newer"))).feed is Verdict.TAKEN
    # What the line had been slow with comes now, and is older than what is held.
    await feed.stage("a slow pull", [holder("by line")])
    held = feed.cursor
    slow = SnapshotComplete(
        snapshot="a slow pull", cursor=cursor, hash=bytes(32), count=1
    )
    await feed.complete(slow)
    assert feed.cursor == held
    assert "older" in feed.refusal


async def test_an_import_that_was_left_is_forgotten_and_does_not_lock(
    place: Place, office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.admit(*(f"h-{n}" for n in range(500)))
    file = office.write(stick / "down")
    _, header, part, *_ = lines_of(file)

    async def begin() -> str:
        begun = await asyncio.to_thread(
            ask, place.socket, "stick-begin", message=header
        )
        name = str(begun["stick"])
        await asyncio.to_thread(
            ask, place.socket, "stick-part", stick=name, message=part
        )
        return name

    name = await begin()
    with pytest.raises(ControlError, match=r"^BUSY: "):
        await place.take(file)
    await asyncio.to_thread(ask, place.socket, "stick-drop", stick=name)
    monkeypatch.setattr(importing, "IDLE_S", 0.2)
    name = await begin()
    await until(lambda: place.runtime.feed._snapshot == "")
    with pytest.raises(ControlError, match=r"^FORGOTTEN: "):
        await asyncio.to_thread(ask, place.socket, "stick-apply", stick=name)
    monkeypatch.undo()
    assert (await place.take(file)).is_good


async def test_the_command_line_says_what_happened(
    state: Path, office: Office, stick: Path
) -> None:
    office.admit("h-1")
    file = office.write(stick / "down")

    def menshen(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "edge.cli.main", "sync", "import", str(path)]
        command += ["--state", str(state), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    absent = await asyncio.to_thread(menshen, file)
    assert absent.returncode == 1
    assert "Only a running gateway takes a stick: start it" in absent.stderr
    gone = await asyncio.to_thread(menshen, stick / "gone")
    assert (gone.returncode, gone.stderr[:9]) == (1, "NOT_READ:")
    async with reached(state):
        good = await asyncio.to_thread(menshen, file)
        assert good.returncode == 0, good.stderr
        assert "is in force now" in good.stdout
        again = await asyncio.to_thread(menshen, file, "--json")
        assert again.returncode == 1
        assert json.loads(again.stdout)["feed"] == "KNOWN"
