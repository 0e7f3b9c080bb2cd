# SPDX-License-Identifier: Apache-2.0
"""The whole way with real processes: platform, mosquitto, a box, its gateway.

A claim is printed, a box enrols, two people compare digits, the gateway connects with
what it got, renews it, falls back from a bad one, and is revoked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from typer.testing import CliRunner

from edge.cli.key_files import read_tokens
from edge.cli.main import app
from edge.control.client import ControlError, ask
from tests import brokers
from tests.brokers import free_port, over_tls
from tests.certificates import Authority
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
GATEWAY, SITE, SHARD = "gw-7", "hall-7", "07"
RIGHTS = """\
user platform
topic read mn/v1/up/#
topic write mn/v1/dn/#
pattern write mn/v1/up/+/%u/#
pattern read mn/v1/dn/%u/#
"""
PLATFORM = """
[broker]
host = "127.0.0.1"
port = {broker}
ca_file = "ca.pem"
cert_file = "platform.pem"
key_file = "platform.key.pem"
[store]
sqlite = "platform.db"
[platform]
signing_key = "platform.key"
[web]
listen = "127.0.0.1:{web}"
[authority]
brokers = ["127.0.0.1:{broker}"]
"""


def typed(*words: object, folder: Path) -> str:
    """Type a verb; in this process, since the program takes a second to load."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def started(*words: object, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with log.open("ab") as told:
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, words)],
            cwd=folder,
            env=environment,
            stdout=told,
            stderr=told,
        )


def until(found: Callable[[], Any], within_s: float = 20.0) -> Any:
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError("it never came to it")


