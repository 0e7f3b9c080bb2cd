# SPDX-License-Identifier: Apache-2.0
"""What a GPIO link and its driver say to each other, as records of fixed size.

The law of the module: bytes to values and back. It is no wire of any maker's; it lets
lines of a chip be a device like all others, played and replayed as bytes.
Levels are logical: active is 1, whatever the voltage.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kind, line offset, sequence number of the line's events.
_SEEN = struct.Struct(">BxHI")
#: Kind, line offset.
_WISH = struct.Struct(">BxH")
SEEN_BYTES = _SEEN.size
WISH_BYTES = _WISH.size
#: Sequence numbers are 32 bits wide in the kernel's events, and begin with 1.
SEQUENCE_MASK = 0xFFFF_FFFF


class Seen(IntEnum):
    """How a level became known; the lowest bit is the level."""

    EDGE_TO_INACTIVE = 0
    EDGE_TO_ACTIVE = 1
    READ_INACTIVE = 2
    READ_ACTIVE = 3


class Wish(IntEnum):
    """What the driver wants of a line."""

    READ = 0
    SET_INACTIVE = 1
    SET_ACTIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line's level: behind an edge with that ``sequence``, or as it was read."""

    offset: int
    is_active: bool
    is_edge: bool
    sequence: int = 0


def edge(offset: int, sequence: int, *, is_active: bool) -> bytes:
    """Write an edge."""
    kind = Seen.EDGE_TO_ACTIVE if is_active else Seen.EDGE_TO_INACTIVE
    return _SEEN.pack(kind, offset, sequence & SEQUENCE_MASK)


def level_read(offset: int, *, is_active: bool) -> bytes:
    """Write a level that was asked for."""
    kind = Seen.READ_ACTIVE if is_active else Seen.READ_INACTIVE
    return _SEEN.pack(kind, offset, 0)


def wish(kind: Wish, offset: int) -> bytes:
    """Write what is wanted of a line."""
    return _WISH.pack(kind, offset)


def seen(record: bytes | bytearray) -> Level | None:
    """Read one record of what was seen; None for what is none."""
    kind, offset, sequence = _SEEN.unpack(record)
    if kind not in list(Seen):
        return None
    return Level(
        offset=offset,
        is_active=bool(kind & 1),
        is_edge=kind <= Seen.EDGE_TO_ACTIVE,
        sequence=sequence,
    )


def wishes(data: bytes) -> Iterator[tuple[Wish, int]]:
    """Read what a driver wants; ValueError for what no driver writes."""
    for kind, offset in _WISH.iter_unpack(data):
        yield Wish(kind), offset
