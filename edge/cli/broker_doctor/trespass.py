# SPDX-License-Identifier: Apache-2.0
"""What an account may write and read that is not its own.

The law of the module: silence proves nothing by itself. That a message was denied is
only said when a later one came through, and when the same topic was seen to work for
somebody who may use it; else the question stays open. What is written lies below a last
level of this run's own, so that no platform and no gateway takes it for anything.
Source: MQTT 3.1.1, 3.3.5: a denied message is acknowledged like a good one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.bench import (
    ARRIVES_WITHIN_S,
    SETTLES_WITHIN_S,
    entered_as,
    token,
)
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

_UNPROVED = (
    "nothing came, and nobody was seen for whom it does: "
    "give --other NAME=FILES and --platform NAME=FILES"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """What became of a message that should be denied."""

    was_heard: bool
    is_line_ended: bool


def writing(bench: Bench) -> Iterator[Finding]:
    """Write on the other gateway's topics; see also how the denial is told."""
    topics = {
        "write-up": bench.up("foreign", bench.patient.other),
        "write-down": bench.down("forged", bench.patient.other),
    }
    sent = {name: token() for name in topics}
    ended = {name: _ends_the_line(bench, topics[name], sent[name]) for name in topics}
    bench.far.hears_so_many(next(iter(topics.values())), 1, SETTLES_WITHIN_S)
    attempts = {
        name: _Attempt(
            was_heard=bench.far.hears(sent[name], 0), is_line_ended=ended[name]
        )
        for name in topics
    }
    for name, topic in topics.items():
        yield _judged(bench, name, topic, attempts[name])
    yield _told([*attempts.values()])


def reading(bench: Bench) -> Iterator[Finding]:
    """Subscribe the other gateway's topics, and then everything."""
    up = bench.up("letter", bench.patient.other)
    down = bench.down("letter", bench.patient.other)
    yield _read(bench, "read-up", up, (up,))
    yield _read(bench, "read-down", down, (down,))
    yield _read(bench, "read-all", "#", (up, down))


def _read(bench: Bench, name: str, wanted: str, letters: tuple[str, ...]) -> Finding:
    """Subscribe ``wanted``, have the ``letters`` written, and see what comes."""
    with bench.gateway() as gateway:
        gateway.subscribe(bench.down("mark"))
        try:
            is_granted = gateway.subscribe(wanted) < REFUSED_FROM
        except LostError:
            is_granted = False
        if not is_granted:
            return Finding(name=name, outcome=Outcome.GOOD, said="not granted")
        is_sent = all(_is_usable_by_its_own(bench, letter) for letter in letters)
        bench.far.publish(bench.down("mark"), mark := token())
        gateway.hears(mark, ARRIVES_WITHIN_S)
        gateway.hears_so_many(letters[0], 1, SETTLES_WITHIN_S)
        foreign = [each for each in gateway.heard if not _is_own(bench, each.topic)]
    if foreign:
        said = f"it got {len(foreign)} messages that are not its own"
        return Finding(name=name, outcome=Outcome.BAD, said=said)
    if is_sent:
        said = "granted, and delivers only what is its own"
        return Finding(name=name, outcome=Outcome.GOOD, said=said)
    return Finding(name=name, outcome=Outcome.OPEN, said=_UNPROVED)


def _ends_the_line(bench: Bench, topic: str, sent: str) -> bool:
    """Write on a topic, and wait until a later message of its own came through."""
    with bench.gateway() as gateway:
        try:
            gateway.publish(topic, sent)
            gateway.publish(bench.up("mark"), mark := token())
        except LostError:
            return True
        bench.far.hears(mark, ARRIVES_WITHIN_S)
    return False


def _judged(bench: Bench, name: str, topic: str, attempt: _Attempt) -> Finding:
    if attempt.was_heard:
        said = f"written on {topic} and delivered"
        return Finding(name=name, outcome=Outcome.BAD, said=said)
    if attempt.is_line_ended:
        said = "the broker ends the connection"
        return Finding(name=name, outcome=Outcome.GOOD, said=said)
    code = _code_by_v5(bench, topic)
    if code is not None and code < REFUSED_FROM:
        said = f"MQTT 5 says that the message was taken ({code:#04x})"
        return Finding(name=name, outcome=Outcome.BAD, said=said)
    if code is not None or _is_usable_by_its_own(bench, topic):
        return Finding(name=name, outcome=Outcome.GOOD, said="not delivered")
    return Finding(name=name, outcome=Outcome.OPEN, said=_UNPROVED)


def _told(attempts: list[_Attempt]) -> Finding:
    if any(attempt.was_heard for attempt in attempts):
        said, outcome = "nothing was denied", Outcome.OPEN
    elif all(attempt.is_line_ended for attempt in attempts):
        said, outcome = "the broker ends the connection", Outcome.GOOD
    else:
        outcome = Outcome.BAD
        said = (
            "a denied message is acknowledged like a good one; the gateway knows it "
            "by the answer to its hello that does not come"
        )
    return Finding(name="denial-told", outcome=outcome, said=said)


def _code_by_v5(bench: Bench, topic: str) -> int | None:
    try:
        with bench.gateway(is_v5=True) as gateway:
            return gateway.publish(topic, token())
    except (RefusedError, LostError):
        return None


def _is_usable_by_its_own(bench: Bench, topic: str) -> bool:
    """Have a message go from who may write this topic to who may read it."""
    other, sent = bench.patient.other, token()
    if not other.is_known:
        bench.far.publish(topic, sent)
        return bench.far.hears(sent, SETTLES_WITHIN_S)
    try:
        with bench.enter(other, entered_as(other)) as owner:
            if "/up/" in topic:
                owner.publish(topic, sent)
                return bench.far.hears(sent, ARRIVES_WITHIN_S)
            owner.subscribe(topic)
            bench.far.publish(topic, sent)
            return owner.hears(sent, ARRIVES_WITHIN_S)
    except BrokerError:
        return False


def _is_own(bench: Bench, topic: str) -> bool:
    name = bench.patient.gateway.name
    levels = topic.split("/")
    return topic.startswith(f"mn/v1/dn/{name}/") or (
        topic.startswith("mn/v1/up/") and len(levels) > 4 and levels[4] == name
    )
