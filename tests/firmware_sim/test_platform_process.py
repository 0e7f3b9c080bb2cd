# SPDX-License-Identifier: Apache-2.0
"""The platform as its own process, over a real broker, with a hand-made gateway."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from tests.brokers import BrokerProcess, amqtt, free_port
from tests.firmware_sim.platform_stub import EPOCH, GATEWAY, Journal, opened, pull, up
from tests.firmware_sim.test_platform_feed import hashed, site_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: Long for a loaded machine; everything here takes a tenth of it.
PATIENCE_S = 20.0
STICKS = Path(__file__).parents[1] / "vectors" / "sneakernet.json"
POPULATION = {"holders": 800, "bookings": 40}
WINDOW = 8


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: the path of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="mn-") as name:
        yield Path(name)


@pytest.fixture
def broker(folder: Path) -> Iterator[BrokerProcess]:
    with amqtt(folder) as running:
        yield running


class Platform:
    """The process, its control socket, and the key it publishes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.state = folder / "platform"
        site = site_file(folder / "site.json", population=POPULATION)
        self._command = [sys.executable, "-m", "firmware_sim.platform"]
        self._command += ["--broker", f"127.0.0.1:{port}"]
        self._command += ["--state", str(self.state), "--site-json", str(site)]
        self._log = folder / "platform.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; return the seconds until the process has ended."""
        start_s = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        return time.monotonic() - start_s

    def ask(self, **wish: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(self.state / "control.sock"))
            line.sendall(json.dumps(wish).encode() + b"\n")
            answer: dict[str, Any] = json.loads(line.makefile().readline())
            return answer

    def wait_connected(self) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._is_connected():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline_s, self._log.read_text()
            time.sleep(0.05)

    def _is_connected(self) -> bool:
        try:
            return bool(self.ask(do="counts")["connected"])
        except OSError:
            return False

    @property
    def public_hex(self) -> str:
        keys = json.loads((self.state / "platform.pub.json").read_text())
        (value,) = keys.values()
        return str(value)


@contextmanager
def running(folder: Path, port: int) -> Iterator[Platform]:
    platform = Platform(folder, port)
    try:
        yield platform
    finally:
        platform.process.kill()
        platform.process.wait()


@pytest.fixture
def platform(folder: Path, broker: BrokerProcess) -> Iterator[Platform]:
    with running(folder, broker.port) as process:
        process.wait_connected()
        yield process


class Gateway:
    """One connection of a gateway that checks what it is told."""

    def __init__(self, client: aiomqtt.Client, platform: Platform) -> None:
        self._client = client
        self._public_hex = platform.public_hex

    async def say(self, leaf: str, payload: bytes) -> None:
        await self._client.publish(up(leaf), payload, qos=1)

    async def hear(self, leaf: str) -> dict[str, Any]:
        """Return the next message of that leaf; others are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            async for message in self._client.messages:
                assert isinstance(message.payload, bytes)
                kind, body = opened(message.payload, self._public_hex)
                assert body["gw"] == GATEWAY
                if message.topic.value == f"mn/v1/dn/{GATEWAY}/{leaf}":
                    assert kind == f"mn.{leaf}.v1"
                    return body
        raise AssertionError(leaf)

    async def greet(self, journal: Journal) -> dict[str, Any]:
        nonce = secrets.token_hex(16)
        await self.say("hello", journal.hello(nonce))
        answer = await self.hear("hello")
        assert answer["nonce"] == nonce
        assert bytes.fromhex(answer["h"]) == journal.hashes[answer["hi"]]
        return answer

    async def drain(self, journal: Journal, until: int, step: int = 50) -> int:
        """Send all after the platform's watermark, eight batches ahead of it."""
        acked: int = (await self.greet(journal))["hi"]
        sent = acked
        while acked < until:
            while sent < until and sent < acked + WINDOW * step:
                last = min(sent + step, until)
                await self.say("evt", journal.batch(sent + 1, last))
                sent = last
            ack = await self.hear("ack")
            assert bytes.fromhex(ack["h"]) == journal.hashes[ack["hi"]]
            acked = ack["hi"]
        return acked


@asynccontextmanager
async def connected(port: int, platform: Platform) -> AsyncIterator[Gateway]:
    async with aiomqtt.Client("127.0.0.1", port, clean_session=True) as client:
        leaves = ("hello", "ack", "feed", "nudge")
        await client.subscribe([(f"mn/v1/dn/{GATEWAY}/{leaf}", 1) for leaf in leaves])
        yield Gateway(client, platform)


