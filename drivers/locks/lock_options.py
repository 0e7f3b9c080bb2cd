# SPDX-License-Identifier: Apache-2.0
"""What a lock-control board can be set to, whatever its family.

The law of the module: the names and defaults that all families share; a family names
its own channels and what differs. That a lock feeds back at all and with which level
is a matter of the lock and its switch, never of the protocol.

Source: Open-Locker ADR-0035 and ADR-0067; WjlLockDriver of dp2 (timing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.options import between


@dataclass(frozen=True, slots=True, kw_only=True)
class LockBoardOptions:
    """``closed_is``: the feedback bit of a closed lock; it depends on the locks.

    ``open_reply_s``: how late the reply to an opening, or its feedback, may come.
    ``turnaround_s`` belongs to the line: the largest of its units counts.
    """

    most_channels: ClassVar[int]
    least_open_reply_s: ClassVar[float] = 0.5

    channels: int
    closed_is: int = 1
    poll_s: float = 2.0
    probe_s: float = 30.0
    reply_timeout_s: float = 0.3
    open_reply_s: float = 1.5
    turnaround_s: float = 0.005

    def __post_init__(self) -> None:
        between("channels", self.channels, 1, self.most_channels)
        between("closed_is", self.closed_is, 0, 1)
        between("poll_s", self.poll_s, 0.1, 60.0)
        between("probe_s", self.probe_s, 1.0, 600.0)
        between("reply_timeout_s", self.reply_timeout_s, 0.05, 2.0)
        between("open_reply_s", self.open_reply_s, self.least_open_reply_s, 5.0)
        between("turnaround_s", self.turnaround_s, 0.005, 0.2)

    @property
    def opening_wait_s(self) -> float:
        """How long the line is kept free for the reply to an opening."""
        return self.open_reply_s
