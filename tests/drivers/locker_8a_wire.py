# SPDX-License-Identifier: Apache-2.0
"""The frames of "8A" lock-control boards, sealed by an XOR of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.locks.family_8a import LockerBoards
from drivers.locks.family_8a_unit import LockerBoardOptions
from tests.drivers.scripted import Reply, ScriptedWire

if TYPE_CHECKING:
    from drivers.device import Signal


def sealed(digits: str) -> str:
    check = 0
    for byte in bytes.fromhex(digits):
        check ^= byte
    return f"{digits}{check:02X}".replace(" ", "")


def open_one(unit: int, channel: int) -> str:
    return sealed(f"8A {unit:02X} {channel:02X} 11")


def query_one(unit: int) -> str:
    return sealed(f"80 {unit:02X} 01 33")


def query_all(unit: int) -> str:
    return sealed(f"80 {unit:02X} 00 33")


def status(kind: str, unit: int, channel: int, state: str) -> str:
    return sealed(f"{kind} {unit:02X} {channel:02X} {state}")


def levels(unit: int, groups: str) -> str:
    """Hexadecimal groups, the highest channels first."""
    return sealed(f"80 {unit:02X} {groups} 33")


def board(unit: int, groups: str = "FFFFFF") -> dict[str, Reply]:
    """A board whose feedback stays as it is and that answers no opening."""
    return {
        query_one(unit): status("80", unit, 1, "11"),
        query_all(unit): levels(unit, groups),
    }


def split(data: bytes) -> list[bytes]:
    """One frame at a time is all that a driver may write."""
    return [data] if data else []


def wire(*units: int, **options: float) -> ScriptedWire:
    """A line with closed 24-channel boards, not opened yet."""
    kind = LockerBoardOptions(**options)  # type: ignore[arg-type]
    script = ScriptedWire(LockerBoards(boards=dict.fromkeys(units, kind)), splits=split)
    groups = "FF" * -(-kind.channels // 8)
    for unit in units:
        script.replies |= board(unit, groups)
    return script


def serving(*units: int, **options: float) -> ScriptedWire:
    """The same, opened and reachable."""
    script = wire(*units, **options)
    script.open()
    script.run(0.2)
    return script


def arrive(script: ScriptedWire, digits: str) -> list[Signal]:
    """Let bytes arrive now and write what they cause, as a link does."""
    signals = script.feed(digits)
    script._write()
    return signals


def openings(script: ScriptedWire) -> list[tuple[float, str]]:
    """When which frame was sent that moves a lock."""
    return [(at, frame) for at, frame in script.sent if frame.startswith("8A")]
