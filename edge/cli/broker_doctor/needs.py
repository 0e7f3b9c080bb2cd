# SPDX-License-Identifier: Apache-2.0
"""What a gateway cannot do without: both directions, and 64 KiB.

The law of the module: MQTT 3.1.1, QoS 1, plain topics, payloads up to 64 KiB, and
nothing else is ever a need. Where a message got lost is only said if somebody said it.
Source: docs/sync-contract.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.bench import ARRIVES_WITHIN_S, token
from edge.cli.broker_doctor.connection import REFUSED_FROM, BrokerError
from edge.cli.broker_doctor.findings import Finding, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.broker_doctor.bench import Bench
    from edge.cli.broker_doctor.connection import Connection

PAYLOAD_BYTES = 64 * 1024
_DENIED = 0x87


def both_ways(bench: Bench, far: Connection) -> Iterator[Finding]:
    """Send one message up and one down; note in the bench whether both came."""
    up, down = _up(bench, far), _down(bench, far)
    bench.is_through = up is None and down is None
    yield _judged("up", bench, up)
    yield _judged("down", bench, down)


def payload(bench: Bench) -> Iterator[Finding]:
    """Send the largest message that a gateway ever sends, then the platform's."""
    up, down, far = os.urandom(PAYLOAD_BYTES), os.urandom(PAYLOAD_BYTES), bench.far
    said, outcome = "65,536 bytes came whole, up and down", Outcome.GOOD
    with bench.gateway() as gateway:
        gateway.subscribe(bench.down("payload"))
        for way, sender, receiver, topic, content in (
            ("up", gateway, far, bench.up("payload"), up),
            ("down", far, gateway, bench.down("payload"), down),
        ):
            is_taken = _is_taken(sender, topic, content)
            if not is_taken or not receiver.hears(content, ARRIVES_WITHIN_S):
                said, outcome = f"65,536 bytes did not come {way}", Outcome.BAD
                break  # what costs the gateway its connection may cost the far side's
    yield Finding(name="payload-64k", outcome=outcome, said=said)


def _up(bench: Bench, far: Connection) -> str | None:
    """Return what went wrong on the way up, if anything did."""
    topic, sent = bench.up("through"), token()
    with bench.gateway() as gateway:
        if not _is_taken(gateway, topic, sent):
            return "the broker ended the connection instead of taking the message"
        if far.hears(sent, ARRIVES_WITHIN_S):
            return None
    if _code_by_v5(bench, bench.up("why")) == _DENIED:
        return "silently denied: acknowledged, and not authorized by MQTT 5 (0x87)"
    return (
        "acknowledged, and never delivered: the gateway may not write it, or the "
        "platform's account may not read it"
    )


def _down(bench: Bench, far: Connection) -> str | None:
    """Return what went wrong on the way down, if anything did."""
    topic, sent = bench.down("through"), token()
    with bench.gateway() as gateway:
        if gateway.subscribe(topic) >= REFUSED_FROM:
            return "the gateway's subscription is refused"
        if not _is_taken(far, topic, sent):
            return "the broker ended the platform's connection instead of taking it"
        if gateway.hears(sent, ARRIVES_WITHIN_S):
            return None
    return (
        "acknowledged, and never delivered: the platform's account may not write it, "
        "or the gateway may not read it"
    )


def _judged(name: str, bench: Bench, wrong: str | None) -> Finding:
    if wrong is None:
        return Finding(name=name, outcome=Outcome.GOOD, said="a message came")
    if bench.patient.platform is None:
        said = f"{wrong}; nobody listened as the platform: give --platform"
        return Finding(name=name, outcome=Outcome.OPEN, said=said)
    return Finding(name=name, outcome=Outcome.BAD, said=wrong)


def _code_by_v5(bench: Bench, topic: str) -> int | None:
    try:
        with bench.gateway(is_v5=True) as gateway:
            return gateway.publish(topic, token())
    except BrokerError:
        return None


def _is_taken(connection: Connection, topic: str, content: bytes | str) -> bool:
    try:
        connection.publish(topic, content)
    except BrokerError:
        return False
    return True