def counts(platform: Platform) -> dict[str, Any]:
    """Return what the platform counted of the one gateway."""
    gateway: dict[str, Any] = platform.ask(do="counts")["gateways"][GATEWAY]
    return gateway


async def test_a_journal_drains_and_is_stored_once(
    platform: Platform, broker: BrokerProcess
) -> None:
    journal = Journal(3000)
    journal.erase(1234)
    async with connected(broker.port, platform) as gateway:
        await gateway.drain(journal, 3000)
        # The whole again, as a gateway does that lost its acknowledgements.
        await gateway.say("evt", journal.batch(1, 200))
        await gateway.hear("ack")
    counted = await asyncio.to_thread(counts, platform)
    assert (counted["stored"], counted["high"]) == (3000, 3000)
    assert (counted["deliveries"], counted["redelivered"]) == (3200, 200)
    assert (counted["duplicated"], counted["lost"], counted["alarms"]) == (0, 0, 0)
    assert counted["epochs"][EPOCH]["h"] == journal.hashes[3000].hex()
    assert counted["hello"]["last_seq"] == 3000
    audit = await asyncio.to_thread(platform.ask, do="audit")
    assert audit == {"ok": True, "breaks": []}


async def test_a_platform_killed_while_draining_loses_and_doubles_nothing(
    platform: Platform, broker: BrokerProcess
) -> None:
    journal = Journal(2000)
    for until in (500, 1100, 1600):
        async with connected(broker.port, platform) as gateway:
            await gateway.drain(journal, until, step=20)
            # In flight when the process dies: stored or not, never half.
            for first in range(until + 1, until + 200, 20):
                await gateway.say("evt", journal.batch(first, first + 19))
            await asyncio.to_thread(platform.stop, signal.SIGKILL)
            platform.start()
            await asyncio.to_thread(platform.wait_connected)
    async with connected(broker.port, platform) as gateway:
        assert await gateway.drain(journal, 2000) == 2000
    counted = await asyncio.to_thread(counts, platform)
    assert (counted["stored"], counted["high"]) == (2000, 2000)
    assert (counted["duplicated"], counted["lost"], counted["alarms"]) == (0, 0, 0)


async def test_the_feed_is_pulled_changed_nudged_and_pulled_again(
    platform: Platform, broker: BrokerProcess
) -> None:
    async with connected(broker.port, platform) as gateway:
        known = (await gateway.greet(Journal(0)))["feed"]
        assert known["rev"] == 1
        rows = await _pulled(gateway)
        assert len(rows) == 840
        revocation = {"kind": "revocation", "id": "r-1", "body": {"reason": "LOST"}}
        gone = {"kind": "holder", "id": "h-000001"}
        changed = await asyncio.to_thread(
            platform.ask, do="change", rows=[revocation], remove=[gone]
        )
        assert changed == {"ok": True, "epoch": known["epoch"], "rev": 2}
        nudge = await gateway.hear("nudge")
        assert (nudge["epoch"], nudge["rev"]) == (known["epoch"], 2)
        again = await _pulled(gateway)
    keys = {(row["kind"], row["id"]) for row in again}
    assert ("revocation", "r-1") in keys
    assert ("holder", "h-000001") not in keys
    assert len(again) == 840


async def _pulled(gateway: Gateway) -> list[dict[str, Any]]:
    nonce = secrets.token_hex(16)
    await gateway.say("pull", pull("", 0, nonce))
    parts = [await gateway.hear("feed")]
    while len(parts) < parts[0]["n"]:
        parts.append(await gateway.hear("feed"))
    assert {part["re"] for part in parts} == {nonce}
    rows = [row for part in parts for row in part["rows"]]
    assert hashed(rows) == parts[0]["hash"]
    return rows


async def test_a_delayed_acknowledgement_arrives_by_itself(
    platform: Platform, broker: BrokerProcess
) -> None:
    wish = {"do": "knob", "name": "delay_ack_ms", "value": 400}
    turned = await asyncio.to_thread(lambda: platform.ask(**wish))
    assert turned["knobs"]["delay_ack_ms"] == 400
    journal = Journal(3)
    async with connected(broker.port, platform) as gateway:
        await gateway.greet(journal)
        start_s = time.monotonic()
        await gateway.say("evt", journal.batch(1, 3))
        assert (await gateway.hear("ack"))["hi"] == 3
        assert time.monotonic() - start_s >= 0.4


