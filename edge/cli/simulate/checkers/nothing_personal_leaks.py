# SPDX-License-Identifier: Apache-2.0
"""Planted identity numbers, codes and tokens turn up nowhere.

The law of the module: it looks through all that leaves the rules or reaches the
platform, as text; who is named by the personal part is named by the platform's own
identifier. A token is as bad as its number: it would know the person again.
Source: ARCHITECTURE.md, law "An identity number exists only inside one function".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Happened, Ordered, Stormed, Violation
from edge.core.command import Indicate
from edge.core.event import encode_core, encode_person

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest


class NothingPersonalLeaks:
    """Looks for what was planted."""

    name = "planted numbers appear nowhere"
    heeds: Kinds = frozenset({Handled, Happened, Ordered, Stormed})

    def __init__(self, ground: Ground) -> None:
        tokens = {token.hex() for token in ground.holders}
        self._planted = sorted(ground.planted | tokens)
        #: A row of letters and digits as long as the shortest planted one: most texts
        #: have none, and then hold nothing planted.
        shortest = min(map(len, self._planted), default=0)
        is_plain = all(planted.isalnum() for planted in self._planted)
        self._suspicious = re.compile(rf"\w{{{shortest}}}" if is_plain else "")
        self._holders = frozenset(ground.holders.values())

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Handled(events=events, commands=commands, stimulus=stimulus):
                for event in events:
                    told = encode_core(event)
                    self._look(told, f"the core of {event.seq}")
                    self._look(encode_person(event.person), f"who {event.seq} names")
                    self._is_impersonal(told, event.seq)
                for command in commands:
                    if isinstance(command, Indicate):
                        self._look(repr(command), f"what {command.access_point} shows")
                if stimulus is not None:
                    self._look(repr(stimulus), "a stimulus in words")
            case Happened(happening=happening):
                self._look(happening.detail, f"what {happening.name} shows")
            case Ordered() | Stormed():
                self._look(repr(seen), "the trace")
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """Look through journal and platform."""
        for record in rest.journal:
            self._look(f"{record.core}{record.pii}", f"row {record.seq}")
        for item in rest.ledger:
            self._look(f"{item.core}{item.pii}", f"{item.seq} at the platform")

    def _look(self, text: str, where: str) -> None:
        if self._suspicious.search(text) is None:
            return
        for planted in self._planted:
            if planted in text:
                # What it is must not be told on: it would stand in the trace.
                raise Violation(self.name, f"{where} holds {len(planted)} characters")

    def _is_impersonal(self, core: str, seq: int) -> None:
        """Who is meant stands in the personal part alone, or could not be erased."""
        if '"h-' in core and any(f'"{holder}"' in core for holder in self._holders):
            raise Violation(self.name, f"the core of {seq} names a holder")
