# SPDX-License-Identifier: Apache-2.0
"""The conversation: what the platform answers, and how its knobs make it misbehave."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature

from firmware_sim.platform.counts import count_garbled, count_journals
from firmware_sim.platform.feed import Row
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import Signer, load_signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.session import Publish, Session
from tests.firmware_sim.platform_stub import (
    EPOCH,
    GATEWAY,
    NONCE,
    SHARD,
    Journal,
    opened,
    pull,
    up,
)
from tests.firmware_sim.test_platform_feed import hashed, residents, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW_MS = 1_767_600_000_000


class World:
    """A session on files of its own, and eyes that check every signature."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.ledger = Ledger(self.path)
        self.store = FeedStore(folder / "feed.db")
        self.signer: Signer = load_signer(folder / "platform.key")
        self.session = Session(
            registry={GATEWAY: SHARD, "gw-attic": SHARD},
            ledger=self.ledger,
            store=self.store,
            signer=self.signer,
        )

    def say(self, leaf: str, payload: bytes) -> list[dict[str, Any]]:
        return self.read(self.session.receive(up(leaf), payload, NOW_MS))

    def read(self, messages: list[Publish]) -> list[dict[str, Any]]:
        return [self.body(message) for message in messages]

    def body(self, message: Publish) -> dict[str, Any]:
        kind, body = opened(message.payload, self.signer.public_hex)
        leaf = message.topic.rpartition("/")[2]
        assert message.topic == f"mn/v1/dn/{body['gw']}/{leaf}"
        assert kind == f"mn.{leaf}.v1"
        assert len(message.payload) <= 64 * 1024
        return body


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with closing(made.ledger), closing(made.store):
        yield made


def test_hello_is_answered_with_its_nonce_and_the_watermark(world: World) -> None:
    journal = Journal(9)
    (fresh,) = world.say("hello", journal.hello())
    assert fresh == {
        "gw": GATEWAY,
        "nonce": NONCE,
        "epoch": EPOCH,
        "hi": 0,
        "h": journal.hashes[0].hex(),
        "time": NOW_MS,
        "feed": {"epoch": world.store.feed.cursor.epoch, "rev": 0},
    }
    world.say("evt", journal.batch(1, 5))
    (later,) = world.say("hello", journal.hello("ab" * 16))
    assert (later["nonce"], later["hi"]) == ("ab" * 16, 5)
    assert later["h"] == journal.hashes[5].hex()


def test_a_restored_gateways_hello_is_an_alarm(world: World) -> None:
    world.say("evt", Journal(5).batch(1, 5))
    other = Journal(5, seed=2)
    (answer,) = world.say("hello", other.hello())
    assert answer["h"] != other.hashes[5].hex()
    assert count_journals(world.path)[0].alarms == 1


def test_a_batch_is_acknowledged_after_its_commit(world: World) -> None:
    journal = Journal(9)
    (ack,) = world.say("evt", journal.batch(1, 9))
    wanted = {"gw": GATEWAY, "epoch": EPOCH, "hi": 9, "h": journal.hashes[9].hex()}
    assert ack == wanted
    assert count_journals(world.path)[0].stored == 9


def test_a_gap_and_a_fork_are_answered_with_the_watermark(world: World) -> None:
    journal = Journal(9)
    world.say("evt", journal.batch(1, 3))
    for payload in (journal.batch(6, 9), Journal(9, seed=2).batch(4, 9)):
        (ack,) = world.say("evt", payload)
        assert (ack["hi"], ack["h"]) == (3, journal.hashes[3].hex())


def test_a_group_is_one_commit_and_one_acknowledgement(world: World) -> None:
    journal = Journal(30)
    group = [(up("evt"), journal.batch(n, n + 4)) for n in range(1, 30, 5)]
    group.insert(0, (up("hello"), journal.hello()))
    hello, ack = world.read(world.session.receive_all(group, NOW_MS))
    assert hello["hi"] == ack["hi"] == 30


def test_strangers_and_rubbish_get_no_answer_and_are_kept(world: World) -> None:
    assert world.say("evt", b"rubbish") == []
    assert world.say("evt", b"") == []
    assert world.session.receive("mn/v1/up/00/gw-nobody/hello", b"{}", NOW_MS) == []
    assert world.session.receive("another/topic", b"", NOW_MS) == []
    assert count_garbled(world.path) == 4


def test_rubbish_in_a_group_costs_the_others_nothing(world: World) -> None:
    journal = Journal(4)
    group = [(up("evt"), b"{"), (up("evt"), journal.batch(1, 4)), (up("pull"), b"[")]
    (ack,) = world.read(world.session.receive_all(group, NOW_MS))
    assert ack["hi"] == 4


def test_a_pull_brings_the_snapshot_and_then_nothing_new(world: World) -> None:
    world.session.change(residents(900))
    parts = world.say("pull", pull("", 0))
    assert len(parts) > 1
    assert {part["re"] for part in parts} == {NONCE}
    rows = [each for part in parts for each in part["rows"]]
    assert (len(rows), parts[0]["count"]) == (900, 900)
    assert hashed(rows) == parts[0]["hash"]
    epoch, rev = parts[0]["epoch"], parts[0]["rev"]
    (current,) = world.say("pull", pull(epoch, rev, "cd" * 16))
    assert (current["n"], current["i"], current["rows"]) == (0, 0, [])
    assert (current["re"], current["count"]) == ("cd" * 16, 900)
    assert (current["epoch"], current["rev"]) == (epoch, rev)


