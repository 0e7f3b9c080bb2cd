# SPDX-License-Identifier: Apache-2.0
"""Whether what a reader tells of people may be left from a time when nobody asked.

The law of the module: a reader keeps cards and keys until it is polled, for minutes
if it must; so after a gap none counts until a poll that was first asked behind the
gap has brought nothing. A poll from before may be repeated: its answer is kept too.

Source: libosdp, src/osdp_pd.c (events wait in a queue for the next poll; a repeated
question gets the answer of before).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.osdp.messages import ACK, POLL

if TYPE_CHECKING:
    from drivers.osdp.messages import Command, Reply

#: A scan that is older opens nothing; a reader may be BUSY or unheard for longer.
MOST_AGE_S = 2.0
#: A reader that has more to tell, or tells for ever, is asked at its usual beat.
MOST_WAITING = 32


class Backlog:
    """What may wait inside one reader."""

    def __init__(self) -> None:
        self._is_new_poll = False
        self._polled_at = 0.0
        self._brought = 0
        #: Whether cards and keys may be old.
        self.is_possible = True

    def begin(self) -> None:
        """Take note of a gap; a question in flight was asked before it."""
        self._is_new_poll = False
        self._brought = 0
        self.is_possible = True

    @property
    def is_urgent(self) -> bool:
        """Whether the next poll should come at once: somebody may stand there."""
        return self.is_possible and self._brought < MOST_WAITING

    def asked(self, command: Command) -> None:
        """Take note of a question, not of its repeats."""
        self._is_new_poll = command is POLL

    def answered(self, reply: Reply, now: float) -> None:
        """Take note of an answer, before anything in it counts."""
        if now - self._polled_at > MOST_AGE_S:
            self.is_possible = True
        if self._is_new_poll:
            self._polled_at = now
            self._brought += 1
            if reply is ACK:
                self._brought = 0
                self.is_possible = False