class Gateway:
    """A gateway's process; ``status`` None while it does not answer."""

    def __init__(self, box: Path) -> None:
        self.box, self.state = box, box / "state"
        self.log = box / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ("--site", self.box / "site.toml", "--state", self.state)
        self._process = started("edge.cli.run", *words, folder=self.box, log=self.log)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0, self.log.read_text()

    def status(self) -> dict[str, Any]:
        try:
            return ask(self.state / "control.sock", "status")
        except (ControlError, OSError):
            return {}

    def connected(self) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            status = self.status()
            return status if status and status["platform"]["connected"] else None

        return dict(until(found))

    @property
    def serial(self) -> int:
        text = (self.state / "keys" / "gateway.pem").read_bytes()
        return x509.load_pem_x509_certificate(text).serial_number


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The operator's folder with everything made, and a box's with its site file."""
    platform, box = tmp_path / "platform", tmp_path / "box"
    platform.mkdir()
    box.mkdir()
    (box / "site.toml").write_text(TEXT, encoding="utf-8")
    (box / "state").mkdir(mode=0o700)
    typed("platform", "init", folder=platform)
    typed("platform", "authority", "--host", "127.0.0.1", folder=platform)
    typed("platform", "server", "broker", "--host", "127.0.0.1", folder=platform)
    (platform / "platform.key").rename(platform / "signing")
    typed("platform", "server", "platform", "--host", "127.0.0.1", folder=platform)
    (platform / "platform.key").rename(platform / "platform.key.pem")
    (platform / "signing").rename(platform / "platform.key")
    typed("platform", "gateway", "add", GATEWAY, "--shard", SHARD, folder=platform)
    return (yield platform, box)


@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(180)
def test_the_whole_way(places: tuple[Path, Path], tmp_path: Path) -> None:
    platform, box = places
    (tmp_path / "rights").write_text(RIGHTS)
    more = over_tls(
        platform / "ca.pem",
        platform / "broker.pem",
        platform / "broker.key",
        platform / "ca.crl",
    )
    more += f"use_username_as_clientid true\nacl_file {tmp_path / 'rights'}\n"
    with brokers.mosquitto(tmp_path, more) as broker:
        web = free_port()
        text = PLATFORM.format(broker=broker.port, web=web)
        (platform / "platform.toml").write_text(text)
        running = started(
            *("edge.cli.main", "platform", "run"),
            folder=platform,
            log=tmp_path / "platform.log",
        )
        gateway = Gateway(box)
        try:
            until(lambda: "listening" in (tmp_path / "platform.log").read_text())
            enrol(platform, box, f"https://127.0.0.1:{web}")
            gateway.start()
            assert gateway.connected()["platform"]["certificate_days"] in (729, 730)
            renew(gateway, platform)
            fall_back(gateway, tmp_path)
            change_the_site_key(gateway, platform)
            revoke(gateway, platform, broker)
        finally:
            gateway.stop()
            running.send_signal(signal.SIGTERM)
            running.wait(10)
    spoken = (tmp_path / "platform.log").read_text() + gateway.log.read_text()
    for each in json.loads((gateway.state / "keys" / "site.json").read_text()).values():
        assert isinstance(each, int | list) or each not in spoken
    for name in ("gateway.key", "site.json", "box.json"):
        secret = (gateway.state / "keys" / name).read_text()
        assert secret not in spoken
        assert "PRIVATE" not in spoken
    assert running.returncode == 0, spoken


def enrol(platform: Path, box: Path, url: str) -> None:
    asked = ("platform", "claim", GATEWAY, "--site", SITE, "--url", url)
    claim = typed(*asked, folder=platform)
    [picture] = re.findall(r"menshen:enrol\?\S+", claim)
    words = ("--site", "site.toml", "--state", "state", "--claim", picture, "--json")
    process = started(
        "edge.cli.main", "keys", "enrol", *words, folder=box, log=box / "enrol.log"
    )

    def waits() -> Any:
        return json.loads(typed("platform", "waiting", "--json", folder=platform))

    def shown() -> list[str]:
        lines = (box / "enrol.log").read_text().splitlines()
        told = [json.loads(line) for line in lines if line.endswith("}")]
        return [each["digits"] for each in told if each["step"] == "compare"]

    try:
        [waiting], [digits] = until(waits), until(shown)
        assert waiting["digits"] == f"{digits[:3]} {digits[3:]}"
        typed("platform", "confirm", GATEWAY, digits, folder=platform)
        assert process.wait(15) == 0, (box / "enrol.log").read_text()
    finally:
        process.kill()
        process.wait()
    shown_now = typed(
        "keys", "show", "--site", "site.toml", "--state", "state", folder=box
    )
    assert f"CN={GATEWAY}" in shown_now


def renew(gateway: Gateway, platform: Path) -> None:
    before = gateway.serial
    typed("keys", "renew", "--socket", gateway.state / "control.sock", folder=platform)
    until(lambda: gateway.serial != before)
    status = gateway.connected()
    assert status["platform"]["renewal"] == {"stage": "NONE", "why": ""}
    names = {path.name for path in (gateway.state / "keys").iterdir()}
    assert not names & {"next.pem", "renewal.json", "incoming.json"}
    # Another one within a day is refused; the one in use goes on.
    typed("keys", "renew", "--socket", gateway.state / "control.sock", folder=platform)
    until(lambda: gateway.status()["platform"]["renewal"]["stage"] == "REFUSED")
    status = gateway.status()
    assert "TOO_OFTEN" in status["platform"]["renewal"]["why"]
    assert status["platform"]["connected"]


def fall_back(gateway: Gateway, tmp_path: Path) -> None:
    """A new certificate that the broker refuses: it is told, the old one goes on."""
    gateway.stop()
    folder = tmp_path / "foreign"
    folder.mkdir()
    foreign = Authority(folder).issue(GATEWAY)
    held = gateway.serial
    bad = gateway.state / "keys" / "next.pem"
    bad.touch(0o600)
    bad.write_bytes(foreign.certificate.read_bytes() + foreign.key.read_bytes())
    gateway.start()
    status = gateway.connected()
    until(lambda: not bad.exists())
    status = gateway.status()
    assert status["platform"]["renewal"]["stage"] == "REFUSED", status["platform"]
    assert gateway.serial == held


def change_the_site_key(gateway: Gateway, platform: Path) -> None:
    """Two keys at once, the rows written anew, and the old one gone, at both ends."""
    file = gateway.state / "keys" / "site.json"

    def held() -> dict[str, Any]:
        return dict(json.loads(file.read_text()))

    def row(**more: int) -> str:
        token = read_tokens(file, SITE).code(b"WANG-7").token.hex()
        body = {"enabled": 1, "extended": 0, "language": "zh-CN", "roles": ["RESIDENT"]}
        whole = body | {"credentials": [f"QR:{token}"]} | more
        return json.dumps({"kind": "holder", "id": "wang", "body": whole}) + "\n"

    def imports(text: str) -> None:
        (platform / "rows.jsonl").write_text(text)
        words = ("platform", "rows", "import", "rows.jsonl", "--gateway", GATEWAY)
        typed(*words, folder=platform)

    def shown() -> dict[str, Any]:
        words = ("platform", "site-key", "show", SITE, "--json")
        [line] = json.loads(typed(*words, folder=platform))
        return dict(line)

    imports(row())
    before = held()
    typed("platform", "site-key", "rotate", SITE, folder=platform)
    until(lambda: shown()["state"] == "waits for rows")
    assert {name: shown()[name] for name in ("holds", "before", "rows_before")} == {
        "holds": 2,
        "before": "1",
        "rows_before": 1,
    }
    assert held()["former"] == [{n: before[n] for n in ("n", "site_key", "epoch_salt")}]
    imports(row(key=2))
    assert shown()["state"] == "keeps an old key"
    typed("platform", "site-key", "retire", SITE, folder=platform)
    until(lambda: shown()["state"] == "done")
    assert held()["former"] == []
    # What the booking system gets is what the box makes tokens with.
    out = ("secret", "export", "site-2.json", "--site", SITE, "--use", "site")
    typed("platform", *out, folder=platform)
    exported = json.loads((platform / "site-2.json").read_text())
    assert exported == {name: held()[name] for name in exported}
    assert exported["n"] == 2


def revoke(gateway: Gateway, platform: Path, broker: brokers.BrokerProcess) -> None:
    told = typed("platform", "revoke", GATEWAY, folder=platform)
    assert "2 certificates revoked" in told
    broker.kill()
    broker.start()  # it reads the list

    def refused() -> Any:
        status = gateway.status()
        if not status or status["platform"]["connected"]:
            return None
        whys = [each["advice"] for each in status["platform"]["troubles"]]
        return any("certificate" in why for why in whys) and status

    status = until(refused)
    assert status["doors"]["front"]["mode"] == "LOCKED"  # the gateway works on
