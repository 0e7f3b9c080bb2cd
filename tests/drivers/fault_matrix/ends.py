# SPDX-License-Identifier: Apache-2.0
"""The far ends of the matrix: a serial device, and controllers behind a UDP port."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_sim.device import SimulatedDevice
    from firmware_sim.uhppote.network import UhppoteNetwork

PACKET_BYTES = 64
#: PC/SC part 3: a storage card of ISO 14443 A, MIFARE Classic 1K.
CLASSIC_ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
_HOUSE = ("127.0.0.1", 50_000)


class SerialEnd:
    """A simulated device on a serial line; ``device`` may be replaced by another."""

    def __init__(self, device: SimulatedDevice) -> None:
        self.device = device

    def receive(self, data: bytes, now: float) -> None:
        self.device.receive(data, now)

    def take_pieces(self, now: float) -> list[bytes]:
        said = self.device.take_outgoing(now)
        return [said] if said else []

    def deadline(self) -> float | None:
        return self.device.deadline()

    def tick(self, now: float) -> None:
        self.device.tick(now)


class UdpEnd:
    """Controllers behind one UDP port; what the driver hands over is whole packets."""

    def __init__(self, network: UhppoteNetwork) -> None:
        self.network = network

    def receive(self, data: bytes, now: float) -> None:
        for start in range(0, len(data), PACKET_BYTES):
            self.network.receive(data[start : start + PACKET_BYTES], _HOUSE, now)

    def take_pieces(self, now: float) -> list[bytes]:
        return [datagram.data for datagram in self.network.take_outgoing(now)]

    def deadline(self) -> float | None:
        return self.network.deadline()

    def tick(self, now: float) -> None:
        self.network.tick(now)


class PcscEnd:
    """The PC/SC service before one reader: each APDU is answered with the number."""

    def __init__(self) -> None:
        self.number = b""
        self._said: list[bytes] = []

    def receive(self, data: bytes, now: float) -> None:
        assert data == bytes.fromhex("FFCA000000")
        self._said.append(self.number + b"\x90\x00")

    def take_pieces(self, now: float) -> list[bytes]:
        said, self._said = self._said, []
        return said

    def deadline(self) -> float | None:
        return None

    def tick(self, now: float) -> None:
        """Nothing happens by itself."""
