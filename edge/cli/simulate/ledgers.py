# SPDX-License-Identifier: Apache-2.0
"""The journal as the simulated boot drives it: by hand, and sometimes slowly.

The law of the module: the real journal over the simulated disk; what is added is the
time that a commit takes, and on which side of it the rows are written.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Stored
from edge.cli.simulate.clockwork import Promise, finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.simulate.clockwork import BootTime
    from edge.cli.simulate.disk import Disk
    from edge.cli.simulate.witness import Witness
    from edge.core.event import Event
    from edge.storage.journal import Journal


class SlowJournal:
    """What the gateway calls its journal."""

    def __init__(
        self, journal: Journal, disk: Disk, boot: BootTime, witness: Witness
    ) -> None:
        self.journal = journal
        self._witness = witness
        self._disk = disk
        self._boot = boot

    @property
    def next_seq(self) -> int:
        """The number that the next event must carry."""
        return self.journal.next_seq

    def begin_append(
        self, events: Sequence[Event], state: str | None = None
    ) -> Promise:
        """Store the events in one commit; most often it is over at once."""
        promise = Promise(self._boot)
        takes_s = self._disk.patience_s()
        if takes_s:
            store = partial(self._store, promise, events, state)
            self._boot.call_later(takes_s, store)
        else:
            self._store(promise, events, state)
        return promise

    async def new_epoch(self) -> str:
        """Begin a new epoch."""
        return await self.journal.new_epoch()

    def _store(
        self, promise: Promise, events: Sequence[Event], state: str | None
    ) -> None:
        try:
            finished(self.journal.append(events, state))
        except Exception as error:  # noqa: BLE001  the gateway's to look at
            promise.set_exception(error)
        else:
            last_seq = self.journal.last_seq
            self._witness.tell(Stored, last_seq=last_seq, count=len(events))
            promise.set_result(None)
