# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards of the "8A" family: the common machine with their wire.

The law of the module: it joins and decides nothing. The first question is "query
one", whose reply can't be its echo; that of an opening or of a small board may be.

Source: see :mod:`drivers.locks.family_8a_wire`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.locks.family_8a_wire import (
    MAX_ADDRESS,
    answers,
    frame_at,
    open_one,
    query_all,
    query_one,
)
from drivers.locks.lock_boards import LockBoards
from drivers.locks.lock_wire import LockWire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.locks.family_8a_unit import LockerBoardOptions

LOCKER_8A = LockWire(
    addresses=range(1, MAX_ADDRESS + 1),
    open_one=open_one,
    query_all=query_all,
    frame_at=frame_at,
    answers=answers,
    probe=query_one,
)


class LockerBoards(LockBoards):
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, boards: Mapping[int, LockerBoardOptions]) -> None:
        super().__init__(wire=LOCKER_8A, boards=boards)
