# SPDX-License-Identifier: Apache-2.0
"""Whoever changes the past is found: each byte, each row, each order, the end."""

from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING

import pytest

from edge.storage.connection import open_inline
from edge.storage.verification import Anchor
from tests.storage.samples import contents, copied, events, opened, overwrite, tampered

if TYPE_CHECKING:
    from pathlib import Path

    from edge.storage.journal import Journal
    from edge.storage.verification import Verification
    from tests.storage.samples import Opener

COUNT = 12
SEED = 20251122


@pytest.fixture
async def sound(path: Path) -> Path:
    """A closed journal of COUNT events, one of them erased, eight acknowledged."""
    async with opened(open_inline, path) as journal:
        await journal.append(events(1, COUNT))
        await journal.erase("h3")
        await journal.acknowledge(8)
        await journal.settle()
    return path


async def verified(
    path: Path, opener: Opener = open_inline, anchor: Anchor | None = None
) -> Verification:
    async with opened(opener, path) as journal:
        return await journal.verify(anchor)


async def test_the_untouched_journal_is_sound(sound: Path, opener: Opener) -> None:
    found = await verified(sound, opener)
    assert (found.is_sound, found.checked, found.first_bad_seq) == (True, COUNT, None)


async def test_every_single_byte_is_guarded(sound: Path, tmp_path: Path) -> None:
    """Each byte of each text and blob of each row, changed to a seeded other one."""
    chance = random.Random(SEED)
    with sqlite3.connect(sound) as connection:
        rows = connection.execute(
            "SELECT place, core, salt, pii, com, hash FROM event"
        ).fetchall()
    connection.close()
    tried = 0
    async with opened(open_inline, sound) as journal:
        writer = journal._scribe.connection
        for place, *cells in rows:
            for column, cell in zip(
                ("core", "salt", "pii", "com", "hash"), cells, strict=True
            ):
                if cell is None:
                    continue
                is_text = isinstance(cell, str)
                raw = cell.encode() if is_text else cell
                for index in range(len(raw)):
                    if is_text and raw[index] >= 0x80:
                        continue  # a lone changed byte would not be UTF-8 any more
                    other = chance.choice(
                        [b for b in range(32, 127) if b != raw[index]]
                    )
                    changed = raw[:index] + bytes([other]) + raw[index + 1 :]
                    update = f"UPDATE event SET {column} = ? WHERE place = ?"  # noqa: S608
                    value = changed.decode() if is_text else changed
                    await writer.execute(update, (value, place))
                    found = await journal.verify()
                    assert not found.is_sound, (SEED, place, column, index)
                    assert found.first_bad_seq == place, (SEED, place, column, index)
                    await writer.execute(update, (cell, place))
                    tried += 1
        assert (await journal.verify()).is_sound
    assert tried > COUNT * 200


@pytest.mark.parametrize("place", [1, 5, COUNT - 1])
async def test_a_dropped_row_is_found(sound: Path, opener: Opener, place: int) -> None:
    tampered(sound, f"DELETE FROM event WHERE place = {place}")  # noqa: S608
    found = await verified(sound, opener)
    assert (found.is_sound, found.first_bad_seq) == (False, place)


@pytest.mark.parametrize("place", [1, 5, COUNT - 1])
async def test_a_dropped_row_with_the_gap_closed_is_found(
    sound: Path, place: int
) -> None:
    tampered(
        sound,
        f"DELETE FROM event WHERE place = {place}",  # noqa: S608
        f"UPDATE event SET place = -place WHERE place > {place}",  # noqa: S608
        "UPDATE event SET place = -place - 1 WHERE place < 0",
    )
    found = await verified(sound)
    assert (found.is_sound, found.first_bad_seq) == (False, place)


async def test_swapped_rows_and_swapped_persons_are_found(
    sound: Path, tmp_path: Path
) -> None:
    rows = copied(sound, tmp_path / "rows")
    tampered(
        rows,
        "UPDATE event SET place = -4 WHERE place = 4",
        "UPDATE event SET place = 4 WHERE place = 5",
        "UPDATE event SET place = 5 WHERE place = -4",
    )
    assert (await verified(rows)).first_bad_seq == 4
    persons = copied(sound, tmp_path / "persons")
    tampered(
        persons,
        "UPDATE event SET (salt, pii) = (SELECT salt, pii FROM event WHERE place = 5)"
        " WHERE place = 4",
    )
    assert (await verified(persons)).first_bad_seq == 4


async def test_a_gap_in_the_numbers_is_found_although_the_hashes_hold(
    sound: Path,
) -> None:
    tampered(
        sound,
        "UPDATE event SET place = -place WHERE place > 5",
        "UPDATE event SET place = 1 - place WHERE place < 0",
    )
    found = await verified(sound)
    assert (found.is_sound, found.first_bad_seq) == (False, 6)


