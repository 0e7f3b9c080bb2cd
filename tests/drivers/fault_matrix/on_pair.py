# SPDX-License-Identifier: Apache-2.0
"""Stands of devices that share an RS-485 pair: a mishap of one spares the others."""

from __future__ import annotations

from abc import abstractmethod
from random import Random
from typing import TYPE_CHECKING, Any

from drivers.device import InputChanged, OpenLock, Order, Pulse, TagRead
from drivers.options import read_options
from drivers.osdp.bus import OsdpReaders
from drivers.osdp.options import OsdpReaderOptions
from drivers.registry import DRIVERS, Unit, build
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_bus import LockerBus
from firmware_sim.osdp.bus import OsdpBus
from firmware_sim.osdp.cards import CardFormat
from firmware_sim.osdp.reader import OsdpReader
from firmware_sim.osdp.settings import OsdpReaderSettings
from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBus
from tests.drivers.fault_matrix.ends import SerialEnd
from tests.drivers.fault_matrix.stand import PULSE_S, Stand, on_and_off

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_settings import BoardTraits
    from firmware_sim.shared_pair import SharedPair

OSDP_READERS = (1, 2, 3, 4)
#: A key for each reader; as good as any.
OSDP_KEYS = {
    unit: bytes.fromhex(f"9B1F02C7D45E8A6630F17A2C5D88E4{unit:02X}")
    for unit in (*OSDP_READERS, 9)
}
OSDP_UIDS = {unit: f"BEBA0100AFBEAD{unit:02X}" for unit in (*OSDP_READERS, 9)}


class OnPair(Stand):
    """Several devices on one RS-485 pair; they come and go by ``pair.boards``."""

    pair: SharedPair[Any]

    def take_off(self, unit: int) -> None:
        """Take a device off the pair, or cut its power: nothing of it is heard."""
        kept = [one for one in self.pair.boards if one is not self.device_of(unit)]
        self.pair.boards = tuple(kept)

    def put_back(self, unit: int) -> None:
        """Hang it on again."""
        self.pair.boards = (*self.pair.boards, self.device_of(unit))

    def add_twin(self) -> None:
        """Hang on another device with the address of ``unit``."""
        self.pair.boards = (*self.pair.boards, self.twin())

    @abstractmethod
    def device_of(self, unit: int) -> Any:
        """Return the device of an address."""

    @abstractmethod
    def twin(self) -> Any:
        """Return one more device that has the address of ``unit``."""


class ModbusRelayBoard(OnPair):
    """Two relay and input boards, asked for their inputs every 0.1 s."""

    unit, units, pulses = 1, (1, 2), True

    def __init__(self) -> None:
        self.boards = {
            unit: RelayBoard(RelayBoardSettings(address=unit)) for unit in self.units
        }
        self.pair = RelayBus(self.boards.values())
        driver = build("modbus_relay_board", [Unit(address=one) for one in self.units])
        super().__init__(driver, SerialEnd(self.pair), baud=9_600)

    def device_of(self, unit: int) -> Any:
        return self.boards[unit]

    def twin(self) -> Any:
        # Another moment in answering, as two boards have; one input is another.
        return RelayBoard(
            RelayBoardSettings(address=self.unit, closed_inputs=(3,)), name="twin"
        )

    def order(self) -> Order:
        return Pulse(unit=self.unit, channel=1, duration_s=PULSE_S)

    def active_outputs(self) -> int:
        return sum(sum(board.snapshot().coils) for board in self.boards.values())

    def works(self) -> bool:
        return all(self._pulses(unit) and self._feels(unit) for unit in self.units)

    def _pulses(self, unit: int) -> bool:
        pulse = Pulse(unit=unit, channel=1, duration_s=0.5)
        return self.causes(lambda: self.joined.order(pulse), *on_and_off(unit))

    def _feels(self, unit: int) -> bool:
        """Close and open an input, as a door's contact does."""
        board, joined = self.boards[unit], self.joined

        def close() -> None:
            board.set_input(2, joined.now, is_closed=True)

        def reopen() -> None:
            board.set_input(2, joined.now, is_closed=False)

        closed, reopened = (
            InputChanged(unit=unit, channel=2, is_active=active)
            for active in (True, False)
        )
        is_felt = self.causes(close, closed, within_s=1.0)
        return is_felt and self.causes(reopen, reopened, within_s=1.0)


