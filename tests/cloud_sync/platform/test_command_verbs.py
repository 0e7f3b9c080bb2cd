# SPDX-License-Identifier: Apache-2.0
"""``menshen platform operator``, ``command``, ``commands`` and ``door``, as typed."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from edge.cli.platform.verbs import app
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

WHERE = ("--gateway", GATEWAY)
WHY = (*WHERE, "--reason", "telephone", "--within", "0")
CHEN = ("--key", "op-chen.key")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a platform with a gateway and one operator."""
    monkeypatch.chdir(tmp_path)
    for words in (
        ("init",),
        ("gateway", "add", GATEWAY, "--shard", SHARD),
        ("operator", "add", "op-chen", "--name", "陈", "--role", "manager", *CHEN),
    ):
        assert typed(*words).exit_code == 0, words
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def listed(*words: str) -> list[dict[str, object]]:
    told: list[dict[str, object]] = json.loads(typed(*words, "--json").output)
    return told


def test_an_operators_key_is_his_alone(folder: Path) -> None:
    key = folder / "op-chen.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    [chen] = listed("operator", "list")
    assert chen["name"] == "陈"
    seed = json.loads(key.read_text())["seed"]
    assert seed not in json.dumps(chen)
    assert seed.encode() not in (folder / "platform.db").read_bytes()
    words = ("operator", "add", "op-luo", "--name", "罗", "--public", "00" * 32)
    assert "anybody can sign" in typed(*words).output
    assert typed("operator", "add", "op-luo", "--name", "罗").exit_code == 2
    wrong = ("--role", "king", "--key", "k.key")
    assert typed("operator", "add", "op-luo", "--name", "罗", *wrong).exit_code == 2


def test_a_wish_waits_and_is_listed_and_cancelled(folder: Path) -> None:
    waits = typed("command", "open", "hall", *WHY, *CHEN)
    assert waits.exit_code == 1, "nothing has come of it yet"
    assert "wish 1: waiting" in waits.output
    [wish] = listed("commands")
    assert (wish["action"], wish["what"], wish["state"]) == (
        *("open", "door=hall"),
        "waiting",
    )
    assert typed("command", "cancel", "1").exit_code == 0
    assert typed("command", "cancel", "1").exit_code == 2
    assert listed("commands")[0]["state"] == "cancelled"
    assert folder


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("open", ""), "'door'"),
        (("mode", "hall", "BLOCKED"), "'until'"),
        (("mode", "hall", "OPEN"), "'mode'"),
        (("locker-open", "lockers", "65"), "'number'"),
        (("message", "x" * 141), "'text'"),
        (("erase", "telephone"), "name the person nowhere"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(
    folder: Path, words: tuple[str, ...], why: str
) -> None:
    refused = typed("command", *words, *WHY, *CHEN)
    assert (refused.exit_code, len(refused.output.splitlines())) == (2, 1)
    assert why in refused.output
    assert listed("commands") == []
    assert folder


def test_every_kind_can_be_wished(folder: Path) -> None:
    for words in (
        ("mode", "hall", "BLOCKED", "--until", "2030-01-01T18:00"),
        ("mode", "hall", "LOCKED"),
        ("locker-open", "lockers", "7"),
        ("revoke", "h-1"),
        ("message", "台风，请关窗"),
        ("refresh",),
        ("shelter", "--site", "hall-7"),
        ("erase", "h-2"),
    ):
        told = typed("command", *words, *WHY, *CHEN)
        assert "waiting" in told.output, told.output
    shown = typed("commands").output
    assert "h-1" not in shown, "people are not listed"
    assert len(listed("commands")) == 8
    assert folder


def test_who_is_retired_or_no_operator_is_told_so(folder: Path) -> None:
    assert typed("operator", "retire", "op-chen").exit_code == 0
    assert typed("operator", "retire", "op-chen").exit_code == 2
    gone = typed("command", "open", "hall", *WHY, *CHEN)
    assert "no operator op-chen at work" in gone.output
    platforms = typed("command", "open", "hall", *WHY, "--key", "platform.key")
    assert "no operator platform-" in platforms.output
    away = typed("command", "open", "hall", *WHY, "--key", "nowhere.key")
    assert away.exit_code == 2
    assert folder


def test_a_resident_without_a_booking_is_told_what_to_do(folder: Path) -> None:
    open_it = ("command", "resident-open", "hall", *WHERE, "--holder", "h-1")
    assert "`menshen platform door` does, once" in typed(*open_it).output
    assert typed("door", "hall", "living-room", *WHERE).exit_code == 0
    refused = typed(*open_it)
    assert (refused.exit_code, refused.output.strip()) == (
        2,
        "nobody of that name may enter here",
    )
    assert folder
