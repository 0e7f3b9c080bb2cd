# SPDX-License-Identifier: Apache-2.0
"""The shell over real brokers: draining, losing the broker, and leaving cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from cloud_sync import connection
from cloud_sync.connection import Broker, connected
from cloud_sync.conversation import Conversation, LeftError, Progress
from cloud_sync.outputs import EpochReason, LeaveReason
from cloud_sync.refusal import RefusalKind
from cloud_sync.silence import Silence
from edge.core.event import EventKind
from tests.brokers import free_port
from tests.cloud_sync.memory_ports import PlatformPeer, Site, until
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    GATEWAY,
    Platform,
    booking,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.brokers import BrokerProcess

pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")
JOURNAL = rows(5000)
ACK = f"mn/v1/dn/{GATEWAY}/ack"


def each_once(platform: Platform, epoch: str, count: int) -> bool:
    expected = {(epoch, seq): 1 for seq in range(1, count + 1)}
    mine = {key: n for key, n in platform.inserted.items() if key[0] == epoch}
    return mine == expected and not platform.alarms


async def test_a_backlog_is_drained_the_feed_applied_and_the_clock_bound(
    broker: BrokerProcess,
) -> None:
    platform = Platform()
    platform.publish_feed(7, [booking(number) for number in range(10)])
    site = Site(broker, JOURNAL)
    assert site.client.status.waiting == 5000
    async with PlatformPeer(broker, platform).running(), site.running():
        await until(lambda: site.client.status.waiting == 0)
        await until(lambda: site.feed.cursor.rev == 7)
        status = site.client.status
        assert (status.is_connected, status.reconnects) == (True, 0)
        assert status.trouble is None
        assert status.last_ack_s is not None
    assert each_once(platform, EPOCH, 5000)
    assert platform.duplicates == 0
    assert len(site.feed.rows) == 10
    (bounds,) = site.clock.bounds
    assert bounds.earliest_ms == platform.time_ms
    assert 0 < bounds.latest_ms - bounds.earliest_ms < 5000
    assert site.reports == []
    assert not site.client.status.is_connected


async def test_a_fresh_event_and_a_nudge_are_acted_upon_at_once(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker)
    peer = PlatformPeer(broker, platform)
    async with peer.running(), site.running():
        await until(lambda: site.client.status.is_connected)
        for record in JOURNAL[:20]:
            site.journal.records.append(record)
            site.client.wake()
            await until(lambda: site.journal.acked == site.journal.last_seq, 1.0)
        await peer.say(*platform.publish_feed(3, [booking(1)]))
        await until(lambda: site.feed.cursor.rev == 3, 1.0)
    assert each_once(platform, EPOCH, 20)


async def test_the_feed_is_asked_for_at_once_when_somebody_wants_it(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker)
    async with PlatformPeer(broker, platform).running(), site.running():
        site.client.refresh()
        await until(lambda: site.client.status.is_connected)
        assert platform.pulls == 0
        site.client.refresh()
        await until(lambda: platform.pulls == 1, 1.0)


async def test_what_lay_in_the_socket_during_a_standstill_is_not_done(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker)
    platform.time_ms = 10_000  # the site's clock knows of no later day
    peer = PlatformPeer(broker, platform)
    async with peer.running(), site.running():
        await until(lambda: site.client.status.is_connected)
        await peer.say(*platform.command(1))
        await until(lambda: len(site.ordered) == 1)
        site.has_stood_still = True  # whoever wakes first: the message, or the beat
        await peer.say(*platform.command(2))
        await until(lambda: site.client.status.reconnects == 1)
        await until(lambda: site.client.status.is_connected)
        late = platform.command(3)
        site.client.stood_still()
        assert not site.client.status.is_connected
        await until(lambda: site.client.status.reconnects == 2)
        await until(lambda: site.client.status.is_connected)
        await peer.say(*late)
        await until(lambda: bool(site.reports))
        await peer.say(*platform.command(4))
        await until(lambda: len(site.ordered) == 2)
    assert [int(command.jti, 16) for command in site.ordered] == [1, 4]
    [(kind, facts)] = site.reports
    assert (kind, dict(facts)["refusal"]) == (
        EventKind.PLATFORM_REFUSED,
        RefusalKind.NONCE,
    )


async def test_a_broker_killed_again_and_again_loses_and_doubles_nothing(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker)
    async with PlatformPeer(broker, platform).running(), site.running():
        for size in (1500, 3000, 4500):
            await until(lambda: site.client.status.is_connected)
            site.journal.records = JOURNAL[:size]
            site.client.wake()
            await asyncio.sleep(0.02)
            broker.kill()
            await until(lambda: not site.client.status.is_connected)
            await asyncio.to_thread(broker.start)
        site.journal.records = JOURNAL
        site.client.wake()
        await until(lambda: site.client.status.waiting == 0, 40.0)
        assert site.client.status.reconnects >= 3
    assert each_once(platform, EPOCH, 5000)


async def test_a_half_open_broker_is_left_and_another_connection_made(
    broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.5)
    monkeypatch.setattr(connection, "ANSWER_WITHIN_S", 0.5)
    platform, site = Platform(), Site(broker)
    async with PlatformPeer(broker, platform).running(), site.running():
        await until(lambda: site.client.status.is_connected)
        broker.freeze()
        site.journal.records = JOURNAL[:1000]
        site.client.wake()
        await until(lambda: not site.client.status.is_connected)
        assert site.client.status.trouble == "Operation timed out"
        broker.kill()
        await asyncio.to_thread(broker.start)
        await until(lambda: site.client.status.waiting == 0, 40.0)
    assert each_once(platform, EPOCH, 1000)


async def test_a_silent_platform_is_noticed_and_asked_again(
    broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_sync.introduction.HELLO_WITHIN_S", 0.3)
    peer, site = PlatformPeer(broker, Platform()), Site(broker, JOURNAL[:10])
    peer.is_silent = True
    async with peer.running(), site.running():
        await until(lambda: site.client.status.reconnects >= 2)
        assert site.client.status.trouble == LeaveReason.HELLO_UNANSWERED
        peer.is_silent = False
        await until(lambda: site.client.status.waiting == 0)
        assert site.client.status.trouble is None


async def test_forged_and_retained_messages_are_told_once_and_harm_nothing(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker, JOURNAL[:10])
    peer = PlatformPeer(broker, platform)
    async with peer.running():
        await peer.say(ACK, b"retained rubbish", retain=True)
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
            (retained,) = site.reports
            assert dict(retained[1])["refusal"] == RefusalKind.RETAINED
            for number in range(50):
                await peer.say(ACK, b"rubbish %d" % number)
            site.journal.records.append(JOURNAL[10])
            site.client.wake()
            await until(lambda: site.client.status.waiting == 0)
    (_, (kind, facts)) = site.reports
    assert kind is EventKind.PLATFORM_REFUSED
    assert dict(facts)["refusal"] == RefusalKind.NOT_SIGNED
    assert list(facts) == sorted(facts)


async def test_a_bad_snapshot_is_told_as_a_refused_roster(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker)
    platform.publish_feed(7, [{"kind": "booking", "id": "B1", "ver": "one"}])
    async with PlatformPeer(broker, platform).running(), site.running():
        await until(lambda: bool(site.reports))
    ((kind, facts),) = site.reports
    assert kind is EventKind.ROSTER_REFUSED
    assert dict(facts)["refusal"] == RefusalKind.FEED_SHAPE
    assert site.feed.staged == {}


async def test_a_failing_disk_ends_a_connection_and_not_the_client(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker, JOURNAL)
    site.journal.faults = 2
    async with PlatformPeer(broker, platform).running(), site.running():
        await until(lambda: site.client.status.waiting == 0)
        assert site.client.status.reconnects == 2
    assert each_once(platform, EPOCH, 5000)
    assert site.reports == [(EventKind.STORAGE_FAULT, (("why", "the disk is full"),))]


async def test_a_forked_journal_begins_a_new_epoch_and_drains_it(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker, JOURNAL[:100])
    platform.chains[EPOCH] = [record.hash for record in rows(50, seed=9)]
    async with PlatformPeer(broker, platform).running(), site.running():
        await until(lambda: site.journal.acked == 100)
    assert site.journal.new_epochs == [EpochReason.FORKED]
    assert each_once(platform, "0002-0badcafe", 100)


async def test_a_bug_in_a_port_is_not_swallowed(broker: BrokerProcess) -> None:
    site = Site(broker, JOURNAL[:10])
    site.clock.bounds = None  # type: ignore[assignment]
    async with PlatformPeer(broker, Platform()).running():
        with pytest.raises(ExceptionGroup) as caught:
            await site.client.run()
    assert caught.group_contains(AttributeError, depth=1)


@pytest.fixture
def deaf_listener() -> Iterator[socket.socket]:
    """Takes TCP connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


