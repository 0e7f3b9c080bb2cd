# SPDX-License-Identifier: Apache-2.0
"""What this site knows of people beside the platform's roster.

The law of the module: the platform's feed never touches it, and it never overrules
the platform. All of it is bounded. It changes by events alone, but for bound cards: a
token stands in no event, so a card is bound by :meth:`LocalRoster.bind`, and whoever
calls that asks for a snapshot in the same commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.core.credential import FIRST_KEY
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.erasing.names import Names
    from edge.core.event import Event
    from edge.core.people.entries import Booking

#: People whom two others vouched for at the panel: a long outage's worth.
MAX_HOLDERS = 200
#: Cards bound here: each is 90 bytes of every snapshot.
MAX_CARDS = 4_000
#: Cards that one holder may bind: identity card, bus card, and their successors.
MAX_CARDS_EACH = 4
#: Holders whose cards were reported lost at the panel.
MAX_REVOKED = 1_000
#: Bookings with cash noted; and how long a note is kept: far beyond the booking
#: window, so that the platform has long answered.
MAX_CASH = 1_000
CASH_LIFE_MS = 92 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHolder:
    """Somebody's roles by the word of two persons, until a time (UTC ms)."""

    roles: tuple[str, ...]
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """What was taken for a booking, what was due then (0: not known), and when."""

    fen: int
    due_fen: int
    noted_ms: int


class LocalRoster:
    """Local holders, bound cards, local revocations and cash, by their names."""

    def __init__(self) -> None:
        self.holders: dict[str, LocalHolder] = {}
        self.revoked: dict[str, str] = {}
        self.cash: dict[str, Cash] = {}
        self._cards: dict[bytes, str] = {}
        #: The number of the site key of each bound card that is not the first's.
        self._card_keys: dict[bytes, int] = {}

    @property
    def cards(self) -> int:
        """How many cards are bound."""
        return len(self._cards)

    def owner(self, *tokens: bytes) -> str | None:
        """Return to whom a card was bound here, by one of its tokens, or None."""
        cards = self._cards
        return next((cards[token] for token in tokens if token in cards), None)

    def owners_under(self, number: int) -> set[str]:
        """Return who has a card bound under that site key, or one before it."""
        return {self._cards[token] for token in self._under(number)}

    def cards_of(self, holder_id: str) -> int:
        """Return how many cards are bound to a holder."""
        return sum(owner == holder_id for owner in self._cards.values())

    def is_settled(self, booking: Booking) -> bool:
        """Say whether cash was noted for what the platform still calls due.

        Whatever was taken settles the sum that was due then. Once the platform names
        another sum, it has spoken and the note is void.
        """
        cash = self.cash.get(booking.booking_id)
        if cash is None:
            return False
        return booking.due_fen == cash.due_fen or (
            not cash.due_fen and booking.due_fen <= cash.fen
        )

    def bind(self, token: bytes, holder_id: str, key: int = FIRST_KEY) -> None:
        """Make a card a holder's; the caller asks for a snapshot in this commit.

        ``key`` is the number of the site key under which the token is.
        """
        self._cards[token] = holder_id
        if key != FIRST_KEY:
            self._card_keys[token] = key

    def rekey(self, shown: Credential) -> bool:
        """Know a card that is bound under a former key by its token of today.

        Say whether there was one; then the caller asks for a snapshot.
        """
        before = [token for _, token in shown.former if token in self._cards]
        if not before:
            return False
        owner = self._cards.get(shown.token, self._cards[before[0]])
        self._drop(before)
        self.bind(shown.token, owner, shown.key)
        return True

    def unbind(self, owners: set[str]) -> None:
        """Forget the cards of these holders; the caller asks for a snapshot."""
        self._drop([token for token, owner in self._cards.items() if owner in owners])

    def unbind_under(self, number: int) -> None:
        """Forget the cards of a site key that is given up, and of those before it."""
        self._drop(self._under(number))

    def _under(self, number: int) -> list[bytes]:
        keys = self._card_keys
        return [each for each in self._cards if keys.get(each, FIRST_KEY) <= number]

    def _drop(self, tokens: list[bytes]) -> None:
        for token in tokens:
            self._cards.pop(token, None)
            self._card_keys.pop(token, None)

    def owners(self) -> set[str]:
        """Return the holders who have a card bound here."""
        return set(self._cards.values())

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed; one erased is nobody's."""
        if event.kind is EventKind.LOCAL_CHANGED and event.person.holder is not None:
            self._follow_change(event, event.person.holder)
        elif event.kind is EventKind.CASH_NOTED and event.person.booking is not None:
            self._follow_cash(event, event.person.booking)

    def _follow_change(self, event: Event, holder_id: str) -> None:
        match event.fact("what"):
            case "held":
                roles = tuple(str(event.fact("roles") or "").split())
                until_ms = int(event.fact("until") or 0)
                self.holders[holder_id] = LocalHolder(roles=roles, until_ms=until_ms)
            case "released" | "ended":
                self.holders.pop(holder_id, None)
            case "revoked":
                self.revoked[holder_id] = str(event.fact("reason"))
            case "restored":
                self.revoked.pop(holder_id, None)
            case _:
                pass

    def _follow_cash(self, event: Event, booking_id: str) -> None:
        noted_ms = event.moment.earliest_ms
        self.cash = {
            name: cash
            for name, cash in self.cash.items()
            if noted_ms - cash.noted_ms < CASH_LIFE_MS
        }
        before = self.cash.get(booking_id)
        self.cash[booking_id] = Cash(
            fen=int(event.fact("fen") or 0) + (before.fen if before else 0),
            due_fen=int(event.fact("due") or 0),
            noted_ms=noted_ms,
        )

    def forget(self, names: Names) -> None:
        """Forget a person's roles, cards, revocation and cash."""
        self.holders.pop(names.holder, None)
        self.revoked.pop(names.holder, None)
        self.unbind({names.holder})
        for booking in names.bookings:
            self.cash.pop(booking, None)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "local_holders": [
                [name, list(held.roles), held.until_ms]
                for name, held in self.holders.items()
            ],
            "local_revoked": dict(self.revoked),
            "local_cash": [
                [name, cash.fen, cash.due_fen, cash.noted_ms]
                for name, cash in self.cash.items()
            ],
            "local_cards": {token.hex(): name for token, name in self._cards.items()},
            "local_card_keys": {
                token.hex(): number for token, number in self._card_keys.items()
            },
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; an older one knows nobody."""
        self.holders = {
            name: LocalHolder(roles=tuple(roles), until_ms=until_ms)
            for name, roles, until_ms in state.get("local_holders", ())
        }
        self.revoked = dict(state.get("local_revoked", {}))
        self.cash = {
            name: Cash(fen=fen, due_fen=due_fen, noted_ms=noted_ms)
            for name, fen, due_fen, noted_ms in state.get("local_cash", ())
        }
        cards = state.get("local_cards", {})
        self._cards = {bytes.fromhex(token): name for token, name in cards.items()}
        keys = state.get("local_card_keys", {})
        self._card_keys = {bytes.fromhex(token): n for token, n in keys.items()}