async def test_an_inserted_row_is_found(sound: Path) -> None:
    tampered(
        sound,
        "INSERT INTO event SELECT place + 1, core, salt, pii, com, hash FROM event"
        " ORDER BY place DESC LIMIT 1",
    )
    assert (await verified(sound)).first_bad_seq == COUNT + 1


async def test_a_renamed_epoch_is_found(sound: Path) -> None:
    tampered(sound, "UPDATE epoch SET name = '0001-deadbeef'")
    assert (await verified(sound)).first_bad_seq == 1


async def test_a_tail_cut_below_the_mark_is_found_at_opening(sound: Path) -> None:
    tampered(sound, "DELETE FROM event WHERE place > 6")
    async with opened(open_inline, sound) as journal:
        assert journal.missing == 2
        found = await journal.verify()
        assert (found.is_sound, found.first_bad_seq) == (False, 7)
        # What takes the freed numbers must not count as acknowledged already.
        assert (journal.next_seq, journal.acked) == (7, 6)
        await journal.append(events(7, 2))
        assert journal.waiting == 2
    async with opened(open_inline, sound) as journal:
        assert (journal.acked, journal.waiting) == (6, 2)


async def test_a_tail_cut_below_the_snapshot_is_not_skipped_by_recovery(
    path: Path,
) -> None:
    async with opened(open_inline, path) as journal:
        await journal.append(events(1, 10), state="s")
    tampered(path, "DELETE FROM event WHERE place > 6")
    async with opened(open_inline, path) as journal:
        assert journal.missing == 4
        await journal.append(events(7, 1))
        assert [e.seq for e in (await journal.recover()).tail] == [7]


async def test_a_tail_cut_into_an_older_epoch_keeps_numbers_sane(path: Path) -> None:
    async with opened(open_inline, path) as journal:
        await journal.append(events(1, 10))
        await journal.acknowledge(10)
        await journal.new_epoch()
        await journal.append(events(1, 3))
    tampered(path, "DELETE FROM event WHERE place > 6")
    async with opened(open_inline, path) as journal:
        assert (journal.missing, journal.next_seq) == (4, 1)
        await journal.append(events(1, 2))
        assert journal.next_seq == 3


async def test_a_tail_cut_above_the_mark_needs_an_anchor(
    sound: Path, opener: Opener
) -> None:
    async with opened(opener, sound) as journal:
        anchor = Anchor(journal.last_seq, journal.head)
        middle = await journal.hash_at(9)
        assert (await journal.verify(anchor)).is_sound
    assert middle is not None
    tampered(sound, "DELETE FROM event WHERE place > 10")
    assert (await verified(sound)).is_sound, "no chain can know this by itself"
    found = await verified(sound, opener, anchor)
    assert (found.is_sound, found.first_bad_seq) == (False, 11)
    assert (await verified(sound, opener, Anchor(9, middle))).is_sound
    assert (await verified(sound, opener, Anchor(9, b"\0" * 32))).first_bad_seq == 9


async def cut_while_running(journal: Journal, count: int) -> None:
    await journal._scribe.connection.execute(
        "DELETE FROM event WHERE place > ?", (count,)
    )


async def test_a_tail_cut_under_a_running_gateway_is_found(
    sound: Path, opener: Opener
) -> None:
    async with opened(opener, sound) as journal:
        await cut_while_running(journal, 10)
        assert (await journal.verify()).first_bad_seq == 11


async def test_a_tail_rewritten_whole_is_found_while_running(
    sound: Path, tmp_path: Path
) -> None:
    """A forger with the right code makes a chain that holds, but not its memory."""
    forged = copied(sound, tmp_path / "forged")
    tampered(forged, "DELETE FROM event WHERE place > 11")
    async with opened(open_inline, forged) as journal:
        await journal.append(events(12, 1, tag="forged"))
        assert (await journal.verify()).is_sound
    async with opened(open_inline, sound) as journal:
        writer = journal._scribe.connection
        await writer.execute("ATTACH ? AS forged", (str(forged),))
        await writer.execute("DELETE FROM event WHERE place = 12")
        await writer.execute(
            "INSERT INTO event SELECT * FROM forged.event WHERE place = 12"
        )
        assert (await journal.verify()).first_bad_seq == 12


async def test_a_page_of_garbage_is_a_finding_not_a_crash(
    path: Path, opener: Opener
) -> None:
    async with opened(open_inline, path) as journal:
        await journal.append(events(1, 400))
    raw = bytearray(contents(path))
    page = len(raw) // 4096 // 2 * 4096
    raw[page : page + 4096] = b"\xff" * 4096
    overwrite(path, bytes(raw))
    found = await verified(path, opener)
    assert not found.is_sound
    assert found.first_bad_seq is not None
    assert 1 <= found.first_bad_seq <= 400
