# SPDX-License-Identifier: Apache-2.0
"""How many of a booking's party are inside, at least and at most.

The law of the module: made of events alone. A booking counts who is inside and who was
let in just now. Whoever left without a name may be anybody: then fewer may be inside.
Source: ARCHITECTURE.md, "A booking counts who is inside".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True, kw_only=True)
class _Party:
    """``let_in``: ever let in. ``coming``: let in, and not yet known to have come."""

    space: str
    holder: str
    let_in: int = 0
    coming: int = 0
    least: int = 0
    most: int = 0
    #: Whether somebody came in after the last exit that a reader saw.
    is_back: bool = False


class Parties:
    """Every booking's party; ``holder`` and ``space`` are ids, persons are counts."""

    def __init__(self) -> None:
        self._parties: dict[str, _Party] = {}
        #: Spaces that somebody left without a name while others were inside.
        self._doubtful: set[str] = set()

    def used(self, booking: str) -> tuple[int, int]:
        """Return how many count under a booking, at least and at most."""
        party = self._parties.get(booking)
        if party is None:
            return 0, 0
        least, most = party.least + party.coming, party.most + party.coming
        return min(party.let_in, least), min(party.let_in, most)

    def let_in(self, booking: str, space: str, holder: str, persons: int) -> None:
        """Take a grant whose door has not opened yet."""
        party = self._party(booking, space, holder)
        party.let_in += persons
        party.coming += persons

    def annul(self, booking: str, persons: int) -> None:
        """Give a grant back that nobody used."""
        party = self._parties[booking]
        party.let_in -= persons
        party.coming -= persons

    def came(self, booking: str, persons: int) -> None:
        """Take a grant that was used."""
        party = self._parties[booking]
        party.coming -= persons
        party.least += persons
        party.most += persons
        party.is_back = True

    def brought(self, booking: str, space: str, persons: int) -> None:
        """Take people whom a volunteer let in under a booking, if they came."""
        self._party(booking, space, "").most += persons

    def left(self, space: str, holder: str, persons: int | None) -> None:
        """Take an exit by a reader: of so many, None if that is not known."""
        for party in self._in(space):
            if party.holder == holder:
                party.is_back = False
            if space in self._doubtful or (party.holder == holder and persons is None):
                party.least = 0
            elif party.holder == holder and persons is not None:
                party.least = max(0, party.least - persons)
                party.most = max(0, party.most - persons)

    def somebody_left(self, space: str) -> None:
        """Take an exit of whom no reader saw."""
        self._doubtful.add(space)
        for party in self._in(space):
            party.least = max(0, party.least - 1)

    def closed(self, booking: str, *, by_exit: bool) -> None:
        """Take the end of a visit; who came back since is in the next one."""
        party = self._parties.get(booking)
        if party is not None:
            party.least = 0
            party.most *= by_exit and party.is_back

    def counted(self, space: str, persons: int) -> None:
        """Take what a volunteer counted: whose they are he did not say."""
        for party in self._in(space):
            party.least = 0
            party.most *= persons > 0
        if persons == 0:
            self._doubtful.discard(space)

    def _party(self, booking: str, space: str, holder: str) -> _Party:
        return self._parties.setdefault(booking, _Party(space=space, holder=holder))

    def _in(self, space: str) -> Iterator[_Party]:
        return (party for party in self._parties.values() if party.space == space)
