# SPDX-License-Identifier: Apache-2.0
"""Where the probes work: who enters, on which topics, and what must be cleared after.

The law of the module: nothing is written outside ``mn/v1/…`` of the probing gateway and
the other one, nor on a last level that means anything to a platform; the gateway's
account has one connection at a time, since a sound broker gives it one client id. What
outlives a connection is noted here before it is made, so that it can be cleared.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.connection import (
    BrokerError,
    Connection,
    Door,
    Manner,
    RefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.broker_doctor.account import Account
    from edge.cli.broker_doctor.budget import Budget

#: For what comes within a millisecond on a quiet line, from anywhere in the country.
ARRIVES_WITHIN_S = 1.5
#: After a later message has arrived, an earlier one is not far.
SETTLES_WITHIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The broker and the accounts that the doctor was given.

    Without ``platform`` the gateway's account also listens for it, which only a broker
    without access control allows. ``outside`` is this machine's address as others see
    it, "" if it has none.
    """

    door: Door
    gateway: Account
    other: Account
    platform: Account | None = None
    shard: str = "00"
    plain_port: int = 1883
    outside: str = ""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run of the doctor; ``far`` is the platform's side once it is open."""

    patient: Patient
    budget: Budget
    run: str = field(default_factory=lambda: f"probe-{secrets.token_hex(4)}")
    retained: set[str] = field(default_factory=set)
    has_session: bool = False
    is_through: bool = False
    _far: Connection | None = None

    @property
    def far(self) -> Connection:
        """The platform's side; BrokerError unless both directions were seen to work."""
        if self._far is None or not self.is_through:
            raise BrokerError(self._why_not_through())
        return self._far

    def up(self, what: str, gateway: Account | None = None) -> str:
        """Return a topic up of the probing gateway, or of another."""
        name = (gateway or self.patient.gateway).name
        return f"mn/v1/up/{self.patient.shard}/{name}/{self.run}-{what}"

    def down(self, what: str, gateway: Account | None = None) -> str:
        """Return a topic down of the probing gateway, or of another."""
        name = (gateway or self.patient.gateway).name
        return f"mn/v1/dn/{name}/{self.run}-{what}"

    def enter(self, account: Account | None, manner: Manner) -> Connection:
        """Return a connection to enter."""
        return Connection(self.patient.door, account, manner, self.budget)

    def gateway(
        self,
        *,
        is_clean: bool = True,
        will_topic: str = "",
        is_v5: bool = False,
    ) -> Connection:
        """Return the probing gateway's connection, the one it may have."""
        self.has_session |= not is_clean
        manner = Manner(
            identifier=self.patient.gateway.name,
            is_clean=is_clean,
            will_topic=will_topic,
            is_v5=is_v5,
        )
        return self.enter(self.patient.gateway, manner)

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """Open the platform's side, and listen to both gateways' topics up and down."""
        account = self.patient.platform or self.patient.gateway
        identifier = account.name if self.patient.platform else f"{account.name}-far"
        with self.enter(account, Manner(identifier=identifier)) as far:
            for name in (self.patient.gateway.name, self.patient.other.name):
                far.subscribe(f"mn/v1/up/+/{name}/+")
            far.subscribe(f"mn/v1/dn/{self.patient.other.name}/+")
            self._far = far
            yield far

    def retain(self, topic: str, payload: str) -> None:
        """Leave a retained message, which :meth:`clear` takes away."""
        self.retained.add(topic)
        self.far.publish(topic, payload, retain=True)

    def clear(self, budget: Budget) -> None:
        """End what outlives a connection; BrokerError where that fails."""
        self.budget = budget
        if self.retained:
            account = self.patient.platform or self.patient.gateway
            with self.enter(account, entered_as(account)) as far:
                for topic in self.retained:
                    far.publish(topic, b"", retain=True)
        if not self.has_session:
            return
        for account in (self.patient.gateway, self.patient.other):
            with suppress(RefusedError), self.enter(account, entered_as(account)):
                pass  # a clean session ends the one before it

    def _why_not_through(self) -> str:
        if self.patient.platform is None:
            return "the platform's side is needed: give --platform"
        return "nothing comes through between gateway and platform"


def entered_as(account: Account) -> Manner:
    """Return how an account enters in its own name, with a clean session."""
    return Manner(identifier=account.name)


def token() -> str:
    """Return a payload that no other message has."""
    return secrets.token_hex(8)
