# SPDX-License-Identifier: Apache-2.0
"""Probing a wire: answers, echo, garbage and silence, and nothing ever moves."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from drivers.checksum import xor_of
from drivers.question import Outcome, outcome
from edge.cli import device_probe
from edge.cli.device_probe import (
    ADVICE,
    askable,
    probe,
    questions_of,
    tell_probe,
    words,
)
from edge.cli.device_scan import tell_scan
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.edge.simulated import living

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.cli.device_probe import Report
    from firmware_sim.happening import What


async def report_of(
    port: Path | str, *, baud: int | None = None, address: int = 1
) -> Report:
    return await probe(str(port), baud=baud, address=address, listen_s=0.05)


@pytest.fixture(autouse=True)
def _usual_speeds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_probe, "OTHER_BAUDS", ())


def moved(host: PtyHost) -> list[What]:
    """Begin to note what moves."""
    seen: list[What] = []
    host.watch(lambda happenings: seen.extend(one.what for one in happenings))
    return seen


async def test_a_relay_board_answers_and_nothing_moves(tmp_path: Path) -> None:
    port = tmp_path / "p"
    async with living(port, "relay_board", "closed_inputs=[8]") as host:
        seen = moved(host)
        host.act(
            lambda now: host.world.boards["board"].set_input(2, now, is_closed=True)
        )
        assert list(words(await report_of(port))) == [
            "modbus_relay_board answers at 9600 baud: relays on: none",
            "modbus_relay_board answers at 9600 baud: inputs closed: 2, 8",
        ]
    assert seen == []


@pytest.mark.parametrize(
    ("device", "driver"),
    [
        ("relay_board", "modbus_relay_board"),
        ("locker_board", "locker_8a"),
        ("sam_reader", "id_card_sam"),
        ("qr_scanner", None),
    ],
)
async def test_no_question_moves_any_device(
    tmp_path: Path, device: str, driver: str | None
) -> None:
    async with living(tmp_path / "p", device) as host:
        seen = moved(host)
        report = await report_of(tmp_path / "p", baud=9600)
        assert {answer.driver for answer in report.answers} <= {driver}
        assert (driver is None) is not bool(report.answers)
        asked = {asked.driver for asked in report.asked}
        assert asked == {spec.name for spec in askable()}
    assert seen == []


def test_no_question_is_a_command_of_another_family() -> None:
    for spec in askable():
        for address in (1, 2, 7):
            for question in questions_of(spec, address):
                frame = question.frame
                # LCUS relays: A0 channel state, and the sum of all.
                for at in range(len(frame) - 3):
                    is_sum = sum(frame[at : at + 3]) & 0xFF == frame[at + 3]
                    assert not (frame[at] == 0xA0 and is_sum)
                # 8A locks: 8A address channel 11, and the XOR of all.
                for at in range(len(frame) - 4):
                    is_sealed = xor_of(frame[at : at + 5]) == 0
                    assert not (frame[at] == 0x8A and is_sealed)


async def test_a_board_is_found_at_its_own_address_alone(tmp_path: Path) -> None:
    port = tmp_path / "p"
    async with living(port, "relay_board", "address=7"):
        assert not (await report_of(port)).answers
        assert (await report_of(port, address=7)).answers


async def test_a_wrong_speed_is_no_answer_and_the_right_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "p"
    async with living(port, "relay_board", "strict_baud=true", "baud=19200"):
        wrong = await report_of(port)
        assert not wrong.answers
        assert ADVICE[wrong.worst] in list(words(wrong))
        monkeypatch.setattr(device_probe, "OTHER_BAUDS", (4_800, 19_200))
        right = await report_of(port)
        assert {answer.baud for answer in right.answers} == {19_200}


async def test_one_spoilt_answer_is_asked_for_again(tmp_path: Path) -> None:
    async with living(tmp_path / "p", "relay_board", "wrong_crc=1"):
        report = await report_of(tmp_path / "p")
    assert len(report.answers) == 2


async def test_answers_that_stay_spoilt_are_garbage(tmp_path: Path) -> None:
    async with living(tmp_path / "p", "relay_board", "wrong_crc=9"):
        report = await report_of(tmp_path / "p")
    assert report.worst is Outcome.GARBAGE
    assert "the speed is another one" in "\n".join(words(report))


async def test_an_adapter_that_hears_itself_is_told(tmp_path: Path) -> None:
    async with living(tmp_path / "p", "relay_board", "local_echo=true", "address=9"):
        report = await report_of(tmp_path / "p")
    assert report.worst is Outcome.ECHO
    assert "hears itself" in "\n".join(words(report))


def line_of_boards(folder: Path, **boards: int) -> PtyHost:
    """A line ``p`` with boards by their names, each at an address."""
    told = {name: {"address": address} for name, address in boards.items()}
    port = {"kind": "relay_bus", "bus": {}, "boards": told}
    return PtyHost(World(Site.from_mapping({"ports": {"p": port}})), folder)


async def test_a_scan_finds_the_boards_of_a_line_and_nothing_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(tmp_path / "p")
    async with line_of_boards(tmp_path, left=2, right=5) as host:
        seen = moved(host)
        code = await asyncio.to_thread(tell_scan, port, addresses=range(1, 7))
        told = capsys.readouterr().out
        as_json = await asyncio.to_thread(
            tell_scan, port, addresses=(4, 5), as_json=True
        )
    assert (code, as_json, seen) == (0, 0, [])
    assert told.splitlines() == [
        "address 2 answers",
        "address 5 answers",
        f"{port}: 6 addresses asked, 2 answer.",
    ]
    assert json.loads(capsys.readouterr().out) == {
        "port": port,
        "asked": 2,
        "answering": [5],
        "garbled": [],
    }


async def test_a_scan_tells_of_answers_that_stay_spoilt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with living(tmp_path / "p", "relay_board", "address=3", "wrong_crc=9"):
        code = await asyncio.to_thread(
            tell_scan, str(tmp_path / "p"), addresses=range(2, 5)
        )
    assert code == 1
    assert "address 3: what answers is garbled" in capsys.readouterr().out


async def test_a_scan_of_a_silent_line_says_what_to_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(tmp_path / "p")
    async with living(tmp_path / "p", "relay_board", "is_cut=true"):
        assert await asyncio.to_thread(tell_scan, port, addresses=(1, 2)) == 1
    assert "power lamp" in capsys.readouterr().out


def test_a_scan_of_a_port_that_does_not_open_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_scan(str(tmp_path / "none"), addresses=(1,), as_json=True) == 2
    assert "No such file" in json.loads(capsys.readouterr().out)["error"]
    assert tell_scan(str(tmp_path / "none"), baud=12345, addresses=(1,)) == 2
    assert "12345 baud" in capsys.readouterr().out


async def test_silence_names_power_wires_address_and_speed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with living(tmp_path / "p", "relay_board", "is_cut=true"):
        code = await asyncio.to_thread(tell_probe, str(tmp_path / "p"), listen_s=0.05)
    text = capsys.readouterr().out
    assert code == 1
    assert "nobody answers (asked for" in text
    assert "power lamp" in text
    assert "exchange A and B" in text


async def test_a_scanner_that_speaks_is_known_and_its_code_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with living(tmp_path / "p", "qr_scanner") as host:
        asking = asyncio.create_task(
            asyncio.to_thread(
                tell_probe, str(tmp_path / "p"), listen_s=1.0, as_json=True
            )
        )
        await asyncio.sleep(0.3)
        host.act(lambda now: host.hand.show_code("p", "MS1SECRETCODE", now))
        code = await asking
    text = capsys.readouterr().out
    assert code == 0
    assert json.loads(text)["is_line"] is True
    assert "SECRET" not in text


def test_a_port_that_does_not_open_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_probe(str(tmp_path / "none")) == 2
    assert "No such file" in capsys.readouterr().out
    assert tell_probe("tcp://nowhere", as_json=True) == 2
    assert "no address and port" in json.loads(capsys.readouterr().out)["error"]
    assert tell_probe(str(tmp_path / "none"), baud=12345) == 2
    assert "12345 baud" in capsys.readouterr().out


@contextmanager
def serial_server(answer: bytes) -> Iterator[str]:
    """A server that gives one answer to whatever is asked; without one it hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionResetError):
                while connection.recv(100) and answer:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