async def test_cancelling_while_nobody_listens_is_clean() -> None:
    site = Site(free_port())
    async with site.running():
        await until(lambda: site.client.status.trouble is not None)
        assert "refused" in str(site.client.status.trouble)


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.2])
async def test_cancelling_while_a_deaf_broker_is_greeted_is_clean_and_quick(
    deaf_listener: socket.socket, after_s: float
) -> None:
    begun_s = asyncio.get_running_loop().time()
    async with Site(deaf_listener.getsockname()[1]).running():
        await asyncio.sleep(after_s)
    assert asyncio.get_running_loop().time() - begun_s < 2.0


async def test_a_deaf_broker_is_given_up(
    deaf_listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_WITHIN_S", 0.2)
    site = Site(deaf_listener.getsockname()[1])
    async with site.running():
        await until(lambda: site.client.status.trouble == "Operation timed out")
    caller, _ = deaf_listener.accept()
    with caller:
        caller.settimeout(2.0)
        assert caller.recv(1000).startswith(b"\x10"), "CONNECT"
        assert caller.recv(1000) == b"", "and the connection was closed"


@pytest.mark.parametrize("first_ms", [0, 1])
async def test_cancelling_at_any_moment_of_connecting_is_clean(
    broker: BrokerProcess, first_ms: int
) -> None:
    for after_ms in range(first_ms, 30, 2):
        async with asyncio.timeout(5), Site(broker, JOURNAL[:50]).running():
            await asyncio.sleep(after_ms / 1000)


class Swallowing:
    """A transport whose SUBACK comes in the very turn in which the task is cancelled.

    Or which says no.
    """

    def __init__(self, *, is_granted: bool = True, after_s: float = 10.0) -> None:
        self.is_granted = is_granted
        self.after_s = after_s

    async def subscribe(self, _: Sequence[str]) -> bool:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(self.after_s)
        return self.is_granted


def conversation_over(transport: Swallowing) -> Conversation:
    site = Site(free_port())
    return Conversation(
        transport=transport,  # type: ignore[arg-type]
        session=site.session,
        ports=site.ports,
        woken=asyncio.Event(),
        progress=Progress(),
        silence=Silence(),
    )


async def test_a_cancellation_that_was_swallowed_is_heeded() -> None:
    task = asyncio.create_task(conversation_over(Swallowing()).run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=2)
    assert task.cancelled()


async def test_a_refused_subscription_is_said() -> None:
    refusing = Swallowing(is_granted=False, after_s=0.0)
    with pytest.raises(LeftError, match="SUBSCRIPTION_REFUSED"):
        await conversation_over(refusing).run()


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.1])
async def test_cancelling_in_the_middle_of_a_conversation_is_clean(
    broker: BrokerProcess, after_s: float
) -> None:
    platform, site = Platform(), Site(broker, JOURNAL)
    async with PlatformPeer(broker, platform).running():
        async with site.running():
            await asyncio.sleep(after_s)
        async with Site(broker, JOURNAL).running() as again:
            await until(lambda: again.client.status.waiting == 0)
    assert each_once(platform, EPOCH, 5000)


async def test_the_connection_is_made_without_delay_and_without_memory(
    broker: BrokerProcess,
) -> None:
    where = Broker(host=broker.host, port=broker.port)
    async with connected(where, "gw-test") as client:
        paho = client._client
        sock = paho.socket()
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert client.identifier == "gw-test"
        assert paho._clean_session
    assert paho.socket() is None


async def test_publishes_are_pipelined_within_the_window(
    broker: BrokerProcess,
) -> None:
    platform, site = Platform(), Site(broker, JOURNAL)
    peer = PlatformPeer(broker, platform)
    heard: list[int] = []
    honest = platform._batch

    def hesitant(data: dict[str, object]) -> tuple[str, bytes]:
        heard.append(int(str(data["first"])))
        return honest(data) if len(heard) > 8 else (ACK, platform.ack()[1])

    platform._batch = hesitant  # type: ignore[method-assign]
    async with peer.running(), site.running():
        await until(lambda: len(heard) == 8)
        await asyncio.sleep(0.2)
        assert len(heard) == 8, "the ninth waits for an ack"
        assert heard == sorted(heard)
