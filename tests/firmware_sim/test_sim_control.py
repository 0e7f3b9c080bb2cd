# SPDX-License-Identifier: Apache-2.0
"""``python -m firmware_sim`` as its own process, through its control socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.firmware_sim.sim_vectors import frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODBUS = frames("modbus_requests")
SITE: dict[str, dict[str, Any]] = {
    "ports": {
        "bus": {"kind": "relay_bus", "boards": {"one": {}}},
        "id-1": {"kind": "sam_reader"},
        "qr-1": {"kind": "qr_scanner"},
    },
    "doors": {"front": {"board": "one", "relay": 1, "contact": 1, "exit_button": 2}},
}
PATIENCE_S = 5.0


class Client:
    """A connection to the control socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))
        self._lines = self.socket.makefile("r", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self.socket.close()

    def say(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._lines.readline())
        return heard

    def ask(self, do: str, **fields: object) -> dict[str, Any]:
        self.say(json.dumps({"do": do, **fields}))
        return self.hear()


class Running:
    """A simulation process: its folder, its socket, its first line."""

    def __init__(self, folder: Path) -> None:
        self.ports, self.control = folder / "ports", folder / "control.sock"
        site = folder / "site.json"
        site.write_text(json.dumps(SITE), encoding="utf-8")
        self.process = subprocess.Popen(
            command(site, self.ports, self.control), stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def client(self) -> Client:
        return Client(self.control)

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; return how long the process took to end."""
        begin = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
        return time.monotonic() - begin


def command(site: Path, ports: Path, control: Path) -> list[str]:
    places = ["--site", str(site), "--folder", str(ports), "--control", str(control)]
    return [sys.executable, "-m", "firmware_sim", *places]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    simulation = Running(tmp_path)
    yield simulation
    if simulation.process.returncode is None:
        simulation.end()


def test_the_first_line_tells_where_everything_is(running: Running) -> None:
    assert running.ready == {
        "ready": True,
        "control": str(running.control),
        "ports": {name: str(running.ports / name) for name in SITE["ports"]},
    }


def test_a_whole_entry_is_watched_on_the_clock_of_all_processes(
    running: Running,
) -> None:
    with running.client() as watcher, running.client() as hand:
        assert watcher.ask("watch")["ok"]
        line = os.open(running.ports / "bus", os.O_RDWR | os.O_NOCTTY)
        begin = time.monotonic()
        os.write(line, MODBUS["relay 1 on for 0.7 s"])
        assert os.read(line, 8) == MODBUS["relay 1 on for 0.7 s"]
        end = time.monotonic()
        os.close(line)
        assert hand.ask("push", door="front")["is_open"] is True
        assert hand.ask("pull_shut", door="front")["was_open"] is True
        told = [watcher.hear() for _ in range(6)]
    assert [entry["what"] for entry in told] == [
        "relay_on",
        "strike_released",
        "leaf_opened",
        "leaf_closed",
        "relay_off",
        "strike_relocked",
    ]
    assert told[0] == {
        "at": told[0]["at"],
        "what": "relay_on",
        "board": "one",
        "channel": 1,
    }
    assert told[1]["door"] == "front"
    assert begin <= told[0]["at"] <= end
    assert told[4]["at"] - told[0]["at"] == pytest.approx(0.7, abs=1e-6)


def test_every_verb_is_answered(running: Running) -> None:
    card = {"number": "990105198002290017", "name": "测试甲", "birth": "19800229"}
    acts: list[tuple[str, dict[str, object], dict[str, object]]] = [
        ("put_card", {"reader": "id-1", "card": "Y"}, {}),
        ("put_card", {"reader": "id-1", "card": card}, {}),
        ("take_card", {"reader": "id-1"}, {}),
        ("power_cycle", {"reader": "id-1"}, {}),
        ("spoil_reader", {"reader": "id-1", "fault": "noise", "replies": 3}, {}),
        ("show_code", {"scanner": "qr-1", "text": "门"}, {"is_read": True}),
        ("push", {"door": "front"}, {"is_open": False}),
        ("force", {"door": "front"}, {"is_open": True}),
        ("pull_shut", {"door": "front"}, {"was_open": True}),
        ("press_exit", {"door": "front", "hold_s": 0.01}, {}),
        ("press_exit", {"door": "front"}, {}),
        ("release_exit", {"door": "front"}, {}),
        ("stick_contact", {"door": "front", "is_closed": None}, {}),
        ("set_lock_power", {"door": "front", "is_on": False}, {}),
        ("set_input", {"board": "one", "channel": 8, "is_closed": True}, {}),
        ("weld", {"board": "one", "relay": 3}, {}),
        ("brown_out", {"board": "one", "dark_s": 0.01}, {}),
        ("spoil_board", {"board": "one", "fault": "wrong_crc"}, {}),
        ("unplug", {"port": "bus"}, {}),
        ("plug", {"port": "bus"}, {"path": str(running.ports / "bus")}),
    ]
    with running.client() as client:
        for do, fields, told in acts:
            answer = client.ask(do, **fields)
            assert isinstance(answer.pop("at"), float), do
            assert answer == {"ok": True, **told}, do
        seen = client.ask("snapshot")
    assert seen["ok"] is True
    assert seen["boards"]["one"]["contacts"][2] is True
    assert seen["boards"]["one"]["inputs"][7] is True
    assert seen["doors"]["front"]["openings"] == 1
    assert seen["readers"]["id-1"]["is_deaf"] is True
    assert seen["scanners"]["qr-1"]["codes_read"] == 1
    assert seen["ports"]["bus"]["is_plugged"] is True


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "no JSON"),
        ("[" * 5_000, "no JSON"),
        ("[]", "no mapping"),
        ("{}", "no verb None; known are: watch, snapshot,"),
        ('{"do": "dance"}', "no verb 'dance'"),
        ('{"do": "_door", "name": "front"}', "no verb '_door'"),
        ('{"do": ["push"]}', "no verb"),
        ('{"do": "push"}', "'door' is missing; write it"),
        ('{"do": "push", "door": "x"}', "no door 'x'; this world has: front"),
        ('{"do": "push", "door": "front", "now": 1}', "no field 'now'"),
        ('{"do": "press_exit", "door": "front", "hold_s": -1}', "no duration"),
        ('{"do": "press_exit", "door": "front", "hold_s": NaN}', "no finite number"),
        ('{"do": "brown_out", "board": "one", "dark_s": 1e9}', "no duration"),
        ('{"do": "put_card", "reader": "id-1", "card": "Q"}', "known are: A, B, J"),
        ('{"do": "put_card", "reader": "id-1", "card": {}}', "'number' is missing"),
        ('{"do": "unplug"}', "port: its name is missing"),
        ('{"do": "plug", "port": "bus"}', "plugged already"),
        ('{"do": "spoil_board", "board": "one", "fault": "x"}', "write one of"),
    ],
)
def test_a_wrong_line_is_answered_and_the_next_is_heard(
    running: Running, line: str, complaint: str
) -> None:
    with running.client() as client:
        client.say(line)
        answer = client.hear()
        assert answer["ok"] is False
        assert complaint in answer["error"]
        assert client.ask("snapshot")["ok"] is True


def test_a_line_without_end_cuts_the_connection_alone(running: Running) -> None:
    with running.client() as endless, running.client() as other:
        endless.socket.sendall(b"x" * 70_000)
        assert "at most 65536 bytes" in endless.hear()["error"]
        assert endless.socket.recv(1) == b""
        assert other.ask("snapshot")["ok"] is True


def test_a_slow_watcher_is_cut_and_the_world_goes_on(running: Running) -> None:
    batch = '{"do": "force", "door": "front"}\n{"do": "pull_shut", "door": "front"}\n'
    with running.client() as sleeper, running.client() as hand:
        sleeper.ask("watch")
        for _ in range(100):
            hand.socket.sendall(batch.encode() * 50)
            assert all(hand.hear()["ok"] for _ in range(100))
        lines = everything_until_the_end(sleeper.socket).count(b"\n")
        assert 100 < lines < 10_000
        assert hand.ask("snapshot")["doors"]["front"]["openings"] == 5_000


def everything_until_the_end(connection: socket.socket) -> bytes:
    """Read until the other end hung up; a time-out says that it did not."""
    heard = bytearray()
    while chunk := connection.recv(65_536):
        heard += chunk
    return bytes(heard)


def test_a_watcher_that_leaves_harms_nobody(running: Running) -> None:
    with running.client() as watcher:
        watcher.ask("watch")
    with running.client() as hand:
        assert hand.ask("force", door="front")["ok"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_within_a_second(
    running: Running, number: int
) -> None:
    with running.client() as watcher:
        watcher.ask("watch")
        assert running.end(number) < 1.0
    assert running.process.returncode == 0
    assert list(running.ports.iterdir()) == []
    assert not running.control.exists()


def test_a_killed_simulation_is_followed_by_another(tmp_path: Path) -> None:
    first = Running(tmp_path)
    first.end(signal.SIGKILL)
    second = Running(tmp_path)
    with second.client() as client:
        assert client.ask("snapshot")["ok"]
    second.end()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "Expecting"), ('{"ports": 1}', "no mapping")],
)
def test_a_wrong_site_ends_with_code_2_and_says_why(
    tmp_path: Path, text: str, complaint: str
) -> None:
    site = tmp_path / "site.json"
    site.write_text(text, encoding="utf-8")
    ended = subprocess.run(
        command(site, tmp_path / "ports", tmp_path / "c.sock"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert ended.stdout == ""
