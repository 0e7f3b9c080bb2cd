# SPDX-License-Identifier: Apache-2.0
"""Pulling the feed: when, how often, and what becomes of a bad answer."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.feed import FeedCursor
from cloud_sync.outputs import (
    FeedCurrent,
    Refusal,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
)
from cloud_sync.pulling import (
    ANSWER_WITHIN_S,
    ASK_ANYWAY_S,
    PULL_EVERY_S,
    RETRY_AT_MOST_S,
)
from cloud_sync.refusal import RefusalKind
from cloud_sync.window import JITTER
from tests.cloud_sync.driving import TOPICS, Gateway
from tests.cloud_sync.scripted_platform import FEED_EPOCH, Platform, Sent, booking

ROWS = [booking(number) for number in range(8)]


def greeted(rev: int = 7, *, held: int | None = None) -> tuple[Gateway, Platform]:
    """A connection whose hello is answered; what it then sent is still there."""
    gateway, platform = Gateway(), Platform()
    platform.publish_feed(rev, ROWS)
    if held is not None:
        gateway.held = FeedCursor(epoch=FEED_EPOCH, rev=held)
    gateway.connect()
    (hello,) = gateway.take_sent()
    for answer in platform.receive(hello.topic, hello.payload):
        gateway.receive(*answer)
    return gateway, platform


def pulled(gateway: Gateway, platform: Platform) -> list[Sent]:
    (pull,) = gateway.take_sent()
    assert pull.topic == TOPICS.pull
    return platform.receive(pull.topic, pull.payload)


def names(gateway: Gateway) -> list[str]:
    return [type(output).__name__ for output in gateway.told]


def test_a_newer_feed_in_hello_is_pulled_staged_and_applied_whole() -> None:
    gateway, platform = greeted()
    for answer in pulled(gateway, platform):
        assert gateway.roster == {}
        gateway.receive(*answer)
    assert sorted(gateway.roster) == sorted(row["id"] for row in ROWS)
    assert gateway.held == FeedCursor(epoch=FEED_EPOCH, rev=7)
    assert names(gateway)[-4:] == ["StageRows"] * 3 + ["SnapshotComplete"]
    done = gateway.told[-1]
    assert isinstance(done, SnapshotComplete)
    assert done.count == 8


@pytest.mark.parametrize("held", [7, 8])
def test_a_feed_that_is_not_newer_is_not_pulled(held: int) -> None:
    gateway, platform = greeted(held=held)
    assert gateway.take_sent() == []
    gateway.receive(*platform.publish_feed(7, ROWS))
    assert gateway.take_sent() == []


def test_a_nudge_pulls_and_names_what_is_held() -> None:
    gateway, platform = greeted(held=7)
    gateway.receive(*platform.publish_feed(8, ROWS[:2]))
    (pull,) = gateway.sent
    assert f'"data":{{"epoch":"{FEED_EPOCH}","rev":7}}'.encode() in pull.payload
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert len(gateway.roster) == 2


def test_nudges_during_a_pull_are_pulled_after_it_a_second_later() -> None:
    gateway, platform = greeted()
    answers = pulled(gateway, platform)
    for rev in (8, 9, 8):
        gateway.receive(*platform.publish_feed(rev, ROWS[:2]))
    assert gateway.take_sent() == []
    for answer in answers:
        gateway.receive(*answer)
    assert gateway.held.rev == 7
    assert gateway.take_sent() == []
    gateway.tick(PULL_EVERY_S)
    assert len(gateway.take_sent()) == 1


def test_a_current_cursor_ends_the_pull_and_the_wish() -> None:
    gateway, platform = greeted(held=7)
    gateway.receive(*platform.publish_feed(99, ROWS))  # an old nudge, replayed
    platform.publish_feed(7, ROWS)
    ((topic, payload),) = pulled(gateway, platform)
    current = [FeedCurrent(cursor=gateway.held)]
    assert gateway.receive(topic, payload) == current
    gateway.tick(PULL_EVERY_S)
    assert gateway.take_sent() == []
    assert gateway.held.rev == 7


def test_an_old_word_that_nothing_is_newer_does_not_end_a_later_pull() -> None:
    gateway, platform = greeted(held=7)
    gateway.receive(*platform.publish_feed(99, ROWS))
    platform.publish_feed(7, ROWS)
    ((topic, current),) = pulled(gateway, platform)
    gateway.receive(topic, current)
    gateway.tick(PULL_EVERY_S)
    gateway.receive(*platform.publish_feed(8, ROWS))
    answers = pulled(gateway, platform)
    (told,) = gateway.receive(topic, current)
    assert isinstance(told, Refusal)
    assert told.kind is RefusalKind.FEED_PULL
    for answer in answers:
        gateway.receive(*answer)
    assert gateway.held.rev == 8


def test_a_hello_that_names_what_is_held_says_that_it_is_current() -> None:
    gateway, _ = greeted(held=7)
    assert FeedCurrent(cursor=gateway.held) in gateway.told
    gateway, _ = greeted(held=6)
    assert "FeedCurrent" not in names(gateway)


def test_a_nudge_that_was_lost_costs_ten_minutes_at_most() -> None:
    gateway, platform = greeted(held=7)
    platform.publish_feed(8, ROWS)
    assert gateway.tick(ASK_ANYWAY_S - 0.1) == []
    gateway.tick(0.1 + ASK_ANYWAY_S * JITTER)
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.held.rev == 8


def part_body(platform: Platform, pull: bytes, **changes: Any) -> dict[str, Any]:
    nonce = pull.split(b'"id":"')[1][:32].decode()
    return platform.part(nonce, 0, 3, platform.feed_rows[:3]) | changes


def test_a_pull_unanswered_is_dropped_and_asked_again_ever_more_slowly() -> None:
    gateway, platform = greeted()
    patience_s = ANSWER_WITHIN_S
    nonces = set()
    for _ in range(7):
        (pull,) = gateway.take_sent()
        nonces.add(pull.payload)
        gateway.tick(patience_s - 0.1)
        assert gateway.take_sent() == []
        gateway.tick(0.1 + patience_s * JITTER)
        assert isinstance(gateway.told[-1], SnapshotDropped)
        patience_s = min(patience_s * 2, RETRY_AT_MOST_S)
    assert len(nonces) == 7
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.held.rev == 7


def test_each_new_part_is_given_its_time() -> None:
    gateway, platform = greeted()
    for answer in pulled(gateway, platform):
        gateway.tick(ANSWER_WITHIN_S - 0.5)
        gateway.receive(*answer)
    assert gateway.held.rev == 7


def test_a_lost_part_makes_a_new_pull_and_the_old_parts_do_not_mix_in() -> None:
    gateway, platform = greeted()
    first, _, last = pulled(gateway, platform)
    gateway.receive(*first)
    gateway.tick(ANSWER_WITHIN_S * (1 + JITTER))
    assert gateway.staged == {}
    again = pulled(gateway, platform)
    gateway.receive(*last)
    told = gateway.told[-1]
    assert isinstance(told, Refusal)
    assert told.kind is RefusalKind.FEED_PULL
    for answer in again:
        gateway.receive(*answer)
    assert gateway.held.rev == 7
    assert len(gateway.roster) == 8


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"hash": "00" * 32}, RefusalKind.FEED_SHAPE),
        ({"count": 9}, RefusalKind.FEED_SHAPE),
        ({"rev": 6}, RefusalKind.FEED_CURSOR),
        ({"epoch": "0002-ffffffff", "rev": 99}, RefusalKind.FEED_CURSOR),
        ({"n": 5000}, RefusalKind.FEED_LIMIT),
        ({"rows": [{"kind": "booking"}]}, RefusalKind.FEED_SHAPE),
    ],
)
def test_a_bad_part_drops_the_snapshot_keeps_what_was_held_and_asks_later(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    gateway, platform = greeted(rev=8, held=7)
    (pull,) = gateway.take_sent()
    answers = platform.receive(pull.topic, pull.payload)
    gateway.receive(*answers[1])
    body = part_body(platform, pull.payload, **changes)
    gateway.receive(*platform.down("feed", body))
    told, dropped = gateway.told[-2:]
    assert isinstance(told, Refusal)
    assert told.kind is kind
    assert isinstance(dropped, SnapshotDropped)
    assert gateway.staged == {}
    assert gateway.held.rev == 7
    gateway.tick(2 * PULL_EVERY_S)
    gateway.receive(*platform.publish_feed(9, ROWS))
    assert gateway.take_sent() == [], "a nudge does not shorten the wait"
    gateway.tick(ANSWER_WITHIN_S * (1 + JITTER))
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.held.rev == 9


def test_rows_that_do_not_add_up_are_never_applied() -> None:
    gateway, platform = greeted()
    (pull,) = gateway.take_sent()
    platform.rows_a_part = 8
    honest = platform.feed_rows
    platform.receive(pull.topic, pull.payload)
    body = part_body(
        platform, pull.payload, n=1, rows=[*honest[:7], booking(7, party=9)]
    )
    gateway.receive(*platform.down("feed", body))
    assert gateway.roster == {}
    told = gateway.told[-2]
    assert isinstance(told, Refusal)
    assert told.kind is RefusalKind.FEED_HASH
    assert not any(isinstance(output, StageRows) for output in gateway.told)


def test_leaving_a_connection_drops_what_was_staged() -> None:
    gateway, platform = greeted()
    gateway.receive(*pulled(gateway, platform)[0])
    assert gateway.staged
    gateway.disconnect()
    assert gateway.staged == {}
