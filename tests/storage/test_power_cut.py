# SPDX-License-Identifier: Apache-2.0
"""A power cut at any moment: crash images out of copies, cut and damaged logs.

An image is the file and its log as the disk may hold them. The log is cut at every
frame, in the middle of frames, and its tail is overwritten, as a torn write leaves
it; what was committed before the tear must be there, and nothing after it.
Source: sqlite.org fileformat2.html section 4 (header 32 bytes, frame header 24).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from edge.storage.connection import open_inline
from tests.storage.samples import (
    WatchedConnection,
    contents,
    copied,
    events,
    opened,
    rows_of,
    tampered,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edge.storage.connection import Connection
    from tests.storage.samples import Opener

WAL_HEADER, FRAME = 32, 24 + 4096
SEED = 20251122


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A crash image, and what must be in it: at least ``told``, at most ``begun``."""

    path: Path
    told: int
    begun: int


class Broken(AssertionError):  # noqa: N818  a verdict, not an error
    """The checker's verdict that an image has lost or invented something."""


async def check(image: Image, opener: Opener = open_inline) -> int:
    """Open the image as after the cut; the last seq it holds, or Broken."""
    async with opened(opener, image.path) as journal:
        last = journal.last_seq
        places = [row[0] for row in rows_of(image.path)]
        if places != list(range(1, last + 1)):
            raise Broken(f"not a contiguous prefix: {places}")
        if not image.told <= last <= image.begun:
            raise Broken(f"{last} events, {image.told} told, {image.begun} begun")
        found = await journal.verify()
        if not found.is_sound:
            raise Broken(f"unsound at {found.first_bad_seq}")
        recovery = await journal.recover()
        if recovery.state_seq + len(recovery.tail) != last:
            raise Broken("state and tail do not make the whole")
        await journal.append(events(journal.next_seq, 2), state="after")
        if not (await journal.verify()).is_sound:
            raise Broken("unsound after going on")
    return last


class Recorder(WatchedConnection):
    """Takes an image before and after each call that reaches the database."""

    def __init__(self, inner: Connection, path: Path, folder: Path) -> None:
        super().__init__(inner, self.image, before=self.image)
        self._path = path
        self._folder = folder
        self.told = self.begun = 0
        self.images: list[Image] = []

    def image(self) -> None:
        folder = self._folder / f"image{len(self.images)}"
        kept = copied(self._path, folder)
        self.images.append(Image(path=kept, told=self.told, begun=self.begun))


