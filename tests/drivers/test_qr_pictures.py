# SPDX-License-Identifier: Apache-2.0
"""The whole way of a code: a picture, a decoder, a scanner's bytes, a CodeRead.

The picture is segno's and the decoder zxing-cpp, so that nobody here agrees with
himself about what a QR code is.
"""

from __future__ import annotations

import cmath
import math

import pytest
import segno
import zxingcpp

from drivers.device import CodeRead, Device, Garbled, Signal
from drivers.scanners.qr_gm65 import Gm65Scanner
from drivers.scanners.qr_gm65_settings import Gm65Options
from drivers.scanners.qr_line import LineScanner, QrLineOptions
from firmware_sim.scanners.qr_scanner import Framing, QrScanner, QrScannerSettings

#: Pixels of a module, and the quiet zone in modules that the standard asks for.
SCALE, BORDER = 3, 4
TICKET = "MS1" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 5 + "$%*+-./:"


def picture(text: str | bytes, *, degrees: float = 0.0, error: str = "M") -> memoryview:
    """Draw a code, dark on white, and turn it as a hand does."""
    code = segno.make_qr(text, error=error)
    rows = [list(row) for row in code.matrix_iter(scale=SCALE, border=BORDER)]
    size = len(rows)
    pixels = bytearray(b"\xff" * (4 * size * size))
    turn = cmath.rect(1.0, math.radians(degrees))
    for at in range(4 * size * size):
        y, x = divmod(at, 2 * size)
        source = complex(x - size, y - size) * turn
        column, row = round(source.real + size / 2), round(source.imag + size / 2)
        if 0 <= row < size and 0 <= column < size and rows[row][column]:
            pixels[at] = 0
    return memoryview(pixels).cast("B", shape=(2 * size, 2 * size))


def seen(image: memoryview) -> bytes:
    """What a decoder reads in a picture."""
    [barcode] = zxingcpp.read_barcodes(image)
    return bytes(barcode.bytes)


def scanned(
    payload: bytes, settings: QrScannerSettings, driver: Device | None = None
) -> list[Signal]:
    """Hold a code before a simulated scanner; return what its driver makes of it."""
    module = QrScanner(settings)
    scanner = driver or LineScanner(options=QrLineOptions())
    now = 1.0
    assert module.show(payload, now)
    signals: list[Signal] = []
    for _ in range(100):
        signals += scanner.receive(module.take_outgoing(now), now)
        signals += scanner.tick(now)
        now += 0.01
    return signals


@pytest.mark.parametrize(
    "framing", [Framing.CR, Framing.LF, Framing.CRLF, Framing.NONE]
)
@pytest.mark.parametrize("degrees", [0, 8, 90, 187])
def test_a_ticket_goes_the_whole_way(framing: Framing, degrees: float) -> None:
    payload = seen(picture(TICKET, degrees=degrees))
    assert payload == TICKET.encode("ascii")
    settings = QrScannerSettings(framing=framing, piece_bytes=64, piece_gap_s=0.005)
    assert scanned(payload, settings) == [CodeRead(unit=0, payload=payload)]


@pytest.mark.parametrize("error", ["L", "M", "Q", "H"])
def test_prefixes_that_scanners_add_change_no_ticket(error: str) -> None:
    payload = seen(picture(TICKET, error=error))
    settings = QrScannerSettings(aim_prefix=True, eci_prefix=True)
    assert scanned(payload, settings) == [CodeRead(unit=0, payload=payload)]


def test_a_ticket_goes_the_whole_way_with_its_length_before_it() -> None:
    payload = seen(picture(TICKET))
    settings = QrScannerSettings(framing=Framing.LENGTH_PREFIXED, piece_bytes=64)
    driver = Gm65Scanner(options=Gm65Options(tail="length"))
    assert scanned(payload, settings, driver) == [CodeRead(unit=0, payload=payload)]


@pytest.mark.parametrize("text", ["你好, 世界 1234", b"MS1\x00\x01\x02ABCDEF", "SHORT"])
def test_what_somebody_else_prints_is_no_ticket(text: str | bytes) -> None:
    signals = scanned(seen(picture(text)), QrScannerSettings())
    assert [type(signal) for signal in signals] == [Garbled]
