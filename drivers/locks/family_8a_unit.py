# SPDX-License-Identifier: Apache-2.0
"""What an "8A" lock-control board can be set to.

The law of the module: only what differs from :mod:`drivers.locks.lock_options`.

Source: Open-Locker ADR-0067 and the vendor text in WjlLockDriver of dp2, which name
0.5 to 1 s between an opening and its reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.locks.family_8a_wire import MAX_CHANNELS
from drivers.locks.lock_options import LockBoardOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardOptions(LockBoardOptions):
    """See :class:`drivers.locks.lock_options.LockBoardOptions`."""

    most_channels: ClassVar[int] = MAX_CHANNELS
    least_open_reply_s: ClassVar[float] = 1.5

    channels: int = 24
