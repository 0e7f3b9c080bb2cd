# SPDX-License-Identifier: Apache-2.0
"""The families of lock-control boards but "8A", with frames sealed by our own sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.locks.cu48 import Cu48Boards, Cu48Options
from drivers.locks.kerong import KerongBoards, KerongOptions
from drivers.locks.wkly import WklyBoards, WklyOptions
from tests.drivers.scripted import Reply, ScriptedWire

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Signal
    from drivers.locks.lock_boards import LockBoards


def summed(digits: str) -> str:
    """Append the low byte of the sum."""
    frame = bytes.fromhex(digits)
    return f"{frame.hex()}{sum(frame) % 256:02x}".upper()


def xored(digits: str) -> str:
    """Append the XOR."""
    check = 0
    for byte in bytes.fromhex(digits):
        check ^= byte
    return f"{bytes.fromhex(digits).hex()}{check:02x}".upper()


def wkly(board: int, command: str, data: str = "") -> str:
    length = 8 + len(bytes.fromhex(data))
    return xored(f"574B4C59 {length:02X} {board:02X} {command} {data}")


def mask(channels: int, opened: tuple[int, ...]) -> bytes:
    """One bit a channel, 1 for closed, lowest first."""
    bits = (1 << channels) - 1
    for channel in opened:
        bits &= ~(1 << channel - 1)
    return bits.to_bytes(-(-channels // 8), "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a family says the same things.

    ``levels`` names the open channels; ``accepted`` is the reply to an opening, None
    where it has none. ``may_send``: the bytes that tell a driver's allowed frames.
    """

    name: str
    channels: int
    build: Callable[[dict[int, dict[str, float]]], LockBoards]
    open_one: Callable[[int, int], str]
    query_all: Callable[[int], str]
    levels: Callable[..., str]
    accepted: Callable[[int, int], str] | None
    command_at: int
    openings: str
    may_send: tuple[str, ...]
    addresses: tuple[int, int]
    longest: int

    def board(self, unit: int) -> dict[str, Reply]:
        """A board with all locks closed that stay so and that answers no opening."""
        return {self.query_all(unit): self.levels(unit)}

    def command_of(self, frame: str) -> str:
        return frame[2 * self.command_at : 2 * self.command_at + 2]

    def opened_frames(self, script: ScriptedWire) -> list[tuple[float, str]]:
        """When which frame was sent that moves a lock."""
        return [
            (at, frame)
            for at, frame in script.sent
            if self.command_of(frame) == self.openings
        ]

    def wire(self, *units: int, **options: float) -> ScriptedWire:
        """A line with closed boards, not opened yet."""
        device = self.build(dict.fromkeys(units, options))
        script = ScriptedWire(device, splits=lambda data: [data] if data else [])
        for unit in units:
            script.replies |= self.board(unit)
        return script

    def serving(self, *units: int, **options: float) -> ScriptedWire:
        """The same, opened and reachable."""
        script = self.wire(*units, **options)
        script.open()
        script.run(0.2)
        return script


def _kerong(boards: dict[int, dict[str, float]]) -> LockBoards:
    return KerongBoards(
        boards={
            unit: KerongOptions(**options)  # type: ignore[arg-type]
            for unit, options in boards.items()
        }
    )


def _cu48(boards: dict[int, dict[str, float]]) -> LockBoards:
    return Cu48Boards(
        boards={
            unit: Cu48Options(**options)  # type: ignore[arg-type]
            for unit, options in boards.items()
        }
    )


def _wkly(boards: dict[int, dict[str, float]]) -> LockBoards:
    return WklyBoards(
        boards={
            unit: WklyOptions(**options)  # type: ignore[arg-type]
            for unit, options in boards.items()
        }
    )


def _wkly_levels(unit: int, *opened: int) -> str:
    states = "".join(f"{channel not in opened:02X}" for channel in range(1, 13))
    return wkly(unit, "84", f"00 0C {states}")


KERONG = Family(
    name="kerong",
    channels=16,
    build=_kerong,
    open_one=lambda unit, channel: summed(f"02 {unit:X}{channel - 1:X} 31 03"),
    query_all=lambda unit: summed(f"02 {unit:X}0 30 03"),
    levels=lambda unit, *opened: summed(
        f"02 {unit:X}0 35 {mask(16, opened).hex()} 0000 03"
    ),
    accepted=None,
    command_at=2,
    openings="31",
    may_send=("30", "31", "38"),
    addresses=(0, 14),
    longest=9,
)
CU48 = Family(
    name="cu48",
    channels=48,
    build=_cu48,
    open_one=lambda unit, channel: summed(f"02 {unit:02X} {channel - 1:02X} 61 03"),
    query_all=lambda unit: summed(f"02 {unit:02X} 00 60 03"),
    levels=lambda unit, *opened: summed(
        f"02 {unit:02X} 00 75 06 {mask(48, opened).hex()}"
    ),
    accepted=lambda unit, channel: summed(f"02 {unit:02X} {channel - 1:02X} 75 00"),
    command_at=3,
    openings="61",
    may_send=("60", "61"),
    addresses=(0, 254),
    longest=12,
)
WKLY = Family(
    name="wkly",
    channels=12,
    build=_wkly,
    open_one=lambda unit, channel: wkly(unit, "82", f"{channel:02X}"),
    query_all=lambda unit: wkly(unit, "84"),
    levels=_wkly_levels,
    accepted=lambda unit, channel: wkly(unit, "82", f"00 {channel:02X} 01"),
    command_at=6,
    openings="82",
    may_send=("82", "83", "84"),
    addresses=(0, 31),
    longest=34,
)
FAMILIES = (KERONG, CU48, WKLY)


def arrive(script: ScriptedWire, digits: str) -> list[Signal]:
    """Let bytes arrive now and write what they cause, as a link does."""
    signals = script.feed(digits)
    script._write()
    return signals
