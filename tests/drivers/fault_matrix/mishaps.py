# SPDX-License-Identifier: Apache-2.0
"""What befalls a device, by the words of the table; and how each one ends.

The law of the module: a mishap happens at a stand whose devices were found and work;
it is a hand at the cable, at the device or at the line, never at the driver.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from drivers.registry import Unit
from firmware_sim.id_card.persons import PERSON_A, PERSON_Y
from firmware_sim.id_card.sam_reader import SamReader
from firmware_sim.id_card.sam_settings import SamReaderSettings
from firmware_sim.scanners.qr_scanner import SetupCode
from tests.drivers.fault_matrix.kernel_mishaps import KERNEL_MISHAPS
from tests.drivers.fault_matrix.mishap import Mishap
from tests.drivers.fault_matrix.on_pair import OnPair, Osdp, reader_of
from tests.drivers.fault_matrix.output_mishaps import OUTPUT_MISHAPS
from tests.drivers.fault_matrix.single import IdCardSam, Pcsc, Scanner, Uhppote
from tests.drivers.fault_matrix.untimed import UsbRelay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.fault_matrix.stand import Stand

#: What a house hears in one hundredth of a second at 9600 baud.
NOISE_BYTES = 10
DARK_FOR_S = 10.0
#: What another speed than the device's is: the two that are mixed up most.
OTHER_BAUD = {9_600: 19_200, 19_200: 9_600, 115_200: 9_600}


def _line(**faults: object) -> Mishap:
    """Return a mishap of the line, which ends as if it had never been."""

    def begins(stand: Stand) -> None:
        for name, value in faults.items():
            setattr(stand.joined.line, name, value)

    def ends(stand: Stand) -> None:
        for name in faults:
            setattr(stand.joined.line, name, None if name == "noise" else False)

    return Mishap(begins=begins, ends=ends)


def _noise(stand: Stand) -> None:
    """Let bytes come by chance, the same at each stand."""
    random = Random(1)
    stand.joined.line.is_mute = True
    stand.joined.line.noise = lambda: random.randbytes(NOISE_BYTES)


def _no_noise(stand: Stand) -> None:
    stand.joined.line.is_mute = False
    stand.joined.line.noise = None


def _wrong_speed(stand: Stand) -> None:
    baud = stand.joined.line.baud
    assert baud is not None
    stand.joined.line.house_baud = OTHER_BAUD[baud]


def _right_speed(stand: Stand) -> None:
    stand.joined.line.house_baud = None


def _off(stand: Stand) -> None:
    assert isinstance(stand, OnPair)
    stand.take_off(stand.unit)


def _on(stand: Stand) -> None:
    assert isinstance(stand, OnPair)
    stand.put_back(stand.unit)


def _twin(stand: Stand) -> None:
    assert isinstance(stand, OnPair)
    stand.add_twin()


def _power_cut(stand: Stand) -> None:
    match stand:
        case IdCardSam():
            stand.reader.power_cycle(stand.joined.now)
        case Scanner() if stand.scanner.module is not None:
            stand.scanner.power_cycle(stand.joined.now)
        case Osdp():
            stand.readers[stand.unit].brown_out(stand.joined.now, 1.0)
        case Uhppote():
            board = stand.controller.board
            board.cut_power(stand.joined.now, dark_s=DARK_FOR_S)
        case UsbRelay():
            stand.relay.brown_out(stand.joined.now)
        case OnPair():
            stand.device_of(stand.unit).brown_out(stand.joined.now, 2.0)


def _setup_code(code: SetupCode) -> Callable[[Stand], None]:
    def begins(stand: Stand) -> None:
        assert isinstance(stand, Scanner)
        assert stand.scanner.module is not None
        stand.scanner.show_setup_code(code, stand.joined.now)

    return begins


def _other_module(stand: Stand) -> None:
    """Pull the cable, hang another reader on it, plug it in."""
    assert isinstance(stand, IdCardSam)
    stand.joined.unplug()
    number = bytes(15) + b"\x07"
    stand.reader = SamReader(SamReaderSettings(module_number=number))
    stand.serial.device = stand.reader
    stand.joined.plug()


def _other_reader(**knobs: Any) -> Callable[[Stand], None]:
    """Hang another reader on the pair; the gateway goes on."""

    def begins(stand: Stand) -> None:
        assert isinstance(stand, Osdp)
        stand.replace(reader_of(9, address=stand.unit, **knobs))

    return begins


def _other_with_our_key(stand: Stand) -> None:
    assert isinstance(stand, Osdp)
    key = stand.readers[stand.unit].settings.base_key
    stand.replace(reader_of(9, address=stand.unit, base_key=key))


def _card(bits: int, number: str) -> Callable[[Stand], None]:
    """Hold up a card whose number arrives like that."""

    def begins(stand: Stand) -> None:
        assert isinstance(stand, Osdp)
        data = bytes.fromhex(number)
        stand.readers[stand.unit].present_card(bits, data, stand.joined.now)

    return begins


def _with_a_card(mishap: Mishap) -> Mishap:
    """Return it with a good card held up while it lasts."""
    hold_up = _card(26, "05058600")

    def begins(stand: Stand) -> None:
        mishap.begins(stand)
        hold_up(stand)

    return Mishap(begins=begins, ends=mishap.ends)


def _person(*, number: str) -> Callable[[Stand], None]:
    """Lay an identity card on the reader whose number is not as it should be."""

    def begins(stand: Stand) -> None:
        assert isinstance(stand, IdCardSam)
        stand.reader.put(replace(PERSON_A, number=number), stand.joined.now)

    return begins


def _old_module(stand: Stand) -> None:
    assert isinstance(stand, IdCardSam)
    stand.reader.settings = replace(stand.reader.settings, old_sam=True)
    stand.reader.put(PERSON_Y, stand.joined.now)


def _take_card(stand: Stand) -> None:
    assert isinstance(stand, IdCardSam)
    stand.reader.take_away(stand.joined.now)


def _code(code: bytes) -> Callable[[Stand], None]:
    """Hold up a code that is no ticket."""

    def begins(stand: Stand) -> None:
        assert isinstance(stand, Scanner)
        stand.scanner.show(code, stand.joined.now)

    return begins


def _tap(number: str) -> Callable[[Stand], None]:
    def begins(stand: Stand) -> None:
        assert isinstance(stand, Pcsc)
        stand.tap(bytes.fromhex(number))

    return begins


def _card_zero(stand: Stand) -> None:
    assert isinstance(stand, Uhppote)
    stand.controller.board.swipe(1, 0, stand.joined.now)


def _lifted(stand: Stand) -> None:
    assert isinstance(stand, Osdp)
    stand.readers[stand.unit].tamper(stand.joined.now)


def _put_back(stand: Stand) -> None:
    assert isinstance(stand, Osdp)
    stand.readers[stand.unit].tamper(stand.joined.now, is_tampered=False)


def _osdp_unit(key: str) -> Unit:
    return Unit(address=1, options={"scbk": key})


_UNPLUGGED = Mishap(
    begins=lambda stand: stand.joined.unplug(),
    ends=lambda stand: stand.plug_again(),
)
MISHAPS: dict[str, Mishap] = {
    **OUTPUT_MISHAPS,
    **KERNEL_MISHAPS,
    "unplugged": _UNPLUGGED,
    "silent": _line(is_deaf=True, is_mute=True),
    "does not hear": _line(is_deaf=True),
    "is not heard": _line(is_mute=True),
    "off the pair": Mishap(begins=_off, ends=_on),
    "power cut": Mishap(begins=_power_cut),
    "garbage for answers": _line(babbles=True),
    "endless noise": Mishap(begins=_noise, ends=_no_noise),
    "endless 00": _line(is_mute=True, noise=lambda: bytes(NOISE_BYTES)),
    "endless FF": _line(is_mute=True, noise=lambda: b"\xff" * NOISE_BYTES),
    "wrong speed": Mishap(begins=_wrong_speed, ends=_right_speed),
    "echo": _line(is_echoing=True),
    "echo of a dead device": _line(is_echoing=True, is_deaf=True),
    "torn frames": _line(is_torn=True),
    "two with one address": Mishap(begins=_twin),
    "another module": Mishap(begins=_other_module),
    "another reader, its own key": Mishap(begins=_other_reader()),
    "another reader, our key": Mishap(begins=_other_with_our_key),
    "another reader, default key": Mishap(begins=_other_reader(base_key=None)),
    "another reader, no AES": Mishap(begins=_other_reader(has_aes=False)),
    "lifted off the wall": Mishap(begins=_lifted, ends=_put_back),
    "factory-reset code shown": Mishap(begins=_setup_code(SetupCode.FACTORY_RESET)),
    "keyboard code shown": Mishap(begins=_setup_code(SetupCode.USB_KEYBOARD)),
    "card while unplugged": _with_a_card(_UNPLUGGED),
    "card while silent": _with_a_card(_line(is_deaf=True, is_mute=True)),
    "card 00000000": Mishap(begins=_card(32, "00000000")),
    "card of 24 bits": Mishap(begins=_card(24, "0A0B0C")),
    "card padded to 40 bits": Mishap(begins=_card(34, "0A0B0C0D0F")),
    "card with a lost first bit": Mishap(begins=_card(26, "0A0B0CC0")),
    "card number 0": Mishap(begins=_card_zero),
    "number with a lost digit": Mishap(
        begins=_person(number=PERSON_A.number[:-1]), ends=_take_card
    ),
    "number of zeros": Mishap(begins=_person(number="0" * 18), ends=_take_card),
    "number padded with zeros": Mishap(
        begins=_person(number="000" + PERSON_A.number[3:]), ends=_take_card
    ),
    "card newer than the reader": Mishap(begins=_old_module, ends=_take_card),
    "code of 4 characters": Mishap(begins=_code(b"1234")),
    "code with control characters": Mishap(begins=_code(b"MSTICKET\x00\x1b[2J")),
    "code of 600 characters": Mishap(begins=_code(b"M" * 600)),
    "UID 00000000": Mishap(begins=_tap("00000000")),
    "UID of 3 bytes": Mishap(begins=_tap("0A0B0C")),
    "UID of 4 bytes padded to 7": Mishap(begins=_tap("0A0B0C0D000000")),
    "UID padded in front": Mishap(begins=_tap("0000000A0B0C0D")),
    "UID drawn at random": Mishap(begins=_tap("08A1B2C3")),
}

#: What a site file may say that no driver takes: its units, each with its options.
_KEY = "9B1F02C7D45E8A6630F17A2C5D88E401"
_DEFAULT_KEY = "303132333435363738393A3B3C3D3E3F"
SITE_FILES: dict[str, list[Unit]] = {
    "a reader without a key": [Unit(address=1)],
    "the default key of install mode": [_osdp_unit(_DEFAULT_KEY)],
    "a key of one byte": [_osdp_unit("AA" * 16)],
    "a key that lost a digit": [_osdp_unit(_KEY[:-1])],
    "two readers with one key": [
        Unit(address=address, options={"scbk": _KEY}) for address in (1, 2)
    ],
    "the broadcast address": [Unit(address=0x7F, options={"scbk": _KEY})],
    "two units with one address": [Unit(address=1), Unit(address=1)],
    "address 0": [Unit(address=0)],
    "address 65": [Unit(address=65)],
    "an address": [Unit(address=1)],
}
