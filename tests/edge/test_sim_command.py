# SPDX-License-Identifier: Apache-2.0
"""One simulated device by itself: listed, started, spoilt, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from edge.cli.sim import listing, run_sim
from firmware_sim.alone import ALONE, choose, knobs_of
from firmware_sim.errors import SimulationError
from firmware_sim.hand import VERBS
from firmware_sim.world import World
from tests.edge.simulated import simulated
from tests.edge.small_site import TEXT


def test_every_device_is_listed_with_its_knobs_and_its_hands() -> None:
    text = "\n".join(listing())
    for name, kind in ALONE.items():
        assert f"{name:14} {kind.words}" in text
        assert set(kind.verbs) <= VERBS.keys()
        knobs = dict(knobs_of(kind))
        assert {one.name for one in fields(kind.settings)} <= knobs.keys()
    assert run_sim("list", pty=None, faults=()) == 0


@pytest.mark.parametrize("device", ALONE)
def test_every_device_lives_by_itself_and_can_be_spoilt(device: str) -> None:
    kind = ALONE[device]
    wishes = [f"{fault}=2" for fault in kind.faults or ()]
    rate = ["strict_baud=true"] if kind.has_rate else []
    chosen = choose(device, "port", [*rate, *wishes])
    world = World(chosen.site)
    assert [*world.ports, *world.networks] == ["port"]
    assert world.is_strict("port") is kind.has_rate
    assert chosen.spoilt == {str(fault): 2 for fault in kind.faults or ()}
    assert (kind.spoil in VERBS) is (kind.faults is not None)


def test_knobs_reach_the_device_and_its_bus() -> None:
    wishes = ["closed_inputs=[8]", "reply_delay_s=0.5", "local_echo=true"]
    chosen = choose("relay_board", "port", wishes)
    world = World(chosen.site)
    board = world.boards[chosen.name]
    assert board.snapshot().inputs[7]
    assert board.settings.reply_delay_s == 0.5


@pytest.mark.parametrize(
    ("device", "wish", "words"),
    [
        ("toaster", "a=1", "no device 'toaster'; there are: relay_board"),
        ("relay_board", "colour=1", "has no 'colour'; it has: address, relays"),
        ("relay_board", "wrong_crc", "no NAME=VALUE; write it like wrong_crc=3"),
        ("relay_board", "=3", "no NAME=VALUE"),
        ("relay_board", "wrong_crc=often", "write how many replies it spoils"),
        ("relay_board", "wrong_crc=0", "write how many replies it spoils"),
        ("relay_board", "relays=many", "'many' is no int"),
        ("sam_reader", "min_gap_s=1", "sam_reader has no 'min_gap_s'"),
        ("uhppote", "strict_baud=true", "uhppote has no 'strict_baud'"),
    ],
)
def test_a_wrong_wish_is_answered_with_what_there_is(
    device: str, wish: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SimulationError, match=words):
        choose(device, "port", [wish])
    assert run_sim(device, pty=None, faults=[wish]) == 2
    assert words.split(";", maxsplit=1)[0] in capsys.readouterr().err


def test_it_stands_where_it_was_wished_and_leaves_nothing(tmp_path: Path) -> None:
    port = tmp_path / "board"
    with simulated(port, "relay_board", "wrong_crc=1") as board:
        assert board.greeting[1] == f'port = "{port}"'
        assert any("set_input" in line for line in board.greeting)
        assert port.is_symlink()
        line = os.open(port, os.O_RDWR | os.O_NOCTTY)
        os.close(line)
        board.do("brown_out", board="board", dark_s=0.0)
        told = board.end()
    assert "board: power lost" in told
    assert list(tmp_path.iterdir()) == []


def test_a_controller_stands_on_a_port_of_its_own(tmp_path: Path) -> None:
    with simulated(tmp_path / "hall", "uhppote", "doors=2") as one:
        assert one.greeting[1].startswith('port = "udp://127.0.0.1:')
        one.do("swipe_at_controller", controller="board", door=2, card=7)
        one.do("unplug", port="hall")
        one.do("plug", port="hall")
    assert list(tmp_path.iterdir()) == []


def test_the_verbs_meet_on_the_command_line(tmp_path: Path) -> None:
    port = tmp_path / "board"
    with simulated(port, "relay_board"):
        probed = menshen("device", "probe", str(port), "--baud", "9600", "--json")
    assert probed.returncode == 0, probed.stderr
    outcomes = [asked["outcome"] for asked in json.loads(probed.stdout)["asked"]]
    assert outcomes.count("ANSWERED") == 2
    listed = menshen("ports", "--json")
    assert listed.returncode == (0 if json.loads(listed.stdout)["ports"] else 1)
    (tmp_path / "site.toml").write_text(TEXT, encoding="utf-8")
    words = ("--site", str(tmp_path / "site.toml"), "--state", str(tmp_path / "none"))
    tested = menshen("device", "test", "board", *words)
    assert tested.returncode == 1
    assert "No such file or directory" in tested.stdout
    assert not (tmp_path / "none").exists()


def menshen(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli.main", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_what_stands_there_already_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = tmp_path / "precious"
    port.write_text("mine", encoding="utf-8")
    assert run_sim("relay_board", pty=port, faults=()) == 2
    assert "something is there already" in capsys.readouterr().err
    assert port.read_text(encoding="utf-8") == "mine"
    assert run_sim("relay_board", pty=Path("/proc/none/board"), faults=()) == 2
