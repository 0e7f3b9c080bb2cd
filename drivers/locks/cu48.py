# SPDX-License-Identifier: Apache-2.0
"""KERONG CU48 lock-control boards (second generation): the machine with their wire.

The law of the module: it joins and decides nothing.

Source: see :mod:`drivers.locks.cu48_wire`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drivers.locks.cu48_wire import (
    DEVICES,
    MAX_CHANNELS,
    answers,
    frame_at,
    open_one,
    query_all,
)
from drivers.locks.lock_boards import LockBoards
from drivers.locks.lock_options import LockBoardOptions
from drivers.locks.lock_wire import LockWire

if TYPE_CHECKING:
    from collections.abc import Mapping

CU48 = LockWire(
    addresses=DEVICES,
    open_one=open_one,
    query_all=query_all,
    frame_at=frame_at,
    answers=answers,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cu48Options(LockBoardOptions):
    """See :class:`drivers.locks.lock_options.LockBoardOptions`."""

    most_channels: ClassVar[int] = MAX_CHANNELS

    channels: int = MAX_CHANNELS


class Cu48Boards(LockBoards):
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, boards: Mapping[int, Cu48Options]) -> None:
        super().__init__(wire=CU48, boards=boards)
