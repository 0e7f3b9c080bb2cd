# SPDX-License-Identifier: Apache-2.0
"""Who is let in that should not be: over plain TCP, without a name, under another's.

The law of the module: it tries doors and, once inside, says nothing; only the take-over
puts one message into the probing gateway's own queue and looks what becomes of it.
Source: mosquitto 2.0.11 and nats-server 2.9.10, measured.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.account import Account
from edge.cli.broker_doctor.bench import ARRIVES_WITHIN_S, token
from edge.cli.broker_doctor.connection import (
    BrokerError,
    Connection,
    LostError,
    Manner,
    RefusedError,
    UnreachableError,
)
from edge.cli.broker_doctor.findings import Finding, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.broker_doctor.bench import Bench
    from edge.cli.broker_doctor.connection import Door

_PUSHED_WITHIN_S = 0.5
_READ_WITHIN_S = 0.5
#: An address of documentation (RFC 5737); nothing is sent to it.
_ELSEWHERE = ("192.0.2.1", 9)


def plain(bench: Bench) -> Iterator[Finding]:
    """Try the port, and the usual plain one, without TLS."""
    door = bench.patient.door
    if door.ca is None:
        yield _plain_line(bench)
        return
    open_ports = [
        port
        for port in dict.fromkeys((door.port, bench.patient.plain_port))
        if _speaks_plainly(bench, door.plain(port))
    ]
    if open_ports:
        told = " and ".join(str(port) for port in open_ports)
        said = f"port {told} speaks MQTT without TLS"
        yield Finding(name="plain", outcome=Outcome.BAD, said=said)
    else:
        said = f"neither port {door.port} nor {bench.patient.plain_port} does"
        yield Finding(name="plain", outcome=Outcome.GOOD, said=said)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its own name for itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_address() -> str:
    """Return the address by which this machine goes out; "" if it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire, suppress(OSError):
        wire.connect(_ELSEWHERE)
        return str(wire.getsockname()[0])
    return ""


def nobody(bench: Bench) -> Iterator[Finding]:
    """Enter without a name, and with one that was made up just now."""
    stranger = Account(
        name=f"probe-{secrets.token_hex(4)}", password=secrets.token_hex(8)
    )
    for name, account in (("anonymous", None), ("stranger", stranger)):
        manner = Manner(identifier=f"{bench.run}-{name}")
        try:
            with bench.enter(account, manner):
                said = "let in"
                if account is not None:
                    said = "let in with a name and a password that were made up"
                yield Finding(name=name, outcome=Outcome.BAD, said=said)
        except RefusedError as refusal:
            yield Finding(name=name, outcome=Outcome.GOOD, said=f"refused: {refusal}")


def takeover(bench: Bench) -> Iterator[Finding]:
    """Enter with the other account under the probing gateway's client id."""
    if not bench.patient.other.is_known:
        said = "another gateway's account is needed: give --other NAME=FILES"
        yield Finding(name="takeover", outcome=Outcome.OPEN, said=said)
        return
    seen = _seen_by_the_other(bench)
    outcome = Outcome.BAD if seen.harms else Outcome.GOOD
    said = "; ".join(seen.harms) or "it gets a session of its own"
    yield Finding(name="takeover", outcome=outcome, said=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the other account could do under the gateway's client id."""

    inherits: bool
    reads: bool
    is_queue_whole: bool
    pushes_off: bool

    @property
    def harms(self) -> list[str]:
        told = []
        if self.pushes_off:
            told.append("another account ends the gateway's connection")
        if self.inherits:
            told.append("it inherits the gateway's session")
        if self.reads:
            told.append("it reads what was queued")
        if self.inherits and not self.is_queue_whole:
            told.append("what was queued is destroyed")
        return told


def _seen_by_the_other(bench: Bench) -> _Seen:
    topic, queued = bench.down("takeover"), token()
    with bench.gateway(is_clean=False) as gateway:
        gateway.subscribe(topic)
    bench.far.publish(topic, queued)
    inherits = reads = False
    # A broker that refuses it is a sound one, and so is one that ends it before it can
    # read. One that says nothing, or is gone, has shown nothing: that is told.
    with suppress(RefusedError), _as_the_gateway(bench, is_clean=False) as thief:
        inherits = thief.has_session
        with suppress(LostError):
            reads = inherits and thief.hears(queued, _READ_WITHIN_S)
    with bench.gateway(is_clean=False) as gateway:
        is_whole = not inherits or gateway.hears(queued, ARRIVES_WITHIN_S)
    return _Seen(
        inherits=inherits,
        reads=reads,
        is_queue_whole=is_whole,
        pushes_off=_pushes_off(bench),
    )


def _pushes_off(bench: Bench) -> bool:
    with bench.gateway() as gateway:
        try:
            with _as_the_gateway(bench, is_clean=True):
                return gateway.is_ended_within(_PUSHED_WITHIN_S)
        except BrokerError:
            return gateway.is_lost


def _as_the_gateway(bench: Bench, *, is_clean: bool) -> Connection:
    manner = Manner(identifier=bench.patient.gateway.name, is_clean=is_clean)
    return bench.enter(bench.patient.other, manner)


def _plain_line(bench: Bench) -> Finding:
    """Judge a broker that was entered without TLS; ask it from outside, too."""
    door, outside = bench.patient.door, bench.patient.outside
    if not is_loopback(door.host):
        said = "plain TCP: all that goes over this line can be read on the way"
        return Finding(name="plain", outcome=Outcome.BAD, said=said)
    if outside and _speaks_plainly(bench, replace(door, host=outside)):
        said = f"plain TCP, and {outside} takes it from other machines, too"
        return Finding(name="plain", outcome=Outcome.BAD, said=said)
    said = "plain TCP, inside this machine alone"
    return Finding(name="plain", outcome=Outcome.GOOD, said=said)


def _speaks_plainly(bench: Bench, door: Door) -> bool:
    manner = Manner(identifier=f"{bench.run}-plain")
    try:
        with Connection(door, None, manner, bench.budget):
            return True
    except RefusedError as refusal:
        return refusal.is_answered
    except UnreachableError:
        return False
