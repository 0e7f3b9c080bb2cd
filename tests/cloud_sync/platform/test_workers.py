# SPDX-License-Identifier: Apache-2.0
"""Workers on three nodes of NATS with the shipped settings, and the product's client.

The law of the module: servers are Debian's, over TLS; a worker that dies is a process.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync.connection import Broker
from cloud_sync.platform.application import leases_of, open_database, work
from cloud_sync.platform.settings import BrokerSettings, Settings
from cloud_sync.topics import Topics
from cloud_sync.transport.mqtt import MqttTransport
from edge.cli.exits import GOOD
from edge.cli.system_clock import wall_ms
from tests.cloud_sync.memory_ports import Site, over_mqtt, until
from tests.cloud_sync.platform.desk import TOPICS, expected, journal, registered
from tests.cloud_sync.platform.test_with_gateways import refusals, stored
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED, SHARD
from tests.edge.broker_doctor import shipped
from tests.edge.broker_doctor.asked import ask
from tests.nats_cluster import NODES, NatsCluster, nats_cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from tests.brokers import BrokerProcess
    from tests.postgres import PostgresServer

pytestmark = pytest.mark.needs("nats-server", "postgresql")
JOURNAL = journal(6_000)
OTHER = "gw-hall-02"
_REFUSE = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
IF (SELECT gateway FROM journal WHERE id = NEW.journal) = 'GATEWAY'
THEN RAISE EXCEPTION 'never'; END IF;
RETURN NEW; END $$ LANGUAGE plpgsql
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with nats_cluster(folder, GATEWAY, OTHER) as running:
        running.authority.issue("_worker")
        key = folder / "platform.key"
        key.write_text(f'{{"kid":"{KID}","seed":"{SEED.hex()}"}}', "ascii")
        key.chmod(0o600)
        yield running


@pytest.fixture
async def settings(postgres_server: PostgresServer, cluster: NatsCluster) -> Settings:
    return Settings.model_validate(
        {
            "broker": {"host": "127.0.0.1"},
            "store": {"postgresql": await postgres_server.empty()},
            "nats": {
                "servers": cluster.servers,
                "ca_file": "ca.crt",
                "cert_file": "_worker.crt",
                "key_file": "_worker.key",
            },
        }
    )


@pytest.fixture
async def database(settings: Settings, cluster: NatsCluster) -> AsyncIterator[Database]:
    async with open_database(settings, cluster.folder) as opened:
        other = Topics(gateway=OTHER, shard=SHARD)
        await registered(opened, TOPICS, other)
        yield opened


@asynccontextmanager
async def working(
    settings: Settings, folder: Path, *names: str, shards: frozenset[str] | None = None
) -> AsyncIterator[None]:
    """Run a worker of each name in this loop."""
    tasks = [
        asyncio.create_task(work(settings, folder, wall_ms, name=name, shards=shards))
        for name in names
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks), tasks


@asynccontextmanager
async def dying(
    settings: Settings, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker that kills itself between a commit and what follows it."""
    written = folder / "dying.json"
    written.write_text(settings.model_dump_json(), "utf-8")
    words = ("-m", "tests.cloud_sync.platform.dying", str(written), "worker")
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def ways(cluster: NatsCluster, *nodes: int) -> dict[str, MqttTransport]:
    """Return a gateway's ways to these nodes."""
    context = cluster.context(GATEWAY)
    brokers = {
        node: Broker(host="127.0.0.1", port=cluster.port(node, 8883), tls=context)
        for node in nodes
    }
    return {str(node): MqttTransport(at, GATEWAY) for node, at in brokers.items()}


async def held(settings: Settings, folder: Path) -> dict[str, str]:
    async with leases_of(settings, folder, "", is_worker=False) as leases:
        return await leases.holders()


async def shared_by(
    settings: Settings, folder: Path, names: Sequence[str], each: int
) -> None:
    """Wait until every name holds so many shards."""
    async with asyncio.timeout(20):
        while True:
            holders = list((await held(settings, folder)).values())
            if [holders.count(name) for name in names] == [each] * len(names):
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("node", NODES)
def test_the_doctor_passes_the_shipped_settings(
    cluster: NatsCluster, node: int
) -> None:
    port = cluster.port(node, 8883)
    broker = shipped.Shipped(port=port, authority=cluster.authority)
    answer = ask(*broker.words, "--no-hints", "--accept", "takeover")
    assert answer.code == GOOD, answer
    assert answer.names("setting", "bad") == {"takeover"}
    assert answer.verdict.endswith("known and accepted: takeover")


def test_a_gateways_certificate_opens_mqtt_and_nothing_else(
    cluster: NatsCluster,
) -> None:
    context = cluster.context(GATEWAY)
    with socket.create_connection(("127.0.0.1", cluster.port(1, 4222)), 5) as plain:
        assert plain.recv(4096).startswith(b"INFO ")
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as worker:
            worker.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            assert worker.recv(100).startswith(b"-ERR 'Authorization Violation'")
    route = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    route.check_hostname, route.verify_mode = False, ssl.CERT_NONE
    own = cluster.folder / GATEWAY
    route.load_cert_chain(f"{own}.crt", f"{own}.key")

    def enter() -> bytes:
        place = ("127.0.0.1", cluster.port(1, 6222))
        with (
            socket.create_connection(place, 5) as plain,
            route.wrap_socket(plain) as peer,
        ):
            peer.sendall(b"CONNECT {}\r\n")
            return peer.recv(100)

    with pytest.raises(ssl.SSLError, match="certificate"):
        enter()