async def test_the_files_after_every_call_hold_all_that_was_told(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    async with opened(
        opener, path, lambda inner: Recorder(inner, path, tmp_path)
    ) as journal:
        recorder = journal._scribe.connection
        assert isinstance(recorder, Recorder)
        for count, state in ((1, None), (5, None), (2, "s"), (70, None), (3, "t")):
            recorder.begun += count
            await journal.append(events(journal.next_seq, count), state)
            recorder.told = journal.last_seq
            recorder.image()
            await journal.acknowledge(journal.last_seq)
            await journal.settle()
    assert len(recorder.images) > 30
    assert {await check(image) for image in recorder.images} == {0, 1, 6, 8, 78, 81}


async def cut_images(
    opener: Opener, path: Path, tmp_path: Path
) -> tuple[Path, list[tuple[int, int]]]:
    """A file with its log, and after each commit (size of the log, events told)."""
    log = path.with_name("journal.db-wal")
    async with opened(opener, path) as journal:
        await journal.append(events(1, 20))
        await journal._scribe.connection.execute_fetchall(
            "PRAGMA wal_checkpoint(TRUNCATE)"
        )
        told = [(0, 20)]
        for count, state in ((1, None), (1, None), (3, "s"), (40, None), (2, "t")) * 2:
            await journal.append(events(journal.next_seq, count), state)
            told.append((log.stat().st_size, journal.last_seq))
        whole = copied(path, tmp_path / "whole")
    return whole, told


def damaged(whole: Path, folder: Path, log: bytes) -> Path:
    image = copied(whole, folder)
    image.with_name("journal.db-wal").write_bytes(log)
    return image


def expected(told: list[tuple[int, int]], intact: int) -> int:
    return max(seq for size, seq in told if size <= intact)


async def test_a_log_cut_at_any_place_holds_what_came_before(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    whole, told = await cut_images(opener, path, tmp_path)
    log = contents(whole.with_name("journal.db-wal"))
    assert told[-1][0] == len(log) > 0, "no checkpoint came in between"
    frames = range(WAL_HEADER, len(log) + 1, FRAME)
    chance = random.Random(SEED)
    cuts = {0, 1, WAL_HEADER - 1}
    cuts |= {place + extra for place in frames for extra in (-1, 0, 1, 24, 512, 2048)}
    cuts |= {chance.randrange(len(log)) for _ in range(60)}
    seen = set()
    for cut in sorted(cut for cut in cuts if cut <= len(log)):
        exact = expected(told, cut)
        image = damaged(whole, tmp_path / f"cut{cut}", log[:cut])
        seen.add(await check(Image(path=image, told=exact, begun=exact)))
    assert seen == {seq for _, seq in told}


async def test_a_torn_tail_is_dropped_with_its_commit_alone(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    whole, told = await cut_images(opener, path, tmp_path)
    log = contents(whole.with_name("journal.db-wal"))
    chance = random.Random(SEED)
    for number in range(200):
        place = chance.randrange(len(log))
        kind = number % 3
        changed = bytearray(log)
        if kind == 0:  # one bit
            changed[place] ^= 1 << chance.randrange(8)
        elif kind == 1:  # a sector that was never written
            sector = place // 512 * 512
            changed[sector : sector + 512] = bytes(len(changed[sector : sector + 512]))
        else:  # everything from there on is what the card held before
            changed[place:] = chance.randbytes(len(log) - place)
        if bytes(changed) == log:
            continue
        pairs = enumerate(zip(log, changed, strict=True))
        first = next(place for place, (old, new) in pairs if old != new)
        intact = WAL_HEADER + (first - WAL_HEADER) // FRAME * FRAME
        exact = expected(told, intact if first >= WAL_HEADER else 0)
        image = damaged(whole, tmp_path / f"torn{number}", bytes(changed))
        assert await check(Image(path=image, told=exact, begun=exact)) == exact, (
            SEED,
            number,
        )


async def test_images_across_a_checkpoint(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    """The log starts over after its checkpoint; old frames behind it stay dead."""
    images: list[Image] = []
    async with opened(opener, path) as journal:
        writer = journal._scribe.connection
        await writer.execute_fetchall("PRAGMA wal_autocheckpoint = 7")
        for number in range(60):
            await journal.append(events(journal.next_seq, 1 + number % 3))
            last = journal.last_seq
            kept = copied(path, tmp_path / f"image{number}")
            images.append(Image(path=kept, told=last, begun=last))
    logs = [image.path.with_name("journal.db-wal").stat().st_size for image in images]
    assert max(logs) < 20 * FRAME, "checkpoints did happen"
    for image in images:
        await check(image, opener)


async def test_the_checker_can_fail(path: Path, tmp_path: Path) -> None:
    """Negative controls: each kind of loss is seen, or the tests above are void."""
    whole, told = await cut_images(open_inline, path, tmp_path)
    log, last = contents(whole.with_name("journal.db-wal")), told[-1][1]
    dropped = copied(whole, tmp_path / "dropped")
    tampered(dropped, "DELETE FROM event WHERE place = 5")
    changed = copied(whole, tmp_path / "changed")
    tampered(changed, "UPDATE event SET core = core || ' ' WHERE place = 5")
    for image, verdict in (
        # Without a sync the last frame of a commit may be missing, or all of them.
        (damaged(whole, tmp_path / "off", log[:-FRAME]), "told"),
        (damaged(whole, tmp_path / "normal", b""), "told"),
        (dropped, "contiguous"),
        (changed, "unsound"),
    ):
        with pytest.raises(Broken, match=verdict):
            await check(Image(path=image, told=last, begun=last))
    invented = Image(path=copied(whole, tmp_path / "more"), told=1, begun=last - 1)
    with pytest.raises(Broken, match="begun"):
        await check(invented)
    good = copied(whole, tmp_path / "good")
    assert await check(Image(path=good, told=last, begun=last)) == last
