# SPDX-License-Identifier: Apache-2.0
"""A simulated OSDP reader with a key, and a panel that knows it: for several tests."""

from __future__ import annotations

from typing import Any

from firmware_sim.osdp.reader import OsdpReader
from firmware_sim.osdp.settings import OsdpReaderSettings
from tests.firmware_sim.osdp_panel import Panel, Told

KEY = bytes.fromhex("9B1F02C7D45E8A6630F17A2C5D88E413")
POLL, ID, CAP, LSTAT, ISTAT, OSTAT, RSTAT = 0x60, 0x61, 0x62, 0x64, 0x65, 0x66, 0x67
OUT, LED, BUZ, TEXT, COMSET, KEYSET = 0x68, 0x69, 0x6A, 0x6B, 0x6E, 0x75
ACK, NAK, LSTATR, ISTATR, RAW, KEYPAD, BUSY = 0x40, 0x41, 0x48, 0x49, 0x50, 0x53, 0x79
#: OUT: the first output on for good.
ON = b"\x00\x02\x00\x00"


def reader_of(**knobs: Any) -> OsdpReader:
    return OsdpReader(OsdpReaderSettings(**{"base_key": KEY, **knobs}), name="front")


def panel_at(reader: OsdpReader, now: float = 100.0) -> Panel:
    """A panel that has asked who is there."""
    panel = Panel(reader, reader.address, now=now)
    assert panel.ask(ID).code == 0x45
    assert panel.ask(CAP).code == 0x46
    return panel


def secure(reader: OsdpReader, now: float = 100.0) -> Panel:
    """A panel that has opened the secure channel."""
    panel = panel_at(reader, now)
    assert panel.shake_hands(KEY)
    return panel


def refusal(told: Told | None) -> int:
    """The code of a NAK."""
    assert told is not None
    assert told.code == NAK, told
    return told.data[0]
