# SPDX-License-Identifier: Apache-2.0
"""KERONG CU lock-control boards (first generation): the common machine, their wire.

The law of the module: it joins and decides nothing. A board may stay busy after an
unlock and ignore everything, so that it must have answered a moment before each
opening; one that does not is cleared and asked again in steps of 0.1, 0.15 and 0.2 s.
The unlock itself is sent once: that the board ignored it can't be known.

Source: CartWise, KR-CU16 (busy boards); see :mod:`drivers.locks.kerong_wire`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drivers.locks.kerong_wire import (
    BOARDS,
    MAX_CHANNELS,
    answers,
    clear,
    frame_at,
    open_one,
    query_all,
)
from drivers.locks.lock_boards import LockBoards
from drivers.locks.lock_options import LockBoardOptions
from drivers.locks.lock_wire import LockWire

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An unlock has no reply; the board gets this to drive the lock before it is asked.
OPENING_PAUSE_S = 0.2

KERONG = LockWire(
    addresses=BOARDS,
    open_one=open_one,
    query_all=query_all,
    frame_at=frame_at,
    answers=answers,
    clear=clear,
    looks_first=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KerongOptions(LockBoardOptions):
    """``open_reply_s``: until when a lock that stays closed may still open."""

    most_channels: ClassVar[int] = MAX_CHANNELS

    channels: int = MAX_CHANNELS

    @property
    def opening_wait_s(self) -> float:
        """How long the line is left alone behind an opening."""
        return OPENING_PAUSE_S


class KerongBoards(LockBoards):
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, boards: Mapping[int, KerongOptions]) -> None:
        super().__init__(wire=KERONG, boards=boards)
