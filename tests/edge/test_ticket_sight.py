# SPDX-License-Identifier: Apache-2.0
"""Which keys a site believes at this moment, and what each may speak for."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bindings.ticket_keys import TicketKey, TicketKeys
from edge.cli.ticket.writer import TicketOrder, payload_of, signed, static_text
from edge.cli.ticket_sight import TicketSight
from edge.core.access.ticket import ShownTicket, SpoiltTicket, Ticket, TicketFlaw
from edge.core.clock import IntervalClock
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.people.local import LocalRoster
from edge.core.people.rolls import Rolls
from edge.core.people.roster_row import TicketKey as KeyRow
from tests.core.scene import HOUR_MS, SITE, clock_ms, roster

NOW_MS = clock_ms("15:00")
ID, OTHER_ID = b"\x01", b"\x02"
#: So far ahead may an issuer's clock be.
ISSUER_SLACK_MS = 120_000
DOORS = ("kitchen-door", 12)
FILE, PLATFORM, OLD = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32


class Watch:
    """A clock without an upper bound."""

    def __init__(self) -> None:
        self._clock = IntervalClock(floor_ms=NOW_MS - HOUR_MS, now_s=0.0)
        self.raise_floor = lambda lo_ms: self._clock.raise_floor(lo_ms, 0.0)

    def now(self) -> Moment:
        """Return this instant."""
        lo_ms, hi_ms = self._clock.interval(0.0)
        return Moment(monotonic_s=0.0, earliest_ms=lo_ms, latest_ms=hi_ms, boot="b")


def public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def row(seed: bytes, key_id: bytes = ID, doors: tuple[str, ...] = ()) -> KeyRow:
    return KeyRow(
        key_id=key_id,
        public=public(seed),
        issuer="hz1",
        from_ms=0,
        to_ms=UNBOUNDED_MS,
        doors=doors,
    )


def ticket(seed: bytes, key_id: bytes = ID) -> bytes:
    order = TicketOrder(
        issuer="hz1",
        site=SITE.site_id,
        doors=DOORS,
        from_s=NOW_MS // 1000,
        to_s=(NOW_MS + HOUR_MS) // 1000,
        issued_s=NOW_MS // 1000,
        ticket_id=b"ticket-1",
    )
    return static_text(signed(payload_of(order), key_id, seed)).encode()


class Gate:
    """A site with one key in its file, and a feed."""

    def __init__(self, *rows: KeyRow) -> None:
        self.rolls = Rolls(SITE, LocalRoster())
        self.clock = Watch()
        own = TicketKeys(keys=(TicketKey(key_id=ID, public=public(FILE)),))
        self.sight = TicketSight(self.rolls, self.clock, own)
        self.feed(*rows)

    def feed(self, *rows: KeyRow) -> None:
        """Let the platform's feed hold these keys."""
        self.rolls.adopt(roster(*rows), NOW_MS)

    def reads(self, text: bytes) -> ShownTicket:
        """Read a text."""
        return self.sight.read(text)


def test_the_files_key_holds_until_the_feed_has_one() -> None:
    gate = Gate()
    assert isinstance(gate.reads(ticket(FILE)), Ticket)
    gate.feed(row(PLATFORM, OTHER_ID))
    read = gate.reads(ticket(FILE))
    assert isinstance(read, SpoiltTicket)
    assert read.flaw is TicketFlaw.KID_UNKNOWN
    assert isinstance(gate.reads(ticket(PLATFORM, OTHER_ID)), Ticket)


def test_a_key_that_the_feed_withdraws_holds_no_more() -> None:
    gate = Gate(row(OLD), row(PLATFORM, OTHER_ID))
    assert isinstance(gate.reads(ticket(OLD)), Ticket)
    gate.feed(row(PLATFORM, OTHER_ID))
    assert isinstance(gate.reads(ticket(OLD)), SpoiltTicket)


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ((), DOORS),
        (("kitchen-door",), ("kitchen-door",)),
        (("12", "hall-door"), (12,)),
        (("hall-door",), ()),
    ],
)
def test_a_key_speaks_for_its_own_doors(
    limit: tuple[str, ...], left: tuple[str | int, ...]
) -> None:
    read = Gate(row(PLATFORM, doors=limit)).reads(ticket(PLATFORM))
    assert isinstance(read, Ticket)
    assert read.doors == left


def test_of_keys_with_one_id_it_is_the_signers_doors_that_count() -> None:
    gate = Gate(row(OLD, doors=("kitchen-door",)), row(PLATFORM, doors=("12",)))
    for seed, left in ((OLD, ("kitchen-door",)), (PLATFORM, (12,))):
        read = gate.reads(ticket(seed))
        assert isinstance(read, Ticket)
        assert read.doors == left


def test_a_ticket_that_holds_raises_the_clocks_floor_and_no_other_does() -> None:
    gate = Gate()
    gate.reads(ticket(PLATFORM))
    assert gate.clock.now().earliest_ms == NOW_MS - HOUR_MS
    gate.reads(ticket(FILE))
    assert gate.clock.now().earliest_ms == NOW_MS - ISSUER_SLACK_MS