class Osdp(OnPair):
    """Four readers in secure channels, polled every 0.05 s."""

    unit, units = 2, OSDP_READERS
    pulses = True

    def __init__(self, *, baud: int = 115_200, pins: bool = False) -> None:
        self.readers = {unit: reader_of(unit, baud=baud) for unit in self.units}
        self.cards = 0
        self.pair = OsdpBus(self.readers.values())
        options = {
            unit: read_options(
                OsdpReaderOptions,
                {
                    "scbk": OSDP_KEYS[unit].hex(),
                    "cuid": OSDP_UIDS[unit] if pins else "",
                },
            )
            for unit in self.units
        }
        driver = OsdpReaders(readers=options, random_bytes=Random(7).randbytes)
        super().__init__(driver, SerialEnd(self.pair), baud=baud)

    def device_of(self, unit: int) -> Any:
        return self.readers[unit]

    def twin(self) -> Any:
        return reader_of(9, address=self.unit, baud=self.readers[self.unit].baud)

    def replace(self, reader: OsdpReader) -> None:
        """Hang another reader where ``unit`` was."""
        self.take_off(self.unit)
        self.readers[self.unit] = reader
        self.put_back(self.unit)

    def order(self) -> Order:
        return Pulse(unit=self.unit, channel=1, duration_s=PULSE_S)

    def active_outputs(self) -> int:
        readers = self.readers.values()
        return sum(sum(reader.snapshot().outputs) for reader in readers)

    def works(self) -> bool:
        return all(self._reads(unit) for unit in self.units)

    def _reads(self, unit: int) -> bool:
        self.cards += 1
        joined, mark = self.joined, len(self.joined.told)
        card = 0x0A0000 + self.cards
        self.readers[unit].swipe(CardFormat.WIEGAND_26, card, joined.now)

        def is_told() -> bool:
            news = joined.since(mark)
            tags = [signal for signal in news if isinstance(signal, TagRead)]
            return [tag.unit for tag in tags] == [unit]

        return joined.until(is_told, within_s=1.0) is not None


def reader_of(
    key: int, *, address: int = 0, baud: int = 115_200, **knobs: Any
) -> OsdpReader:
    """Return a reader with the key and the number of ``key``, at its address."""
    settings = OsdpReaderSettings(
        address=address or key,
        baud=baud,
        **{
            "base_key": OSDP_KEYS[key],
            "client_id": bytes.fromhex(OSDP_UIDS[key]),
            "device_id": bytes.fromhex(f"BEBAFE0101{key:08X}010203"),
            **knobs,
        },
    )
    return OsdpReader(settings, name=f"reader-{key}", nonce=Random(key).randbytes)


class Lockers(OnPair):
    """Two lock-control boards, asked for their locks every 2 s."""

    unit, units, pulses = 1, (1, 2), True

    def __init__(self, driver: str, kind: type[BoardTraits]) -> None:
        self.boards = {unit: LockerBoard(kind(address=unit)) for unit in self.units}
        self.kind = kind
        self.pair = LockerBus(self.boards.values())
        channels = self.boards[1].settings.channels
        built = build(
            driver,
            [Unit(address=one, options={"channels": channels}) for one in self.units],
        )
        baud = DRIVERS[driver].default_baud
        super().__init__(built, SerialEnd(self.pair), baud=baud)

    def device_of(self, unit: int) -> Any:
        return self.boards[unit]

    def twin(self) -> Any:
        board = LockerBoard(self.kind(address=self.unit), name="twin")
        board.bank.at(3).pry(self.joined.now)
        return board

    def order(self) -> Order:
        return OpenLock(unit=self.unit, channel=1)

    def active_outputs(self) -> int:
        return sum(
            one.pulse_until is not None
            for board in self.boards.values()
            for one in board.bank.compartments
        )

    def works(self) -> bool:
        return all(self._opens(unit) for unit in self.units)

    def _opens(self, unit: int) -> bool:
        leaf, order = self.boards[unit].bank.at(2), OpenLock(unit=unit, channel=2)
        opened, shut = (
            InputChanged(unit=unit, channel=2, is_active=active)
            for active in (False, True)
        )
        has_opened = self.causes(lambda: self.joined.order(order), opened)
        self.joined.run(1.0)
        return has_opened and self.causes(lambda: leaf.shut(self.joined.now), shut)
