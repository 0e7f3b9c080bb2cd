# SPDX-License-Identifier: Apache-2.0
"""The doctor with brokers that are open, silent, strange or not there at all."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.cli.broker_doctor.account import Account, read_account
from edge.cli.broker_doctor.bench import Bench, Patient
from edge.cli.broker_doctor.budget import Budget
from edge.cli.broker_doctor.connection import Connection, Door, Manner
from edge.cli.broker_doctor.entering import is_loopback, own_address, plain
from edge.cli.broker_doctor.examine import examine
from edge.cli.broker_doctor.findings import Outcome
from edge.cli.broker_doctor.questions import QUESTIONS, Part
from edge.cli.exits import GOOD, TROUBLE, UNREACHABLE, WRONG_USE
from tests import brokers
from tests.brokers import free_port
from tests.edge import small_site
from tests.edge.broker_doctor.asked import ask, tell
from tests.edge.broker_doctor.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.brokers import BrokerProcess

UNSAFE_WHEN_OPEN = {
    *("anonymous", "stranger", "write-up", "write-down"),
    *("read-up", "read-down", "read-all"),
}

GATEWAY = Account(name="probe-a")
KNOWN = Account(name="probe-b", password="any")  # noqa: S106


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")),
    ]
)
def open_broker(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[BrokerProcess]:
    """A broker that asks nobody for anything."""
    start = {"amqtt": brokers.amqtt, "mosquitto": brokers.mosquitto}[request.param]
    with start(tmp_path) as process:
        yield process


def test_an_open_broker_is_usable_and_unsafe(open_broker: BrokerProcess) -> None:
    words = ("127.0.0.1", "--port", f"{open_broker.port}")
    answer = ask(*words, "--no-hints")
    assert answer.code == TROUBLE
    assert answer.names("need", "good") == {
        name for name, question in QUESTIONS.items() if question.part is Part.NEED
    }
    assert answer.names("setting", "bad") == UNSAFE_WHEN_OPEN
    assert answer.names("setting", "open") == {"takeover"}
    accepted = [word for name in UNSAFE_WHEN_OPEN for word in ("--accept", name)]
    assert ask(*words, "--no-hints", *accepted).code == TROUBLE
    accepted += ["--accept", "takeover"]
    assert ask(*words, "--no-hints", *accepted).code == GOOD


@pytest.mark.needs("mosquitto")
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with brokers.mosquitto(tmp_path) as broker:
        door = Door(host=broker.host, port=broker.port)
        examined = examine(Patient(door=door, gateway=GATEWAY, other=KNOWN))
        found = {finding.name: finding for finding in examined.findings}
        assert found["retained"].outcome is Outcome.GOOD
        assert found["session-queue"].outcome is Outcome.GOOD
        assert found["takeover"].outcome is Outcome.BAD
        budget = Budget(10)
        for name in (GATEWAY.name, KNOWN.name):
            back = Manner(identifier=name, is_clean=False)
            with Connection(door, None, back, budget) as client:
                assert not client.has_session
        with Connection(door, None, Manner(identifier="look"), budget) as client:
            client.subscribe("mn/#")
            client.publish("mn/mark", "mark")
            assert client.hears("mark", 5)
            assert [message.topic for message in client.heard] == ["mn/mark"]


def test_nobody_there_is_told_apart_from_trouble() -> None:
    code, words = tell("127.0.0.1", "--port", f"{free_port()}")
    assert code == UNREACHABLE
    assert "not reached: connection refused; see host, port" in words


def test_a_host_that_never_answers_costs_the_given_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=5) as silent:
        door = Door(host="127.0.0.1", port=silent.getsockname()[1])
        patient = Patient(door=door, gateway=GATEWAY, other=KNOWN)
        examined = examine(patient, within_s=0.2)
    assert examined.code == UNREACHABLE
    assert {finding.outcome for finding in examined.findings} == {
        Outcome.OPEN,
        Outcome.UNASKED,
    }


@pytest.mark.needs("mosquitto")
def test_what_there_was_no_time_for_stays_open(tmp_path: Path) -> None:
    with brokers.mosquitto(tmp_path) as broker:
        door = Door(host=broker.host, port=broker.port)
        patient = Patient(door=door, gateway=GATEWAY, other=KNOWN)
        examined = examine(patient, within_s=1.5)  # the take-over alone waits longer
    assert examined.code == TROUBLE
    said = {finding.name: finding.said for finding in examined.findings}
    assert said["connect"] == "let in as a gateway"
    assert said["takeover"] == "no time was left"


@pytest.mark.needs("mosquitto")
def test_a_plain_port_where_tls_was_asked_for(tmp_path: Path) -> None:
    ca = Authority(tmp_path).ca
    with brokers.mosquitto(tmp_path) as broker:
        answer = ask("127.0.0.1", "--port", f"{broker.port}", "--ca", f"{ca}")
        door = Door(host="127.0.0.1", port=free_port(), ca=ca)
        patient = Patient(
            door=door, gateway=GATEWAY, other=KNOWN, plain_port=broker.port
        )
        (found,) = plain(Bench(patient=patient, budget=Budget(10)))
    assert answer.said("plain") == f"port {broker.port} speaks MQTT without TLS"
    assert answer.code == TROUBLE
    assert (found.outcome, found.said) == (Outcome.BAD, answer.said("plain"))


def test_plain_tcp_is_unsafe_beyond_this_machine() -> None:
    assert own_address() != "127.0.0.1"
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("192.168.1.4")
    assert not is_loopback("broker.example")


@pytest.mark.needs("mosquitto")
def test_a_plain_port_is_asked_from_outside_as_well(tmp_path: Path) -> None:
    with brokers.mosquitto(tmp_path) as broker:
        door = Door(host=broker.host, port=broker.port)
        found = []
        # 127.0.0.1 stands for the network's address: the only one that answers here.
        for outside in (broker.host, "127.0.0.2", ""):
            patient = Patient(door=door, gateway=GATEWAY, other=KNOWN, outside=outside)
            found += list(plain(Bench(patient=patient, budget=Budget(10))))
    assert [each.outcome for each in found] == [Outcome.BAD, *[Outcome.GOOD] * 2]


@pytest.mark.needs("mosquitto")
def test_host_and_port_come_from_a_site_file(tmp_path: Path) -> None:
    with brokers.mosquitto(tmp_path) as broker:
        site = tmp_path / "site.toml"
        platform = f'\n[platform]\nhost = "{broker.host}"\nport = {broker.port}\n'
        site.write_text(small_site.TEXT + platform, encoding="utf-8")
        answer = ask("--site", str(site), "--no-hints")
    assert answer.said("connect") == "let in as a gateway"


def test_files_that_do_not_serve_are_told_before_anything_is_connected(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    ca, good = f"{authority.ca}", authority.issue("probe-a")
    mixed = f"probe-a={tmp_path}/probe-a.crt,{tmp_path}/ca.key"
    (text := tmp_path / "text").write_bytes(b"\xff")
    for words, told in (
        (("h", "--ca", f"{text}"), f"--ca {text}: "),
        (("h", "--ca", ca, "--gateway", mixed), "the files of probe-a: "),
        (("h", "--gateway", good), "probe-a has a certificate: give --ca, too"),
        (("h", "--gateway", f"gw-a={text}"), f"{text} of gw-a cannot be read: "),
    ):
        code, output = tell(*words)
        assert code == WRONG_USE
        assert told in output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "whom? give the broker's HOST, or --site FILE"),
        (("h", "--accept", "rain"), "--accept rain: no such question; take one of"),
        (("h", "--ca", "/no/ca"), "--ca /no/ca: no such file; give the CA's PEM file"),
        (("h", "--gateway", "Gw"), "gateway 'Gw' is not an identifier"),
        (("h", "--gateway", "gw-a=/no/file"), "'/no/file' of gw-a is not a file"),
        (("h", "--other", "probe-a"), "--gateway and --other are the same"),
    ],
)
def test_wrong_use_is_told_before_anything_is_connected(
    words: tuple[str, ...], told: str
) -> None:
    code, output = tell(*words)
    assert code == WRONG_USE
    assert told in output


def test_the_page_has_a_row_for_each_question() -> None:
    page = (Path(__file__).parents[3] / "docs" / "brokers.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = {
        name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert QUESTIONS.keys() <= told


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n", encoding="utf-8")
    account = read_account(f"_platform={secret}")
    assert account == Account(name="_platform", password="open sesame")  # noqa: S106
    assert account.is_known
    assert not read_account("probe-b").is_known
