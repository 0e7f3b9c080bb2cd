# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is at which tablet, and until when.

The law of the module: a session belongs to one tablet and one log-in; a new one ends
the one before. A volunteer's lasts as long as the shift and is never ended by being
idle; a manager's or an installer's ends after a quarter of an hour without a press,
after eight hours, and with a restart. Only a hash of its secret is kept.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from edge.accounts.codes import hash_of
from edge.accounts.lockout import elapsed_s
from edge.accounts.people import Role, Session
from edge.core.duty.shift import MAX_SHIFT_MIN, closing_ms

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.accounts.people import Account, Tablet
    from edge.core.moment import Moment

SECRET_BYTES = 32
IDLE_S = 15 * 60.0
LONGEST_S = 8 * 3600.0
#: Whose clock is this unsure does not know when it is closing time.
SURE_MS = 60_000


def new_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(SECRET_BYTES)


class Sessions:
    """The turns that run, one a tablet at most."""

    def __init__(self, *, closing_min: int, utc_offset_ms: int) -> None:
        self._closing_min = closing_min
        self._utc_offset_ms = utc_offset_ms
        self._by_secret: dict[str, Session] = {}
        self._used: dict[str, Moment] = {}

    @property
    def running(self) -> tuple[Session, ...]:
        """All of them, the oldest first."""
        return tuple(self._by_secret.values())

    def begin(
        self,
        tablet: Tablet,
        now: Moment,
        *,
        account: Account | None,
        holder: str,
        role: Role,
        has_shift: bool,
    ) -> tuple[Session, str]:
        """Begin a turn; return it and its secret, which is told this once."""
        secret, name = new_secret(), secrets.token_hex(4)
        session = Session(
            id=name,
            secret=hash_of(secret),
            tablet=tablet.id,
            actor=account.id if account else f"card-{name}",
            account=account.id if account else "",
            holder=holder,
            name=account.name if account else "",
            role=role,
            has_shift=has_shift,
            since=now.as_kept(),
        )
        self.keep(session, now)
        return session, secret

    def keep(self, session: Session, now: Moment) -> None:
        """Take a session in; it is as fresh as ``now``."""
        self._by_secret[session.secret] = session
        self._used[session.id] = now

    def of_tablet(self, tablet: str) -> tuple[Session, ...]:
        """Return the turns at a tablet."""
        return tuple(s for s in self.running if s.tablet == tablet)

    def find(self, tablet: str, secret: str) -> Session | None:
        """Return the turn that a secret of this tablet names."""
        session = self._by_secret.get(hash_of(secret)) if secret else None
        return session if session and session.tablet == tablet else None

    def is_over(self, session: Session, now: Moment, on_duty: Collection[str]) -> bool:
        """Say whether a turn has ended by itself."""
        if session.role is not Role.VOLUNTEER:
            idle_s = elapsed_s(self._used[session.id], now)
            return idle_s >= IDLE_S or elapsed_s(session.since, now) >= LONGEST_S
        if session.has_shift:
            return session.holder not in on_duty
        if elapsed_s(session.since, now) >= MAX_SHIFT_MIN * 60:
            return True
        since = session.since
        if since.latest_ms - since.earliest_ms > SURE_MS:
            return False
        closed_ms = closing_ms(
            since.earliest_ms, self._closing_min, self._utc_offset_ms
        )
        return now.earliest_ms >= closed_ms

    def use(self, session: Session, now: Moment) -> None:
        """Note that somebody pressed something."""
        self._used[session.id] = now

    def end(self, session: Session) -> None:
        """Forget a turn."""
        self._by_secret.pop(session.secret, None)
        self._used.pop(session.id, None)
