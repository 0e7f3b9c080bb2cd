# SPDX-License-Identifier: Apache-2.0
"""What ``config/brokers`` ships passes on the real servers; each weakness is found."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from edge.cli.broker_doctor import needs
from edge.cli.broker_doctor.connection import Manner
from edge.cli.broker_doctor.findings import Outcome
from edge.cli.exits import GOOD, TROUBLE
from tests.edge.broker_doctor import shipped
from tests.edge.broker_doctor.asked import ask, tell
from tests.edge.broker_doctor.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

MOSQUITTO = pytest.mark.needs("mosquitto")
NATS = pytest.mark.needs("nats-server")
_WRITES, _READS = "pattern write mn/v1/up/+/%u/#", "pattern read mn/v1/dn/%u/#"
_NATS_WRITES = 'publish: "mn.v1.up.*.probe-a.>"'
_NATS_READS = 'subscribe: ["mn.v1.dn.probe-a.>"'


@MOSQUITTO
def test_mosquitto_as_shipped_passes_and_its_hints_are_told(tmp_path: Path) -> None:
    with shipped.mosquitto(tmp_path) as broker:
        answer = ask(*broker.words)
        left = [_has_session(broker, name) for name in ("probe-a", "probe-b")]
    assert answer.code == GOOD, answer
    assert answer.names("hint", "bad") == {"denial-told"}
    assert not answer.names("hint", "open")
    assert answer.said("session-queue") == "kept 150 of 150 messages"
    assert "acknowledged with 0x87" in answer.said("mqtt5")
    assert left == [False, False]


@MOSQUITTO
def test_names_and_passwords_over_tls_pass_as_well(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    weakness = {
        "require_certificate true": f"password_file {passwords}",
        "use_identity_as_username true": "",
    }
    words = []
    passwords.touch(mode=0o600)
    for option, name in shipped.ACCOUNTS.items():
        (tmp_path / name).write_text(f"{name} knows", encoding="utf-8")
        command = ["mosquitto_passwd", "-b", f"{passwords}", name, f"{name} knows"]
        subprocess.run(command, check=True, capture_output=True)
        words += [f"--{option}", f"{name}={tmp_path / name}"]
    with shipped.mosquitto(tmp_path, weakness) as broker:
        answer = ask(*broker.words, *words, "--no-hints")
    assert answer.code == GOOD, answer


@NATS
def test_nats_as_shipped_lacks_what_no_setting_gives(tmp_path: Path) -> None:
    with shipped.nats(tmp_path) as broker:
        answer = ask(*broker.words, "--accept", "takeover")
    assert answer.code == GOOD, answer
    assert answer.names("setting", "bad") == {"takeover"}
    assert answer.verdict.endswith("known and accepted: takeover")
    assert "destroyed" not in answer.said("takeover")
    assert "reads" not in answer.said("takeover")
    assert answer.names("hint", "bad") == {"shared", "qos2", "mqtt5", "denial-told"}
    assert not answer.names("hint", "open")


@MOSQUITTO
def test_an_account_that_only_reads_up_and_writes_down_is_enough(
    tmp_path: Path,
) -> None:
    with shipped.mosquitto(tmp_path) as broker:
        answer = ask(*broker.words, *broker.option("platform", "_platform"))
    assert answer.code == GOOD, answer


@NATS
def test_the_platforms_own_account_of_nats_has_its_rights(tmp_path: Path) -> None:
    with shipped.nats(tmp_path) as broker:
        bench = broker.bench(platform="_platform")
        with bench.opened() as far:
            found = list(needs.both_ways(bench, far))
    assert [finding.outcome for finding in found] == [Outcome.GOOD, Outcome.GOOD]


@MOSQUITTO
@pytest.mark.parametrize(
    ("weakness", "unsafe"),
    [
        pytest.param({_WRITES: "pattern write mn/v1/up/#"}, {"write-up"}, id="writes"),
        pytest.param(
            {_WRITES: f"{_WRITES}\npattern read mn/v1/up/#"},
            {"read-up", "read-all"},
            id="listens",
        ),
        pytest.param(
            {_READS: "pattern readwrite mn/v1/dn/#"},
            {"write-down", "read-down", "read-all"},
            id="reads",
        ),
    ],
)
def test_wide_rules_of_mosquitto_are_found(
    tmp_path: Path, weakness: shipped.Weakness, unsafe: set[str]
) -> None:
    with shipped.mosquitto(tmp_path, weakness) as broker:
        answer = ask(*broker.words, "--no-hints")
    assert answer.code == TROUBLE
    assert answer.names("setting", "bad") == unsafe
    assert answer.verdict.startswith("unsafe: ")
    assert not answer.names("setting", "open")


@MOSQUITTO
def test_without_use_username_as_clientid_a_queue_is_destroyed(tmp_path: Path) -> None:
    weakness = {"use_username_as_clientid true": ""}
    with shipped.mosquitto(tmp_path, weakness) as broker:
        code, words = tell(*broker.words, "--no-hints")
    assert code == TROUBLE
    assert "it inherits the gateway's session; what was queued is destroyed" in words
    assert "mosquitto: use_username_as_clientid true" in words
    assert words.endswith("unsafe: takeover\n")


@MOSQUITTO
def test_an_anonymous_mosquitto_is_found(tmp_path: Path) -> None:
    weakness = {
        "require_certificate true": "require_certificate false",
        "use_identity_as_username true": "",
        "use_username_as_clientid true": "",
        "allow_anonymous false": "allow_anonymous true",
        "acl_file /": "#acl_file /",
    }
    with shipped.mosquitto(tmp_path, weakness) as broker:
        answer = ask(*broker.words, "--no-hints")
    assert answer.code == TROUBLE
    assert {"anonymous", "stranger"} <= answer.names("setting", "bad")
    assert not answer.names("need", "bad")


@MOSQUITTO
@pytest.mark.parametrize(
    ("weakness", "missing", "said"),
    [
        pytest.param(
            {_WRITES: "pattern write mn/v2/up/+/%u/#"},
            "up",
            "silently denied: acknowledged, and not authorized by MQTT 5 (0x87)",
            id="up",
        ),
        pytest.param(
            {_READS: "pattern read mn/v2/dn/%u/#"},
            "down",
            "acknowledged, and never delivered: the platform's account may not write "
            "it, or the gateway may not read it",
            id="down",
        ),
        pytest.param(
            {"max_packet_size 1048576": "max_packet_size 60000"},
            "payload-64k",
            "65,536 bytes did not come up",
            id="payload",
        ),
    ],
)
def test_what_a_gateway_lacks_at_mosquitto_is_found(
    tmp_path: Path, weakness: shipped.Weakness, missing: str, said: str
) -> None:
    with shipped.mosquitto(tmp_path, weakness) as broker:
        answer = ask(*broker.words, "--no-hints")
    assert answer.code == TROUBLE
    assert answer.names("need", "bad") == {missing}
    assert answer.said(missing) == said
    assert not answer.names("setting", "bad")


@MOSQUITTO
def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = Authority(tmp_path / "theirs")
    with shipped.mosquitto(tmp_path) as broker:
        ours = ask(*broker.words, "--gateway", theirs.issue("probe-a"))
        liar = ask(*broker.words, "--ca", f"{theirs.ca}")
    for answer in (ours, liar):
        assert answer.code == TROUBLE
        assert answer.verdict == "missing: connect; the rest was not asked"
    assert liar.said("connect").startswith("the broker's certificate is not good: ")


@NATS
@pytest.mark.parametrize(
    ("weakness", "unsafe"),
    [
        pytest.param(
            {
                "verify_and_map: true": "verify: false",
                "authorization {": 'no_auth_user: "CN=_doctor"\nauthorization {',
            },
            {"anonymous", "write-up", "write-down", "read-up", "read-down"},
            id="anonymous",
        ),
        pytest.param(
            {_NATS_WRITES: 'publish: "mn.v1.>"'}, {"write-up", "write-down"}, id="wide"
        ),
        pytest.param(
            {_NATS_READS: 'subscribe: ["mn.v1.>"'}, {"read-up", "read-down"}, id="reads"
        ),
    ],
)
def test_a_weakened_nats_is_found(
    tmp_path: Path, weakness: shipped.Weakness, unsafe: set[str]
) -> None:
    with shipped.nats(tmp_path, weakness) as broker:
        answer = ask(*broker.words, "--no-hints", "--accept", "takeover")
    assert answer.code == TROUBLE
    assert answer.names("setting", "bad") == {*unsafe, "takeover"}


@NATS
@pytest.mark.parametrize(
    ("weakness", "missing", "said"),
    [
        pytest.param(
            {_NATS_WRITES: 'publish: "mn.v2.>"'},
            "up",
            "acknowledged, and never delivered: the gateway may not write it, or the "
            "platform's account may not read it",
            id="up",
        ),
        pytest.param(
            {_NATS_READS: 'subscribe: ["mn.v2.>"'},
            "down",
            "the gateway's subscription is refused",
            id="down",
        ),
    ],
)
def test_what_a_gateway_lacks_at_nats_is_found(
    tmp_path: Path, weakness: shipped.Weakness, missing: str, said: str
) -> None:
    with shipped.nats(tmp_path, weakness) as broker:
        answer = ask(*broker.words, "--no-hints")
    assert answer.code == TROUBLE
    assert answer.names("need", "bad") == {missing}
    assert answer.said(missing) == said


def _has_session(broker: shipped.Shipped, name: str) -> bool:
    bench, account = broker.bench(), broker.account(name)
    back = Manner(identifier=name, is_clean=False)
    with bench.enter(account, back) as client:
        return client.has_session