async def test_a_restored_platform_is_filled_up_again(
    platform: Platform, broker: BrokerProcess
) -> None:
    journal = Journal(300)
    async with connected(broker.port, platform) as gateway:
        await gateway.drain(journal, 300)
    place = {"gateway": GATEWAY, "epoch": EPOCH, "seq": 120}
    await asyncio.to_thread(lambda: platform.ask(do="restore", **place))
    async with connected(broker.port, platform) as gateway:
        assert (await gateway.greet(journal))["hi"] == 120
        await gateway.drain(journal, 300)
    counted = await asyncio.to_thread(counts, platform)
    assert (counted["stored"], counted["duplicated"], counted["lost"]) == (300, 0, 0)


def test_the_platform_waits_for_its_broker_and_outlives_it(folder: Path) -> None:
    port = free_port()
    with running(folder, port) as platform:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (platform.state / "control.sock").exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        assert platform.ask(do="counts")["connected"] is False
        assert platform.ask(do="change", rows=[])["rev"] == 2
        assert platform.stop() < 1.0
    with amqtt(folder) as broker, running(folder, broker.port) as platform:
        platform.wait_connected()
        broker.kill()
        deadline_s = time.monotonic() + PATIENCE_S
        while platform.ask(do="counts")["connected"]:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        broker.start()
        platform.wait_connected()
        broker.freeze()
        assert platform.stop() < 1.0
        assert platform.process.returncode == 0


def test_the_control_socket_answers_wrong_wishes_and_goes_on(
    platform: Platform,
) -> None:
    assert (platform.state / "control.sock").stat().st_mode & 0o777 == 0o600
    assert (platform.state / "platform.key").stat().st_mode & 0o777 == 0o600
    wishes: list[dict[str, Any]] = [
        {},
        {"do": "explode"},
        {"do": "knob", "name": "explode", "value": 1},
        {"do": "knob", "name": "forge"},
        {"do": "change", "rows": [{"kind": "holder"}]},
        {"do": "change", "rows": 7},
    ]
    for wish in wishes:
        answer = platform.ask(**wish)
        assert answer["ok"] is False, wish
        assert answer["error"]
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        line.connect(str(platform.state / "control.sock"))
        line.sendall(b'rubbish\n[1]\n{"do":"keys"}\n')
        reader = line.makefile()
        answers = [json.loads(reader.readline()) for _ in range(3)]
    assert [answer["ok"] for answer in answers] == [False, False, True]
    assert list(answers[2]["keys"].values()) == [platform.public_hex]


def test_sticks_are_read_in_and_written_through_the_control_socket(
    platform: Platform, folder: Path
) -> None:
    golden = json.loads(STICKS.read_text(encoding="utf-8"))
    (folder / "up").write_text(golden["up"]["text"], encoding="utf-8")
    words: dict[str, Any] = {"do": "stick-in", "path": str(folder / "up")}
    assert "BOX_UNKNOWN" in platform.ask(**words)["error"]
    public = golden["box"]["public"]
    assert platform.ask(do="trust", gateway=GATEWAY, public=public)["ok"]
    assert platform.ask(**words)["hi"] == 3
    down = folder / "down"
    assert platform.ask(do="stick-out", gateway=GATEWAY, path=str(down))["ok"]
    _, header, *parts, _ = down.read_text(encoding="utf-8").splitlines()
    kind, body = opened(json.loads(header).encode(), platform.public_hex)
    assert (kind, body["ack"]["hi"]) == ("mn.stick.v1", 3)
    kinds = {opened(json.loads(one).encode(), platform.public_hex)[0] for one in parts}
    assert (kinds, len(parts)) == ({"mn.stick.feed.v1"}, body["feed"]["n"])
    gone = platform.ask(do="stick-in", path=str(folder / "gone"))
    assert not gone["ok"]


def test_a_wrong_site_file_ends_the_program_with_its_reason(folder: Path) -> None:
    site = folder / "site.json"
    site.write_text("{}")
    command = [sys.executable, "-m", "firmware_sim.platform", "--broker", "h:1"]
    command += ["--state", str(folder / "state"), "--site-json", str(site)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "site.json: the field 'gateway' is missing" in ended.stderr
    assert "Traceback" not in ended.stderr