def test_an_impatient_gateway_gets_its_latest_pull_alone(world: World) -> None:
    world.session.change([row("r-1")])
    pulls = [(up("pull"), pull("", 0, f"{n:032x}")) for n in range(5)]
    (part,) = world.read(world.session.receive_all(pulls, NOW_MS))
    assert part["re"] == f"{4:032x}"


def test_a_change_nudges_every_gateway(world: World) -> None:
    nudges = world.read(world.session.change([row("r-1")]))
    epoch = world.store.feed.cursor.epoch
    wanted = [
        {"gw": gateway, "epoch": epoch, "rev": 1} for gateway in (GATEWAY, "gw-attic")
    ]
    assert nudges == wanted


def test_a_gateway_ahead_of_the_feed_is_outranked(world: World) -> None:
    world.session.change([row("r-1")])
    (part,) = world.say("pull", pull("0007-00000000", 3))
    assert part["epoch"].startswith("0008-")
    assert (part["rev"], part["count"]) == (1, 1)


def test_the_nth_acknowledgement_is_lost_and_the_next_heals_it(world: World) -> None:
    journal = Journal(9)
    world.session.turn("lose_ack", 2)
    heard = [world.say("evt", journal.batch(n, n)) for n in range(1, 5)]
    assert [[ack["hi"] for ack in acks] for acks in heard] == [[1], [], [3], [4]]
    assert count_journals(world.path)[0].stored == 4


@pytest.mark.parametrize(("knob", "leaf"), [("delay_ack_ms", "evt")])
def test_an_acknowledgement_is_held_back(world: World, knob: str, leaf: str) -> None:
    journal = Journal(2)
    world.session.turn(knob, 300)
    assert world.say(leaf, journal.batch(1, 1)) == []
    assert world.session.deadline() == NOW_MS + 300
    assert world.session.tick(NOW_MS + 299) == []
    (ack,) = world.read(world.session.tick(NOW_MS + 300))
    assert ack["hi"] == 1
    assert world.session.deadline() is None


def test_a_late_hello_keeps_the_time_of_its_signing(world: World) -> None:
    world.session.turn("delay_hello_ms", 15_000)
    assert world.say("hello", Journal(0).hello()) == []
    (late,) = world.read(world.session.tick(NOW_MS + 15_000))
    assert late["time"] == NOW_MS


def test_held_back_messages_leave_in_their_order(world: World) -> None:
    journal = Journal(3)
    world.session.turn("delay_ack_ms", 500)
    world.say("evt", journal.batch(1, 1))
    world.session.turn("delay_ack_ms", 100)
    world.say("evt", journal.batch(2, 2))
    acks = world.read(world.session.tick(NOW_MS + 500))
    assert [ack["hi"] for ack in acks] == [2, 1]


def test_a_forged_message_looks_right_and_does_not_verify(world: World) -> None:
    journal = Journal(2)
    world.session.turn("forge", 1)
    (forged,) = world.session.receive(up("evt"), journal.batch(1, 1), NOW_MS)
    with pytest.raises(InvalidSignature):
        world.body(forged)
    (ack,) = world.say("evt", journal.batch(2, 2))
    assert ack["hi"] == 2


def test_the_platforms_clock_can_go_back(world: World) -> None:
    world.session.turn("clock_offset_ms", -3_600_000)
    (answer,) = world.say("hello", Journal(0).hello())
    assert answer["time"] == NOW_MS - 3_600_000


def test_the_feeds_revision_can_go_back(world: World) -> None:
    for name in ("r-1", "r-2", "r-3"):
        world.session.change([row(name)])
    world.session.turn("feed_rev_offset", -2)
    epoch = world.store.feed.cursor.epoch
    (part,) = world.say("pull", pull(epoch, 3))
    assert (part["rev"], part["n"]) == (1, 1)
    (nudge, _) = world.read(world.session.change([row("r-4")]))
    assert nudge["rev"] == 2


@pytest.mark.parametrize("knob", ["corrupt_part", "corrupt_hash"])
def test_a_corrupt_snapshot_does_not_add_up_and_the_next_does(
    world: World, knob: str
) -> None:
    world.session.change(residents(900))
    world.session.turn(knob, 1)
    sums = []
    for _ in range(2):
        parts = world.say("pull", pull("", 0))
        rows = [each for part in parts for each in part["rows"]]
        sums.append({part["hash"] for part in parts} == {hashed(rows)})
    assert sums == [False, True]


def test_a_part_can_be_lost(world: World) -> None:
    world.session.change(residents(900))
    world.session.turn("lose_part", 1)
    parts = world.say("pull", pull("", 0))
    assert [part["i"] for part in parts] == list(range(1, parts[0]["n"]))


def test_a_wrong_knob_is_refused_and_nothing_turned(world: World) -> None:
    before = world.session.knobs
    with pytest.raises(ValueError, match="lose_ack"):
        world.session.turn("explode", 1)
    assert world.session.knobs is before


def test_a_change_with_a_bad_row_tells_nobody(world: World) -> None:
    bad = Row(kind="holder", id="h-1", body={"language": "x" * 9000})
    with pytest.raises(ValueError, match="h-1"):
        world.session.change([bad])
    assert world.store.feed.cursor.rev == 0
