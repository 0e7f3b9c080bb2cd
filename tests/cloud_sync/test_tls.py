# SPDX-License-Identifier: Apache-2.0
"""mosquitto over TLS: who is believed, who is let in, and what is said if not."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from cloud_sync.connection import Broker
from cloud_sync.transport.mqtt import MqttTransport
from cloud_sync.transport.port import State, TransportError, Trouble
from cloud_sync.transport.tls import TlsFiles
from edge.core.moment import UNBOUNDED_MS, Moment
from tests import brokers
from tests.certificates import (
    ALWAYS,
    FUTURE,
    PAST,
    SHORTLY_AFTER,
    SHORTLY_BEFORE,
    Authority,
    Pair,
)
from tests.cloud_sync.memory_ports import PlatformPeer, Site, stands, until
from tests.cloud_sync.scripted_platform import GATEWAY, Platform, rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from tests.brokers import BrokerProcess

pytestmark = [
    pytest.mark.needs("mosquitto"),
    pytest.mark.usefixtures("nothing_is_left_behind"),
]
NOW_MS = 1_795_000_000_000
EXPIRED, NOT_YET = (PAST, SHORTLY_AFTER), (SHORTLY_BEFORE, FUTURE)
#: A refusal is told by the broker and not by a time-out of ours, which is 5 s.
SOON_S = 3.0


class Clock:
    """A clock that knows the time, until a test says otherwise."""

    def __init__(self) -> None:
        self.earliest_ms = self.latest_ms = NOW_MS

    def forget(self) -> None:
        self.earliest_ms, self.latest_ms = 0, UNBOUNDED_MS

    def now(self) -> Moment:
        return Moment(
            monotonic_s=0.0,
            earliest_ms=self.earliest_ms,
            latest_ms=self.latest_ms,
            boot="boot-17",
        )


@dataclass(slots=True)
class World:
    """An authority, and brokers that it vouches for; all ended after the test."""

    folder: Path
    authority: Authority
    ours: Pair
    stack: ExitStack
    clock: Clock

    def broker(
        self,
        *,
        dates: tuple[dt.datetime, dt.datetime] = ALWAYS,
        hosts: tuple[str, ...] = ("127.0.0.1",),
        crl: Path | None = None,
    ) -> BrokerProcess:
        """Start a broker that asks for certificates of our authority."""
        pair = self.authority.issue("broker", dates=dates, hosts=hosts)
        lines = brokers.over_tls(self.authority.ca, pair.certificate, pair.key, crl)
        return self.stack.enter_context(brokers.mosquitto(self.folder, lines))

    @property
    def files(self) -> TlsFiles:
        ours = self.ours
        return TlsFiles(
            ca=self.authority.ca, certificate=ours.certificate, key=ours.key
        )

    def way(
        self, broker: BrokerProcess, files: TlsFiles | None = None
    ) -> MqttTransport:
        at = Broker(host="127.0.0.1", port=broker.port)
        return MqttTransport(at, GATEWAY, tls=files or self.files, now=self.clock.now)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        yield World(tmp_path, authority, authority.issue(GATEWAY), stack, Clock())


async def refusal(way: MqttTransport) -> TransportError:
    """Return why there is no connection, said soon and with nothing left open."""
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(TransportError) as caught:
        await way.connect()
    assert asyncio.get_running_loop().time() - begun_s < SOON_S
    assert stands(way, State.CLOSED)
    await way.close()
    return caught.value


async def test_each_side_knows_the_other_and_messages_go_through(world: World) -> None:
    way = world.way(world.broker())
    await way.connect()
    try:
        assert stands(way, State.CONNECTED)
        assert await way.subscribe(["mn/v1/dn/x/ack"])
        await way.publish("mn/v1/dn/x/ack", b"hello")
        message = await anext(way.messages())
        assert (message.topic, message.payload) == ("mn/v1/dn/x/ack", b"hello")
        assert not message.is_retained
    finally:
        await way.close()
    assert stands(way, State.CLOSED)


def test_nothing_older_than_tls_1_2_and_no_authority_but_the_site_s(
    world: World,
) -> None:
    context = world.files.context(world.clock.now)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


async def test_a_broker_of_another_authority_is_not_believed(world: World) -> None:
    other = Authority(world.folder, "another")
    files = replace(world.files, ca=other.ca)
    told = await refusal(world.way(world.broker(), files))
    assert told.kind is Trouble.BROKER_UNTRUSTED


async def test_a_broker_of_another_name_is_believed_only_by_that_name(
    world: World,
) -> None:
    broker = world.broker(hosts=("mqtt.example.org",))
    told = await refusal(world.way(broker))
    assert told.kind is Trouble.BROKER_NAME
    assert "127.0.0.1" in str(told)
    way = world.way(broker, replace(world.files, server_name="mqtt.example.org"))
    await way.connect()
    await way.close()


@pytest.mark.parametrize("dates", [EXPIRED, NOT_YET])
async def test_a_broker_out_of_its_dates_is_refused_by_our_own_clock(
    world: World, dates: tuple[dt.datetime, dt.datetime]
) -> None:
    told = await refusal(world.way(world.broker(dates=dates)))
    assert told.kind is Trouble.BROKER_DATES
    assert "'broker'" in str(told)


async def test_a_clock_that_knows_nothing_lets_dates_pass_until_it_knows(
    world: World,
) -> None:
    """A box without a battery must reach the platform to learn the time."""
    world.clock.forget()
    way = world.way(world.broker(dates=EXPIRED))
    await way.connect()
    try:
        await way.subscribe(["t"])
        messages = way.messages()
        await way.publish("t", b"the signed hello")
        await anext(messages)
        world.clock.earliest_ms = world.clock.latest_ms = NOW_MS
        with pytest.raises(TransportError, match="has expired") as caught:
            await anext(messages)
    finally:
        await way.close()
    assert caught.value.kind is Trouble.BROKER_DATES


async def test_a_broker_that_our_list_revokes_is_refused(world: World) -> None:
    broker = world.broker()
    shown = world.folder / "broker.pem"
    serial = int(ssl._ssl._test_decode_cert(str(shown))["serialNumber"], 16)  # type: ignore[attr-defined]
    revoked = Pair(certificate=shown, key=shown, serial=serial)
    files = replace(world.files, crl=world.authority.revoke(revoked))
    told = await refusal(world.way(broker, files))
    assert told.kind is Trouble.BROKER_REVOKED


async def test_who_shows_no_certificate_is_told_so(world: World) -> None:
    files = replace(world.files, certificate=None, key=None)
    told = await refusal(world.way(world.broker(), files))
    assert told.kind is Trouble.CERTIFICATE_REFUSED


@pytest.mark.parametrize("which", ["stranger", "expired", "revoked"])
async def test_a_certificate_that_the_broker_refuses_is_told_as_ours(
    world: World, which: str
) -> None:
    theirs, crl = world.authority, None
    if which == "stranger":
        theirs = Authority(world.folder, "another")
    dates = EXPIRED if which == "expired" else ALWAYS
    world.ours = theirs.issue(GATEWAY, dates=dates)
    if which == "revoked":
        crl = world.authority.revoke(world.ours)
    told = await refusal(world.way(world.broker(crl=crl)))
    assert told.kind is Trouble.CERTIFICATE_REFUSED, told


async def test_a_broker_without_tls_is_told_as_such(
    world: World, tmp_path: Path
) -> None:
    plain = world.stack.enter_context(brokers.mosquitto(tmp_path))
    told = await refusal(world.way(plain))
    assert told.kind in (Trouble.TLS_FAILED, Trouble.LOST), told


async def test_a_certificate_that_was_renewed_counts_from_the_next_connection(
    world: World,
) -> None:
    """And until then everything else goes on: events wait, and are sent in the end."""
    world.ours = world.authority.issue(GATEWAY, dates=EXPIRED)
    broker, platform = world.broker(), Platform()
    site = Site({"tls": world.way(broker)}, rows(50))
    async with site.running():
        # Now and then the alert that says why is lost with the connection.
        told = [("tls", "CERTIFICATE_REFUSED")]
        await until(
            lambda: [(t.broker, t.kind) for t in site.client.status.troubles] == told
        )
        assert site.client.status.waiting == 50
        world.authority.issue(GATEWAY)  # into the same files
        tls = world.files.context(world.clock.now)
        async with PlatformPeer(broker, platform, tls=tls).running():
            await until(lambda: site.client.status.waiting == 0)
        assert site.client.status.troubles == ()


async def test_a_broker_that_hangs_up_after_tls_is_told_with_a_guess(
    world: World,
) -> None:
    """Where the alert that says why was lost with the connection."""
    pair = world.authority.issue("broker")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pair.certificate, pair.key)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=theirs)
    async with server:
        at = Broker(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        way = MqttTransport(at, GATEWAY, tls=world.files, now=world.clock.now)
        told = await refusal(way)
    assert told.kind is Trouble.LOST
    assert "it may refuse this gateway's certificate" in str(told)


async def test_cancelling_at_any_moment_of_tls_leaves_nothing(world: World) -> None:
    way = world.way(world.broker())
    for after_ms in range(0, 24, 2):
        task = asyncio.ensure_future(way.connect())
        await asyncio.wait({task}, timeout=after_ms / 1000)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or task.exception() is None
        await way.close()
        assert stands(way, State.CLOSED)
    await way.connect()
    await way.close()
