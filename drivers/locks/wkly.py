# SPDX-License-Identifier: Apache-2.0
"""WKLY lock-control boards: the common machine with their wire.

The law of the module: it joins and decides nothing. Some boards never answer an
opening: then the lock is asked for first, and all others behind it. What a board says
of a lock by itself (85) is believed like an answer.

Source: see :mod:`drivers.locks.wkly_wire`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drivers.locks.lock_boards import LockBoards
from drivers.locks.lock_options import LockBoardOptions
from drivers.locks.lock_wire import LockWire
from drivers.locks.wkly_wire import (
    BOARDS,
    MAX_CHANNELS,
    answers,
    frame_at,
    open_one,
    query_all,
    query_one,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

WKLY = LockWire(
    addresses=BOARDS,
    open_one=open_one,
    query_all=query_all,
    frame_at=frame_at,
    answers=answers,
    query_one=query_one,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WklyOptions(LockBoardOptions):
    """``channels``: 12 and 24 are on the market; a board may have more than named."""

    most_channels: ClassVar[int] = MAX_CHANNELS

    channels: int = 12


class WklyBoards(LockBoards):
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, boards: Mapping[int, WklyOptions]) -> None:
        super().__init__(wire=WKLY, boards=boards)
