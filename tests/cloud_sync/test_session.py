# SPDX-License-Identifier: Apache-2.0
"""Sending events: acknowledgements, rewinds, and what ends an epoch."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.messages import Ack
from cloud_sync.outputs import (
    CheckHash,
    EpochReason,
    LeaveReason,
    NewEpochNeeded,
    Reconnect,
    Watermark,
)
from cloud_sync.window import (
    JITTER,
    REWIND_AFTER_S,
    REWINDS_BEFORE_LEAVING,
    WINDOW_BATCHES,
)
from tests.cloud_sync.driving import (
    Gateway,
    deliver,
    firsts,
    greet,
    moment,
    new_session,
)
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    GATEWAY,
    Platform,
    rows,
    sign,
)

JOURNAL = rows(6000)
ACK = f"mn/v1/dn/{GATEWAY}/ack"
HELLO = f"mn/v1/dn/{GATEWAY}/hello"


def ack_of(seq: int, **changes: Any) -> dict[str, Any]:
    h = JOURNAL[seq - 1].hash.hex()
    return {"gw": GATEWAY, "epoch": EPOCH, "hi": seq, "h": h, **changes}


def test_the_journal_is_drained_and_acknowledged() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    gateway.connect()
    deliver(gateway, platform)
    assert gateway.acked == platform.hi() == 6000
    assert platform.duplicates == 0
    assert platform.alarms == []
    erased = [seq for (_, seq), item in platform.items.items() if "com" in item]
    assert erased == list(range(7, 6001, 7))


def test_a_fresh_event_goes_out_at_once_and_alone() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.journal.append(JOURNAL[5])
    gateway.send_rows()
    assert firsts(gateway.sent) == [6]
    deliver(gateway, platform)
    assert gateway.acked == 6


def test_at_most_eight_batches_are_unacknowledged_and_in_order() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    sent = gateway.take_sent()
    assert len(sent) == WINDOW_BATCHES == 8
    gateway.send_rows()
    assert gateway.take_sent() == []
    for item in sent[:3]:
        platform.receive(item.topic, item.payload)
    gateway.receive(*platform.ack())
    refill = gateway.take_sent()
    assert len(refill) == 3
    assert firsts(sent + refill) == sorted(firsts(sent + refill))
    assert all(len(item.payload) > 60_000 for item in sent), "batches are full"


def test_a_later_ack_heals_those_that_were_lost() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    for item in gateway.take_sent():
        answers = platform.receive(item.topic, item.payload)
    for answer in answers:
        gateway.receive(*answer)
    assert gateway.acked == platform.hi() > 0
    assert firsts(gateway.take_sent())[0] == platform.hi() + 1


def test_acks_that_say_nothing_new_change_nothing() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    told = list(gateway.told)
    for hi in (5, 4, 1):
        gateway.receive(ACK, sign(ack_of(hi), "mn.ack.v1"))
    gateway.receive(ACK, sign(ack_of(5, h="00" * 32), "mn.ack.v1"))
    gateway.receive(ACK, sign(ack_of(1, hi=0), "mn.ack.v1"))
    gateway.receive(ACK, sign(ack_of(5, epoch="0002-00c0ffee", hi=9), "mn.ack.v1"))
    assert gateway.told == told
    assert gateway.sent == []


def test_an_ack_in_the_middle_of_a_batch_counts_and_keeps_the_batch() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    greet(gateway, platform)
    gateway.receive(ACK, sign(ack_of(3), "mn.ack.v1"))
    assert gateway.told[-1] == Watermark(hi=3)
    assert gateway.session.deadline() is not None
    gateway.take_sent()
    gateway.tick(REWIND_AFTER_S * (1 + JITTER))
    assert firsts(gateway.take_sent()) == [4]


def test_an_ack_with_another_hash_ends_the_epoch() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    greet(gateway, platform)
    outputs = gateway.receive(ACK, sign(ack_of(5, h="00" * 32), "mn.ack.v1"))
    assert outputs == [
        NewEpochNeeded(why=EpochReason.FORKED),
        Reconnect(why=LeaveReason.EPOCH_ENDED),
    ]
    assert gateway.session.wants_rows() is None
    assert gateway.receive(*platform.ack()) == []


def test_an_ack_beyond_the_journal_ends_the_epoch() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    greet(gateway, platform)
    gateway.receive(ACK, sign(ack_of(6), "mn.ack.v1"))
    assert NewEpochNeeded(why=EpochReason.PLATFORM_AHEAD) in gateway.told


def test_what_was_acknowledged_on_a_stick_does_not_go_out_again() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    (hello,) = gateway.take_sent()
    by_stick = Ack(epoch=gateway.epoch, hi=3, hash=JOURNAL[2].hash)
    now = moment(gateway.now_s)
    gateway.session.acknowledged_elsewhere(by_stick, now)  # nothing is open yet
    answer = platform.receive(hello.topic, hello.payload)[0]
    gateway.session.receive(*answer, now)
    other = Ack(epoch="0009-00000000", hi=5, hash=JOURNAL[4].hash)
    gateway.session.acknowledged_elsewhere(other, now)
    gateway.session.acknowledged_elsewhere(by_stick, now)
    gateway.oldest = 4  # the journal may let go of them, too
    gateway.send_rows()
    assert firsts(gateway.take_sent()) == [4]
    assert not [one for one in gateway.told if isinstance(one, NewEpochNeeded)]


@pytest.mark.parametrize("has_greeted", [True, False])
def test_what_a_stick_brought_newer_than_this_connection_knows_is_progress(
    *, has_greeted: bool
) -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    (hello,) = gateway.take_sent()
    first = Gateway(JOURNAL[:8])
    if has_greeted:
        gateway.receive(*platform.receive(hello.topic, hello.payload)[0])
    gateway.journal = JOURNAL[:8]  # stored since, and carried there by hand
    greet(first, platform)
    for sent in first.take_sent():
        platform.receive(sent.topic, sent.payload)
    if has_greeted:
        gateway.receive(*platform.ack())
    else:
        gateway.receive(*platform.receive(hello.topic, hello.payload)[0])
    assert gateway.acked == 8
    assert not [one for one in gateway.told if isinstance(one, NewEpochNeeded)]
    gateway.journal = JOURNAL[:9]
    gateway.take_sent()
    gateway.send_rows()
    assert firsts(gateway.take_sent()) == [9]


def test_silence_rewinds_to_the_watermark_ever_more_slowly_and_then_leaves() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    sent = gateway.take_sent()
    for patience_s in (10.0, 20.0, 40.0):
        assert gateway.tick(patience_s - 0.1) == []
        assert gateway.take_sent() == []
        gateway.tick(0.1 + patience_s * JITTER)
        assert firsts(gateway.take_sent()) == firsts(sent)
    outputs = gateway.tick(60.0 * (1 + JITTER))
    assert outputs == [Reconnect(why=LeaveReason.ACKS_MISSING)]
    assert REWINDS_BEFORE_LEAVING == 4


def test_progress_makes_patience_short_again() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    gateway.tick(12.5)
    first = gateway.take_sent()[-8]
    platform.receive(first.topic, first.payload)
    gateway.receive(*platform.ack())
    deadline_s = gateway.session.deadline()
    assert deadline_s is not None
    assert 10.0 <= deadline_s - gateway.now_s <= 12.5


def test_an_ack_for_what_was_sent_before_a_rewind_is_checked_and_skips_ahead() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    for item in gateway.take_sent():
        platform.receive(item.topic, item.payload)
    late = platform.ack()
    session, hi = gateway.session, platform.hi()
    session.tick(moment(gateway.now_s + 12.5))
    assert session.receive(*late, moment(gateway.now_s + 13)) == [CheckHash(seq=hi)]
    assert session.hash_answered(hi - 1, JOURNAL[hi - 2].hash, moment(114)) == []
    assert session.hash_answered(hi, JOURNAL[hi - 1].hash, moment(114)) == [
        Watermark(hi=hi)
    ]
    wanted = session.wants_rows()
    assert wanted is not None
    assert wanted.after == hi


@pytest.mark.parametrize("hi", [1, 3, 4])
def test_a_platform_behind_the_watermark_is_sent_again_what_it_lost(hi: int) -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    platform.lose(EPOCH, hi)
    gateway.connect()
    deliver(gateway, platform)
    assert CheckHash(seq=hi) in gateway.told
    assert Watermark(hi=hi) in gateway.told
    assert gateway.acked == platform.hi() == 5
    assert platform.duplicates == 0


def test_a_platform_that_lost_everything_is_sent_everything() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    deliver_to = Platform()
    gateway.connect()
    deliver(gateway, deliver_to)
    assert gateway.acked == deliver_to.hi() == 5
    assert Watermark(hi=0) in gateway.told


@pytest.mark.parametrize("kept_from", [4, 5])
def test_what_the_journal_no_longer_holds_ends_the_epoch(kept_from: int) -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    platform.lose(EPOCH, 2)
    gateway.oldest = kept_from
    gateway.connect()
    deliver(gateway, platform)
    assert NewEpochNeeded(why=EpochReason.ROWS_GONE) in gateway.told


def test_rows_missing_right_after_the_watermark_end_the_epoch() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.oldest = 3
    greet(gateway, platform)
    assert NewEpochNeeded(why=EpochReason.ROWS_GONE) in gateway.told


def test_a_platform_ahead_of_the_journal_ends_the_epoch() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    del gateway.journal[3:]  # an old image of the card was put back
    greet(gateway, platform)
    assert NewEpochNeeded(why=EpochReason.PLATFORM_AHEAD) in gateway.told


@pytest.mark.parametrize("length", [5, 6])
def test_a_forked_journal_ends_the_epoch(length: int) -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    gateway.journal = rows(length, seed=2)
    greet(gateway, platform)
    assert NewEpochNeeded(why=EpochReason.FORKED) in gateway.told
    assert platform.alarms == []


def test_a_new_epoch_begins_at_one() -> None:
    gateway, platform = Gateway(JOURNAL[:5]), Platform()
    gateway.connect()
    deliver(gateway, platform)
    gateway.disconnect()
    gateway.epoch, gateway.acked = "0002-0badcafe", 0
    gateway.journal = rows(3, epoch=gateway.epoch, seed=2)
    gateway.connect()
    deliver(gateway, platform)
    assert platform.hi("0002-0badcafe") == gateway.acked == 3
    assert platform.alarms == []


def test_a_session_without_a_connection_takes_nothing() -> None:
    session, platform = new_session(), Platform()
    assert session.receive(*platform.ack(), moment(1)) == []
    assert session.tick(moment(1e9)) == []
    assert session.wants_rows() is None
    assert session.deadline() is None
    assert session.disconnected() == []


def test_rows_read_for_an_older_wish_are_let_go() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    greet(gateway, platform)
    for item in gateway.take_sent():
        platform.receive(item.topic, item.payload)
    session, now = gateway.session, moment(gateway.now_s)
    session.receive(*platform.ack(), now)
    wanted = session.wants_rows()
    assert wanted is not None
    read = JOURNAL[wanted.after : wanted.after + 10]
    assert session.offer_rows(wanted, [], now) == []
    assert len(session.offer_rows(wanted, read, now)) == 1
    assert session.offer_rows(wanted, read, now) == []
