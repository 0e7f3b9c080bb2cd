# SPDX-License-Identifier: Apache-2.0
"""Hello: what it says, what answers it, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_sync.introduction import HELLO_AGAIN_S, HELLO_WITHIN_S
from cloud_sync.outputs import (
    ClockBounds,
    LeaveReason,
    Publish,
    Reconnect,
    Refusal,
)
from cloud_sync.refusal import RefusalKind
from tests.cloud_sync.driving import (
    TOPICS,
    Gateway,
    firsts,
    greet,
)
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    GATEWAY,
    OTHER_SEED,
    Platform,
    genesis,
    rows,
    sign,
)

JOURNAL = rows(6000)
ACK = f"mn/v1/dn/{GATEWAY}/ack"
HELLO = f"mn/v1/dn/{GATEWAY}/hello"


def test_hello_says_what_the_journal_is() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    greet(gateway, platform)
    (hello,) = platform.hellos
    assert hello == {
        "epoch": EPOCH,
        "last_seq": 5,
        "head": JOURNAL[4].hash.hex(),
        "nonce": hello["nonce"],
        "boot": "boot-17",
        "lo": 1_750_000_100_000,
        "hi": 1_750_000_100_500,
        "fw": "0.1.0",
        "feed": {"epoch": "", "rev": 0},
        "caps": [],
    }
    assert len(bytes.fromhex(hello["nonce"])) == 16


def test_nothing_is_sent_before_hello_is_answered() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    gateway.send_rows()
    gateway.receive(*platform.publish_feed(7, []))
    gateway.receive(*platform.ack())
    gateway.tick(HELLO_WITHIN_S - 0.1)
    assert {item.topic for item in gateway.sent} == {TOPICS.hello}
    assert gateway.told == []
    assert not gateway.session.is_established


def test_a_hello_unanswered_is_repeated_and_after_ten_seconds_given_up() -> None:
    gateway = Gateway(JOURNAL[:5])
    gateway.connect()
    (hello,) = gateway.take_sent()
    for _ in range(4):
        assert gateway.session.deadline() == gateway.now_s + HELLO_AGAIN_S
        assert gateway.tick(1.9) == []
        assert gateway.tick(0.1) == [hello], "the same, nonce included"
    assert gateway.tick(1.9) == []
    assert gateway.tick(0.1) == [Reconnect(why=LeaveReason.HELLO_UNANSWERED)]
    assert gateway.session.deadline() is None


def test_the_answer_to_a_repeated_hello_bounds_the_clock_from_the_first() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    gateway.take_sent()
    (hello,) = [item for item in gateway.tick(2.0) if isinstance(item, Publish)]
    for topic, payload in platform.receive(hello.topic, hello.payload) * 2:
        gateway.receive(topic, payload)
    bounds = [output for output in gateway.told if isinstance(output, ClockBounds)]
    assert [one.latest_ms - one.earliest_ms for one in bounds] == [2000]


def test_every_connection_has_a_nonce_of_its_own() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    for _ in range(5):
        greet(gateway, platform)
        gateway.disconnect()
    assert len({hello["nonce"] for hello in platform.hellos}) == 5


def test_the_clock_is_bounded_by_the_round_trip_of_hello() -> None:
    gateway, platform = Gateway(), Platform()
    gateway.connect()
    (hello,) = gateway.take_sent()
    gateway.now_s += 0.2501
    for answer in platform.receive(hello.topic, hello.payload):
        gateway.receive(*answer)
    assert gateway.told[0] == ClockBounds(
        earliest_ms=platform.time_ms,
        latest_ms=platform.time_ms + 251,
        monotonic_s=gateway.now_s,
    )


def answer(gateway: Gateway, **changes: Any) -> dict[str, Any]:
    (hello,) = gateway.take_sent()
    body = {
        "gw": GATEWAY,
        "nonce": json.loads(hello.payload)["data"]["nonce"],
        "epoch": EPOCH,
        "hi": 0,
        "h": genesis(EPOCH).hex(),
        "time": 1_760_000_000_000,
        "feed": {"epoch": "", "rev": 0},
    }
    return body | changes


@pytest.mark.parametrize(
    ("changes", "signing", "kind"),
    [
        ({"nonce": "00" * 16}, {}, RefusalKind.NONCE),
        ({"epoch": "0001-deadbeef"}, {}, RefusalKind.EPOCH),
        ({"gw": "gw-kitchen-02"}, {}, RefusalKind.GATEWAY),
        ({"hi": -1}, {}, RefusalKind.BODY),
        ({}, {"seed": OTHER_SEED}, RefusalKind.SIGNATURE),
        ({}, {"kid": "stranger"}, RefusalKind.KEY_UNKNOWN),
        ({}, {"typ": "mn.ack.v1"}, RefusalKind.PURPOSE),
        ({}, {"alg": "HS256"}, RefusalKind.ALGORITHM),
    ],
)
def test_a_hello_that_is_not_ours_is_told_and_does_not_count(
    changes: dict[str, Any], signing: dict[str, Any], kind: RefusalKind
) -> None:
    gateway = Gateway(JOURNAL[:5])
    gateway.connect()
    body = answer(gateway, **changes)
    typ = signing.pop("typ", "mn.hello.v1")
    outputs = gateway.receive(HELLO, sign(body, typ, **signing))
    assert [output.kind for output in outputs if isinstance(output, Refusal)] == [kind]
    assert len(outputs) == 1
    assert not gateway.session.is_established
    assert gateway.take_sent() == []
    assert gateway.tick(HELLO_WITHIN_S) == [Reconnect(why=LeaveReason.HELLO_UNANSWERED)]


def test_the_answer_to_an_earlier_connection_does_not_open_this_one() -> None:
    gateway = Gateway(JOURNAL[:5])
    gateway.connect()
    old = sign(answer(gateway), "mn.hello.v1")
    gateway.disconnect()
    gateway.connect()
    (told,) = gateway.receive(HELLO, old)
    assert isinstance(told, Refusal)
    assert told.kind is RefusalKind.NONCE


def test_a_hello_that_comes_twice_counts_once() -> None:
    gateway = Gateway(JOURNAL[:5])
    gateway.connect()
    signed = sign(answer(gateway), "mn.hello.v1")
    gateway.receive(HELLO, signed)
    told = len(gateway.told)
    assert gateway.receive(HELLO, signed) == []
    assert len(gateway.told) == told
    assert firsts(gateway.take_sent()) == [1]


def test_a_hostile_broker_cannot_fill_the_journal() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    greet(gateway, platform)
    told = len(gateway.told)
    for number in range(1000):
        gateway.receive(ACK, b"%d" % number)
        gateway.receive("mn/v1/dn/gw-kitchen-02/ack", b"")
        gateway.now_s += 0.05
    news = gateway.told[told:]
    assert news == [
        Refusal(kind=RefusalKind.NOT_SIGNED, why="not a compact JWS", count=1),
        Refusal(kind=RefusalKind.TOPIC, why="a topic nobody subscribed to", count=1),
    ]
    gateway.now_s += 60
    (again,) = gateway.receive(ACK, b"")
    assert isinstance(again, Refusal)
    assert again.count == 1000
