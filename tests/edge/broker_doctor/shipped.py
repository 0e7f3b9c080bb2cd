# SPDX-License-Identifier: Apache-2.0
"""The brokers of ``config/brokers`` as they are shipped, and weakened copies of them.

The law of the module: a copy differs from what is shipped by its paths, its port and
the named weakness, and each replacement must find what it replaces.
"""

from __future__ import annotations

import getpass
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.broker_doctor.account import Account, read_account
from edge.cli.broker_doctor.bench import Bench, Patient
from edge.cli.broker_doctor.budget import Budget
from edge.cli.broker_doctor.connection import Door
from tests.brokers import BrokerProcess, free_port
from tests.edge.broker_doctor.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS = Path(__file__).parents[3] / "config" / "brokers"
#: Whom the shipped settings let the doctor be.
ACCOUNTS = {"gateway": "probe-a", "other": "probe-b", "platform": "_doctor"}
#: What is replaced by what, in a copy.
Weakness = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A running broker, and the doctor's accounts for it."""

    port: int
    authority: Authority

    @property
    def words(self) -> tuple[str, ...]:
        """The doctor's command line."""
        return (
            *("127.0.0.1", "--port", f"{self.port}", "--ca", f"{self.authority.ca}"),
            *("--plain-port", f"{free_port()}"),
            *(word for each in ACCOUNTS.items() for word in self.option(*each)),
        )

    def option(self, option: str, name: str) -> tuple[str, str]:
        """Return an option that names an account, for the command line."""
        return f"--{option}", self.authority.issue(name)

    def account(self, name: str) -> Account:
        """Return an account with its certificate."""
        return read_account(self.authority.issue(name))

    def bench(self, platform: str = "_doctor") -> Bench:
        """Return where a single probe can work."""
        patient = Patient(
            door=Door(host="127.0.0.1", port=self.port, ca=self.authority.ca),
            gateway=self.account("probe-a"),
            other=self.account("probe-b"),
            platform=self.account(platform),
        )
        return Bench(patient=patient, budget=Budget(10))


@contextmanager
def mosquitto(folder: Path, weakness: Mapping[str, str] = {}) -> Iterator[Shipped]:
    """Run mosquitto with the shipped settings."""
    port = free_port()
    paths = {
        "/etc/mosquitto/menshen": str(folder),
        "listener 8883": f"listener {port} 127.0.0.1",
    }
    shutil.copy(SETTINGS / "mosquitto" / "acl", folder / "acl")
    settings = folder / "mosquitto.conf"
    text = (SETTINGS / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    acl = (folder / "acl").read_text(encoding="utf-8")
    text, acl = changed([text, acl], {**paths, **weakness})
    # Started by root it would go on as a user who may not enter the test's folder.
    text += f"user {getpass.getuser()}\n"
    settings.write_text(text, encoding="utf-8")
    (folder / "acl").write_text(acl, encoding="utf-8")
    command = [program("mosquitto"), "-c", str(settings)]
    yield from _running(command, port, folder)


@contextmanager
def nats(folder: Path, weakness: Mapping[str, str] = {}) -> Iterator[Shipped]:
    """Run nats-server with the shipped settings."""
    port = free_port()
    paths = {
        "/etc/nats-server/menshen": str(folder),
        "/var/lib/nats/menshen": str(folder / "jetstream"),
        "0.0.0.0:8883": f"127.0.0.1:{port}",
        "127.0.0.1:4222": f"127.0.0.1:{free_port()}",
    }
    settings = folder / "nats-server.conf"
    text = (SETTINGS / "nats" / "nats-server.conf").read_text(encoding="utf-8")
    (text,) = changed([text], {**paths, **weakness})
    settings.write_text(text, encoding="utf-8")
    yield from _running([program("nats-server"), "-c", str(settings)], port, folder)


def _running(command: list[str], port: int, folder: Path) -> Iterator[Shipped]:
    authority = Authority(folder)
    authority.issue("broker")
    process = BrokerProcess(command, port, folder / "broker.log")
    process.start()
    try:
        yield Shipped(port=port, authority=authority)
    finally:
        process.kill()


def changed(texts: list[str], changes: Mapping[str, str]) -> list[str]:
    """Return the texts with every old replaced by its new; each must be found."""
    for old, new in changes.items():
        assert any(old in text for text in texts), f"nothing to replace: {old}"
        texts = [text.replace(old, new) for text in texts]
    return texts


def program(name: str) -> str:
    """Return the path of a server's program."""
    sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return shutil.which(name, path=sbin) or name