async def test_a_serial_server_is_probed_without_a_speed() -> None:
    with serial_server(b"\xff\x00\xff") as port:
        report = await report_of(port)
    assert report.worst is Outcome.GARBAGE
    assert {asked.baud for asked in report.asked} == {0}


def test_a_server_that_hangs_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with serial_server(b"") as port:
        assert tell_probe(port, listen_s=0.05) == 2
    text = capsys.readouterr().out
    assert "while it was asked" in text


@pytest.mark.parametrize(
    ("heard", "result"),
    [
        (b"", Outcome.SILENCE),
        (b"\x00", Outcome.GARBAGE),
        (bytes.fromhex("8001003382"), Outcome.GARBAGE),
    ],
)
def test_what_is_no_answer_is_told_apart(heard: bytes, result: Outcome) -> None:
    for spec in askable():
        for question in questions_of(spec, 1):
            assert outcome(question, heard) == (result, "")
            assert outcome(question, question.frame) == (Outcome.ECHO, "")


def test_locks_and_readers_are_understood() -> None:
    answers = {
        "locker_8a": ("8001011191", "the board tells of its lock 1"),
        "id_card_sam": ("AAAAAA9669000400009094", "ready"),
    }
    for spec in askable():
        if spec.name in answers:
            frame, told = answers[spec.name]
            [question] = questions_of(spec, 1)
            heard = b"\x00" + bytes.fromhex(frame) + b"\xff"
            assert outcome(question, heard) == (Outcome.ANSWERED, told)
