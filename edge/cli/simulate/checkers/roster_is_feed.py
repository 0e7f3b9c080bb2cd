# SPDX-License-Identifier: Apache-2.0
"""The roster that decides is what the platform wrote at that place of its feed.

The law of the module: the rows of each revision as the platform wrote them, read a
second time, against what the adopted roster says of everybody who may come. With it
the oracle may take a roster at its word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import FeedWritten, RosterAdopted, Violation
from edge.cli.simulate.oracle.book import read_roster, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.cli.simulate.oracle.book import Book
    from edge.core.people.entries import Booking

    #: The feed's rows as canonical text, by kind and id.
    Texts = Mapping[tuple[str, str], str]


class RosterIsFeed:
    """Reads each roster that is adopted, and its rows."""

    name = "the roster is a revision of the feed"
    heeds: Kinds = frozenset({FeedWritten, RosterAdopted})

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._newest: Texts = {}
        #: All rows by epoch and revision: a box may adopt an old one late.
        self._written: dict[tuple[str, int], Texts] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case FeedWritten(texts=texts):
                newest = {**self._newest, **texts}
                self._newest = {k: t for k, t in newest.items() if t is not None}
                self._written[seen.epoch, seen.revision] = self._newest
            case RosterAdopted(roster=roster) if roster.cursor.epoch:
                self._compare(seen)
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """Do nothing: each roster was read when it came into force."""

    def _compare(self, seen: RosterAdopted) -> None:
        cursor = seen.roster.cursor
        texts = self._written.get((cursor.epoch, cursor.revision))
        if texts is None:
            raise Violation(self.name, f"nobody wrote {cursor}")
        offset_ms, first = self._ground.plan.utc_offset_ms, self._ground.first
        written = read_rows(texts.values(), cursor.revision, offset_ms, first)
        adopted = read_roster(seen.roster, self._ground.holders, offset_ms, first)
        asked_for = self._ground.holders.keys()
        known = {t: who for t, who in written.tokens.items() if t in asked_for}
        for what in differences(adopted, replace(written, tokens=known)):
            raise Violation(self.name, f"{cursor}: {what} are others")


def differences(adopted: Book, written: Book) -> list[str]:
    """Return what of a roster is not as it was written."""
    by_name = sorted(written.bookings, key=_name), sorted(adopted.bookings, key=_name)
    pairs = {
        "holders": (adopted.holders, written.holders),
        "credentials": (adopted.tokens, written.tokens),
        "bookings": by_name,
        "lost credentials": (adopted.revoked_tokens, written.revoked_tokens),
        "revoked holders": (adopted.revoked_holders, written.revoked_holders),
        "cancelled tickets": (adopted.revoked_tickets, written.revoked_tickets),
        "policies": (_told(adopted), _told(written)),
    }
    return [what for what, (one, other) in pairs.items() if one != other]


def _name(booked: tuple[str, Booking]) -> tuple[str, str]:
    holder, booking = booked
    return holder, booking.booking_id


def _told(book: Book) -> list[str]:
    return sorted(
        f"{policy.role} {sorted(policy.places)} {policy.hours}"
        for policy in book.policies
    )
