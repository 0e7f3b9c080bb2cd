# SPDX-License-Identifier: Apache-2.0
"""Stands of devices that have their port to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drivers.device import CardRead, CodeRead, Order, Pulse, TagRead
from drivers.registry import Unit, build
from firmware_sim.id_card.persons import PERSON_A
from firmware_sim.id_card.sam_reader import SamReader
from firmware_sim.scanners.qr_scanner import QrScanner, QrScannerSettings
from firmware_sim.scanners.qr_settings import Gm65Settings
from firmware_sim.uhppote.controller import UhppoteController
from firmware_sim.uhppote.network import UhppoteNetwork
from tests.drivers.fault_matrix.ends import CLASSIC_ATR, PcscEnd, SerialEnd, UdpEnd
from tests.drivers.fault_matrix.stand import PULSE_S, Stand, on_and_off

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.pcsc.reader import PcscReader

#: For how many tenths of a second somebody holds up a code.
LOOKS = 10


class IdCardSam(Stand):
    """An identity-card reader, asked for a card every 0.25 s."""

    def __init__(self) -> None:
        self.reader = SamReader()
        self.serial = SerialEnd(self.reader)
        driver = build("id_card_sam", [Unit(address=0)])
        super().__init__(driver, self.serial, baud=115_200)

    def works(self) -> bool:
        joined, mark = self.joined, len(self.joined.told)
        reader = cast("SamReader", self.serial.device)
        reader.put(PERSON_A, joined.now)

        def is_read() -> bool:
            news = joined.since(mark)
            return any(isinstance(signal, CardRead) for signal in news)

        took = joined.until(is_read, within_s=3.0)
        reader.take_away(joined.now)
        joined.run(1.0)
        return took is not None


class Scanner(Stand):
    """A scanner of codes; a new code is held up each time."""

    def __init__(
        self, driver: str, scanner: QrScanner, options: Mapping[str, Any]
    ) -> None:
        self.scanner = scanner
        self.codes = 0
        self.serial = SerialEnd(scanner)
        built = build(driver, [Unit(address=0, options=dict(options))])
        super().__init__(built, self.serial, baud=scanner.baud)

    def works(self) -> bool:
        self.codes += 1
        code = b"MSTICKET%06d" % self.codes
        return self.causes(lambda: self._hold_up(code), CodeRead(unit=0, payload=code))

    def _hold_up(self, code: bytes) -> None:
        """Hold a code up until the scanner has seen it, as people do."""
        for _ in range(LOOKS):
            if self.scanner.show(code, self.joined.now):
                return
            self.joined.run(0.1)


def qr_line() -> Stand:
    """A scanner that only prints."""
    return Scanner("qr_line", QrScanner(), {})


def qr_gm65(**options: Any) -> Stand:
    """A scan module fresh from its factory: a USB keyboard, until it is set."""
    settings = QrScannerSettings(dialogue=Gm65Settings())
    return Scanner("qr_gm65", QrScanner(settings), options)


class Uhppote(Stand):
    """A door controller in the network, asked for its state every 2 s."""

    units, pulses = (0, 1), True

    def __init__(self) -> None:
        self.controller = UhppoteController()
        self.network = UhppoteNetwork({"controller": self.controller})
        self.cards = 0
        driver = build("uhppote", [Unit(address=one) for one in self.units])
        super().__init__(driver, UdpEnd(self.network), baud=None)

    def order(self) -> Order:
        return Pulse(unit=0, channel=1, duration_s=PULSE_S)

    def active_outputs(self) -> int:
        posts = self.controller.board.posts.values()
        return sum(post.door.snapshot().is_released for post in posts)

    def works(self) -> bool:
        return self._opens() and self._reads()

    def _opens(self) -> bool:
        pulse = Pulse(unit=0, channel=1, duration_s=1.0)
        return self.causes(lambda: self.joined.order(pulse), *on_and_off(0))

    def _reads(self) -> bool:
        self.cards += 1
        number = 8_165_530 + self.cards
        mark = len(self.joined.told)
        self.controller.board.swipe(1, number, self.joined.now)

        def is_told() -> bool:
            return any(
                isinstance(signal, TagRead) and int.from_bytes(signal.number) == number
                for signal in self.joined.since(mark)
            )

        return self.joined.until(is_told, within_s=4.0) is not None


class Pcsc(Stand):
    """A contactless reader behind PC/SC; ``service`` answers as it would."""

    def __init__(self) -> None:
        self.service = PcscEnd()
        self.taps = 0
        self.reader = cast("PcscReader", build("pcsc_reader", [Unit(address=0)]))
        self.reader.named("Virtual PCD 00 00")
        super().__init__(self.reader, self.service, baud=None)

    def tap(self, number: bytes) -> None:
        """Lay a card on the reader, and take it away."""
        self.service.number = number
        self.joined.tell(self.reader.arrived(CLASSIC_ATR, self.joined.now))
        self.joined.run(0.5)
        self.joined.tell(self.reader.removed(self.joined.now))
        self.joined.run(1.5)

    def works(self) -> bool:
        self.taps += 1
        number = b"\x12\x34\x56" + bytes((self.taps,))
        mark = len(self.joined.told)
        self.tap(number)
        news = self.joined.since(mark)
        return [one.number for one in news if isinstance(one, TagRead)] == [number]