async def test_shards_are_shared_as_workers_come_and_go(
    settings: Settings, cluster: NatsCluster, database: Database
) -> None:
    folder = cluster.folder
    async with working(settings, folder, "a:1"):
        await shared_by(settings, folder, ["a:1"], 16)
        async with working(settings, folder, "b:2"):
            await shared_by(settings, folder, ["a:1", "b:2"], 8)
        await shared_by(settings, folder, ["a:1"], 16)


async def test_the_same_gateway_goes_from_mosquitto_to_the_cluster(
    settings: Settings,
    cluster: NatsCluster,
    database: Database,
    mosquitto: BrokerProcess,
) -> None:
    folder, all_shards = cluster.folder, frozenset({SHARD})
    where = BrokerSettings(host="127.0.0.1", port=mosquitto.port)
    before = settings.model_copy(update={"broker": where})
    site = Site({**over_mqtt(mosquitto), **ways(cluster, 1, 2)}, JOURNAL[:3000])
    async with site.running():
        async with working(before, folder, "m:1", shards=all_shards):
            await until(lambda: site.journal.acked == 3000)
        mosquitto.kill()
        site.journal.records = JOURNAL
        site.client.wake()
        async with working(settings, folder, "a:1", "b:2"):
            await until(lambda: site.journal.acked == len(JOURNAL), 40.0)
    assert await stored(database) == expected(JOURNAL)
    assert (site.reports, site.journal.new_epochs) == ([], [])


async def test_a_worker_killed_after_its_commit_loses_and_doubles_nothing(
    settings: Settings, cluster: NatsCluster, database: Database
) -> None:
    site = Site(ways(cluster, 2, 3), JOURNAL)
    async with site.running():
        async with dying(settings, cluster.folder) as process:
            assert await process.wait() == -signal.SIGKILL
        assert 0 < len(await stored(database)) < len(JOURNAL)
        assert site.journal.acked == 0
        async with working(settings, cluster.folder, "b:2"):
            await until(lambda: site.journal.acked == len(JOURNAL), 30.0)
    assert await stored(database) == expected(JOURNAL)
    async with database.reading() as reading:
        [(repeated,)] = await reading.fetch("SELECT repeated FROM journal")
        [(alarms,)] = await reading.fetch("SELECT count(*) FROM alarm")
    assert repeated > 0  # what was committed and not finished came again
    assert alarms == 0


@pytest.mark.alone  # three nodes elect leaders while time runs
@pytest.mark.timeout(300)
async def test_a_node_killed_meanwhile_loses_and_doubles_nothing(
    settings: Settings, cluster: NatsCluster, database: Database
) -> None:
    site = Site(ways(cluster, 1, 2, 3), JOURNAL[:1000])
    try:
        async with (
            working(settings, cluster.folder, "a:1", "b:2"),
            site.running(),
        ):
            await until(lambda: site.journal.acked == 1000)
            await asyncio.to_thread(cluster.wait_whole)
            cluster.nodes[1].kill()
            site.journal.records = JOURNAL
            site.client.wake()
            await until(lambda: site.journal.acked == len(JOURNAL), 180.0)
    finally:
        await asyncio.to_thread(cluster.nodes[1].start)
        await asyncio.to_thread(cluster.wait, 1)
    assert await stored(database) == expected(JOURNAL)
    assert site.journal.new_epochs == []


async def test_a_message_that_the_database_never_takes_holds_up_nobody(
    settings: Settings, cluster: NatsCluster, database: Database
) -> None:
    await _refuse_events_of(database, OTHER)
    bad = Site(_ways_of(cluster, OTHER), journal(5), gateway=OTHER)
    site = Site(ways(cluster, 2), JOURNAL[:500])
    try:
        async with (
            working(settings, cluster.folder, "a:1"),
            bad.running(),
            site.running(),
        ):
            await until(lambda: site.journal.acked == 500, 30.0)
            async with asyncio.timeout(20):
                while (OTHER, "MALFORMED") not in await refusals(database):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
    finally:
        async with database.writing() as writing:
            await writing.execute("DROP TRIGGER refusing ON event")
    assert bad.journal.acked == 0  # it keeps them, and is told in the list of troubles
    assert await stored(database) == expected(JOURNAL[:500])


async def _refuse_events_of(database: Database, gateway: str) -> None:
    """Have PostgreSQL refuse every event of one gateway."""
    async with database.writing() as writing:
        await writing.execute(_REFUSE.replace("GATEWAY", gateway))
        await writing.execute(
            "CREATE TRIGGER refusing BEFORE INSERT ON event "
            "FOR EACH ROW EXECUTE FUNCTION refuse()"
        )


def _ways_of(cluster: NatsCluster, gateway: str) -> dict[str, MqttTransport]:
    at = Broker(
        host="127.0.0.1", port=cluster.port(3, 8883), tls=cluster.context(gateway)
    )
    return {"3": MqttTransport(at, gateway)}
