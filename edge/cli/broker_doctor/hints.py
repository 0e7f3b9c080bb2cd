# SPDX-License-Identifier: Apache-2.0
"""What a broker can do beyond the needs: good to know, and never to be relied on.

The law of the module: a hint changes no verdict; each probe has a connection of its
own, since some brokers answer by ending it.
Source: measured on mosquitto 2.0.11, nats-server 2.9.10 and amqtt 0.12.1.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.bench import ARRIVES_WITHIN_S, token
from edge.cli.broker_doctor.connection import (
    REFUSED_FROM,
    BrokerError,
    LostError,
    RefusedError,
)
from edge.cli.broker_doctor.findings import Finding, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.broker_doctor.bench import Bench

#: mosquitto keeps 1,000; proving more than this is not worth the load.
QUEUED = 150
LARGER_BYTES = (256 * 1024, 1000 * 1024)
_EXACTLY_ONCE = 2


def retained(bench: Bench) -> Iterator[Finding]:
    """Subscribe, exactly and with a wildcard, after a retained message was left."""
    bench.retain(bench.down("kept"), kept := token())
    exact, wide = bench.down("kept"), bench.down("kept").rpartition("/")[0] + "/+"
    for name, topic in (("retained", exact), ("retained-wildcard", wide)):
        with bench.gateway() as gateway:
            is_granted = gateway.subscribe(topic) < REFUSED_FROM
            came = is_granted and gateway.hears(kept, ARRIVES_WITHIN_S)
            said = "it came" if came else "granted, and nothing came"
            yield _usable(name, said if is_granted else "not granted", came=came)


def last_will(bench: Bench) -> Iterator[Finding]:
    """Cut the line of a client that left a will."""
    with bench.gateway(will_topic=bench.up("will")) as gateway:
        gateway.cut()
        came = bench.far.hears_so_many(bench.up("will"), 1, ARRIVES_WITHIN_S) == 1
    said = "it came" if came else f"nothing within {ARRIVES_WITHIN_S} s"
    yield _usable("last-will", said, came=came)


def session(bench: Bench) -> Iterator[Finding]:
    """Leave a session behind, write to it, and come back."""
    topic = bench.down("queue")
    with bench.gateway(is_clean=False) as gateway:
        gateway.subscribe(topic)
    bench.far.publish_all(topic, [f"{number}" for number in range(QUEUED)])
    with bench.gateway(is_clean=False) as gateway:
        waits_s = ARRIVES_WITHIN_S * 2 if gateway.has_session else 0.1
        kept = gateway.hears_so_many(topic, QUEUED, waits_s)
    said = f"kept {kept} of {QUEUED} messages"
    yield _usable("session-queue", said, came=kept == QUEUED)


def shared(bench: Bench) -> Iterator[Finding]:
    """Subscribe as a group of one."""
    topic, sent = bench.down("shared"), token()
    with bench.gateway() as gateway:
        is_granted = gateway.subscribe(f"$share/{bench.run}/{topic}") < REFUSED_FROM
        bench.far.publish(topic, sent)
        came = is_granted and gateway.hears(sent, ARRIVES_WITHIN_S)
    said = "it delivers" if came else "granted, and delivers nothing"
    yield _usable("shared", said if is_granted else "not granted", came=came)


def exactly_once(bench: Bench) -> Iterator[Finding]:
    """Subscribe and publish at QoS 2."""
    sent = token()
    with bench.gateway() as gateway:
        granted = gateway.subscribe(bench.down("twice"), _EXACTLY_ONCE)
        try:
            gateway.publish(bench.up("twice"), sent, _EXACTLY_ONCE)
            came = bench.far.hears(sent, ARRIVES_WITHIN_S)
            said = "it came" if came else "it was taken and never came"
        except LostError as fault:
            came, said = False, f"{fault}"
    said = f"a subscription gets QoS {granted}; a message: {said}"
    yield _usable("qos2", said, came=came and granted == _EXACTLY_ONCE)


def larger_payload(bench: Bench) -> Iterator[Finding]:
    """Send larger messages until one does not come."""
    passed, far = 0, bench.far
    for size in LARGER_BYTES:
        content = os.urandom(size)
        try:
            with bench.gateway() as gateway:
                gateway.publish(bench.up("large"), content)
                if not far.hears(content, ARRIVES_WITHIN_S):
                    break
        except BrokerError:
            break
        passed = size
    said = f"{passed // 1024} KiB came" if passed else "256 KiB did not come"
    yield _usable("payload-above", said, came=passed > 0)


def version_5(bench: Bench) -> Iterator[Finding]:
    """Enter with MQTT 5, and read what its acknowledgements say."""
    foreign = bench.up("reason", bench.patient.other)
    try:
        with bench.gateway(is_v5=True) as gateway:
            denied = gateway.publish(foreign, token())
            unheard = gateway.publish(bench.up("deep") + "/er", token())
    except RefusedError as refusal:
        yield _usable("mqtt5", f"not spoken: {refusal}", came=False)
        return
    said = f"spoken; another's topic is acknowledged with {denied:#04x}"
    yield _usable("mqtt5", f"{said}, one unheard with {unheard:#04x}", came=True)


def _usable(name: str, said: str, *, came: bool) -> Finding:
    outcome = Outcome.GOOD if came else Outcome.BAD
    return Finding(name=name, outcome=outcome, said=said)
