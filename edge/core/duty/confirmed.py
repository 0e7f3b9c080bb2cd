# SPDX-License-Identifier: Apache-2.0
"""What the social worker confirmed at the platform, taken once each.

The law of the module: a confirmation comes with every snapshot of the feed for as
long as it stands there, and becomes one event: the shift remembers the number of the
last one. One of a shift that runs, or that is not known here, waits for its end or
for ever. A month at once is taken in slices, so that no door waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.core.duty.ledger import Ledger
    from edge.core.duty.shift import Shift
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.people.shift_row import ShiftRow

#: Events of one tick.
SLICE = 20
#: A holder, and the boot and monotonic millisecond in which a shift of his began.
Name = tuple[str, str, int]


class Confirmed:
    """The platform's word on shifts; ``tell`` makes the event of one."""

    def __init__(
        self,
        ledger: Ledger,
        tell: Callable[[int, ShiftRow, Moment], None],
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._rows: dict[Name, ShiftRow] = {}
        #: Whether a shift may have a confirmation that was not taken yet.
        self.waits = False

    def adopt(self, rows: Iterable[ShiftRow]) -> None:
        """Take over what a feed says."""
        self._rows = {(each.holder_id, each.boot, each.began_m): each for each in rows}
        self.waits = bool(self._rows)

    def follow(self, event: Event) -> None:
        """Look again once a shift has ended."""
        if event.kind is EventKind.DUTY_ENDED:
            self.waits = bool(self._rows)

    def settle(self, now: Moment) -> None:
        """Take the next of what is new."""
        if not self.waits:
            return
        new = [
            (seq, row)
            for seq, shift in self._ledger.shifts.items()
            if not shift.is_running
            and (row := self._rows.get(_name(shift))) is not None
            and row.number > shift.confirmation
        ]
        self.waits = len(new) > SLICE
        for seq, row in new[:SLICE]:
            self._tell(seq, row, now)


def _name(shift: Shift) -> Name:
    return shift.holder, shift.since.boot, shift.since.monotonic_ms
