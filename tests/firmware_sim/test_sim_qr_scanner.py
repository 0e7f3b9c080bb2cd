# SPDX-License-Identifier: Apache-2.0
"""Framing, pieces and suppression of the simulated QR scanner."""

from __future__ import annotations

import pytest

from firmware_sim.happening import What
from firmware_sim.scanners.qr_scanner import (
    Coding,
    Framing,
    QrScanner,
    QrScannerSettings,
)
from tests.firmware_sim.sim_vectors import frames

LINES = frames("qr_scanner")
CODE = "0321563840"
NOW = 10.0


def printed(settings: QrScannerSettings, code: str | bytes = CODE) -> bytes:
    scanner = QrScanner(settings)
    assert scanner.show(code, NOW)
    return scanner.take_outgoing(NOW)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (QrScannerSettings(), "0321563840 with tail CR"),
        (QrScannerSettings(framing=Framing.CRLF), "0321563840 with tail CRLF"),
        (
            QrScannerSettings(framing=Framing.LENGTH_PREFIXED),
            "length-prefixed 0321563840",
        ),
        (
            QrScannerSettings(aim_prefix=True),
            "0321563840 with AIM prefix and tail CR",
        ),
    ],
)
def test_lines_are_those_of_the_family(settings: QrScannerSettings, line: str) -> None:
    assert printed(settings) == LINES[line]


def test_the_other_framings_and_prefixes() -> None:
    assert printed(QrScannerSettings(framing=Framing.LF)) == CODE.encode() + b"\n"
    assert printed(QrScannerSettings(framing=Framing.NONE)) == CODE.encode()
    assert printed(QrScannerSettings(eci_prefix=True)) == rb"\0000260321563840" + b"\r"


def test_text_leaves_in_the_scanners_coding_and_bytes_as_they_are() -> None:
    gbk = QrScannerSettings(coding=Coding.GB18030)
    assert printed(gbk, "门") == "门".encode("gb18030") + b"\r"
    assert printed(QrScannerSettings(), "门") == "门".encode() + b"\r"
    assert printed(gbk, b"\xff\x00") == b"\xff\x00\r"


def test_a_long_line_arrives_in_pieces_with_gaps() -> None:
    scanner = QrScanner(QrScannerSettings(piece_bytes=64, piece_gap_s=0.25))
    scanner.show("A" * 150, NOW)
    sizes = [len(scanner.take_outgoing(NOW + 0.25 * step)) for step in range(4)]
    assert sizes == [64, 64, 23, 0]


def test_the_next_piece_is_the_deadline() -> None:
    scanner = QrScanner(QrScannerSettings(piece_bytes=64, piece_gap_s=0.25))
    assert scanner.deadline() is None
    scanner.show("A" * 100, NOW)
    assert scanner.deadline() == NOW
    scanner.take_outgoing(NOW)
    assert scanner.deadline() == NOW + 0.25


def test_a_chopped_payload_ends_without_its_tail() -> None:
    assert printed(QrScannerSettings(chopped_after_bytes=4)) == b"0321"


def test_the_same_code_waits_for_its_delay_and_another_does_not() -> None:
    scanner = QrScanner(QrScannerSettings(same_code_delay_s=5))
    assert scanner.show("ONE", 0.0)
    assert not scanner.show("ONE", 4.9)
    assert scanner.show("TWO", 4.9)
    assert scanner.show("ONE", 4.9)
    assert not scanner.show("ONE", 9.8)
    assert scanner.show("ONE", 9.9)
    assert scanner.take_outgoing(9.9) == b"ONE\rTWO\rONE\rONE\r"


def test_decoding_takes_its_time_and_is_noted_when_it_ends() -> None:
    scanner = QrScanner(QrScannerSettings(decode_s=0.3))
    scanner.show("ONE", NOW)
    assert scanner.take_outgoing(NOW + 0.29) == b""
    assert [h.what for h in scanner.diary.entries()] == [What.CODE_SHOWN]
    assert scanner.take_outgoing(NOW + 0.4) == b"ONE\r"
    last = scanner.diary.entries()[-1]
    assert (last.what, last.at) == (What.CODE_READ, NOW + 0.3)


def test_what_the_gateway_writes_is_counted_and_ignored() -> None:
    scanner = QrScanner()
    scanner.receive(bytes.fromhex("7E000801000201ABCD"), NOW)
    assert scanner.take_outgoing(NOW) == b""
    assert scanner.snapshot().ignored_bytes == 9


def test_a_code_larger_than_any_qr_code_is_cut() -> None:
    assert len(printed(QrScannerSettings(), b"A" * 9_000)) == 2_953 + 1


def test_what_nobody_fetches_is_lost_and_counted_beyond_the_outbox() -> None:
    scanner = QrScanner()
    for index in range(30):
        scanner.show(f"{index:02d}" * 1_400, NOW)
    assert scanner.snapshot().lost_bytes == 30 * 2_801 - 23 * 2_801
