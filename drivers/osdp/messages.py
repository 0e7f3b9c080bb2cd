# SPDX-License-Identifier: Apache-2.0
"""What a control panel says to an OSDP reader, and what the reader answers, as values.

The law of the module: codes and data to values and back, nothing remembered, nothing
encrypted. Data that does not fit its code becomes :class:`Malformed`.

Source: libosdp, doc/protocol/commands-and-replies.rst, pd-capabilities.rst and
src/osdp_cp.c (OSDP v2.2, 6 and 7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from drivers.osdp.secure_channel import NONCE_BYTES, UID_BYTES, ReaderProof

_CRYPTOGRAM_BYTES = 16
#: OUT: on for a time counted by the reader, then back to what it was.
_ON_FOR_A_TIME = 5
#: The time of OUT and LED; libosdp cuts longer ones to their low byte.
MAX_TIMER_UNITS = 255
#: TEXT: for a time, without wrapping.
_TEXT_FOR_A_TIME = 3
_TEXT_FOR_GOOD = 1
_TEMPORARY_CANCEL, _TEMPORARY_SET = 1, 2
_PERMANENT_SET = 1
_DEFAULT_TONE = 2


class CommandCode(IntEnum):
    """What the panel may say; KEYSET goes through a secure channel alone."""

    POLL = 0x60
    IDENTIFY = 0x61
    CAPABILITIES = 0x62
    LOCAL_STATUS = 0x64
    INPUT_STATUS = 0x65
    OUTPUT = 0x68
    LED = 0x69
    BUZZER = 0x6A
    TEXT = 0x6B
    KEY_SET = 0x75
    CHALLENGE = 0x76
    PROVE = 0x77


class ReplyCode(IntEnum):
    """What a reader may answer."""

    ACK = 0x40
    NAK = 0x41
    IDENTITY = 0x45
    CAPABILITIES = 0x46
    LOCAL_STATUS = 0x48
    INPUT_STATUS = 0x49
    OUTPUT_STATUS = 0x4A
    RAW = 0x50
    KEYPAD = 0x53
    PROOF = 0x76
    FIRST_MAC = 0x78
    BUSY = 0x79


class Function(IntEnum):
    """What a reader may be able to do (PDCAP)."""

    CONTACTS = 1
    OUTPUTS = 2
    LED = 4
    SOUND = 5
    TEXT = 6
    CRC = 8
    SECURITY = 9


class Colour(IntEnum):
    """What a reader's lamp shows."""

    BLACK = 0
    RED = 1
    GREEN = 2
    AMBER = 3
    BLUE = 4
    WHITE = 7


_NAK_WORDS = {
    1: "wrong check bytes",
    2: "wrong length",
    3: "unknown command",
    4: "wrong sequence",
    5: "secure channel not supported",
    6: "wrong security state",
    9: "record not understood",
}
#: After these a reader wants a new beginning, whatever it was asked.
NAKS_OF_A_LOST_CHANNEL = frozenset({4, 5, 6})


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its data in clear."""

    code: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Ack:
    """Nothing to tell."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Ask again later, with the same sequence."""


@dataclass(frozen=True, slots=True)
class Nak:
    """The reader refuses a command."""

    code: int

    @property
    def why(self) -> str:
        """The refusal in words."""
        return f"NAK {self.code:02X} ({_NAK_WORDS.get(self.code, 'unknown')})"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the reader says it is; nothing of it is proved."""

    vendor: bytes
    model: int
    version: int
    serial: int
    firmware: str

    def __str__(self) -> str:
        """Return it as on a label."""
        model = f"vendor {self.vendor.hex().upper()} model {self.model}.{self.version}"
        return f"{model} serial {self.serial:08X} firmware {self.firmware}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Level and number of each function; both 0 where the reader names none."""

    entries: tuple[tuple[int, int, int], ...] = ()

    def level(self, function: Function) -> int:
        """How well the reader does it."""
        return next((entry[1] for entry in self.entries if entry[0] == function), 0)

    def count(self, function: Function) -> int:
        """How many of it the reader has; 0 also where its level is 0."""
        found = (entry for entry in self.entries if entry[0] == function)
        return next((entry[2] for entry in found if entry[1]), 0)


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The reader's own switch and supply."""

    is_tampered: bool
    has_power_fault: bool


@dataclass(frozen=True, slots=True)
class InputLevels:
    """All inputs in the order of their channels."""

    levels: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class OutputLevels:
    """All outputs in the order of their channels."""

    levels: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class CardData:
    """Bits of a card, most significant first.

    ``has_parity``: the reader calls them P-data-P; many call these raw all the same.
    """

    has_parity: bool
    bits: int
    number: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """Keys of a keypad as the reader codes them."""

    keys: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FirstMac:
    """The end of a handshake (RMAC_I)."""

    mac: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """A reply that we never ask for."""

    code: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A reply whose data does not fit its code."""

    why: str


Reply = (
    Ack
    | Busy
    | Nak
    | Identity
    | Capabilities
    | LocalStatus
    | InputLevels
    | OutputLevels
    | CardData
    | KeysPressed
    | ReaderProof
    | FirstMac
    | Other
    | Malformed
)

ACK = Ack()
POLL = Command(CommandCode.POLL)
IDENTIFY = Command(CommandCode.IDENTIFY, b"\x00")
ASK_CAPABILITIES = Command(CommandCode.CAPABILITIES, b"\x00")
ASK_LOCAL_STATUS = Command(CommandCode.LOCAL_STATUS)
ASK_INPUTS = Command(CommandCode.INPUT_STATUS)


def pulse(channel: int, timer_units: int) -> Command:
    """Switch an output (from 1) on for units of 100 ms, timed by the reader."""
    timer = timer_units.to_bytes(2, "little")
    return Command(CommandCode.OUTPUT, bytes((channel - 1, _ON_FOR_A_TIME)) + timer)


def light(
    colour: Colour, *, timer_units: int, on_units: int, off_units: int
) -> Command:
    """Show a colour for a time, blinking unless ``off_units`` is 0."""
    dark = Colour.BLACK if off_units else colour
    temporary = bytes((_TEMPORARY_SET, on_units, off_units, colour, dark))
    timer = timer_units.to_bytes(2, "little")
    return Command(CommandCode.LED, bytes(2) + temporary + timer + bytes(5))


def light_for_good(
    colour: Colour,
    *,
    on_units: int,
    off_units: int,
    ends_passing: bool,
    between: Colour = Colour.BLACK,
) -> Command:
    """Show a colour until told otherwise, blinking unless ``off_units`` is 0.

    ``between`` is what it shows while it is not that colour.
    """
    dark = between if off_units else colour
    passing = bytes((_TEMPORARY_CANCEL if ends_passing else 0,)) + bytes(6)
    lasting = bytes((_PERMANENT_SET, on_units, off_units, colour, dark))
    return Command(CommandCode.LED, bytes(2) + passing + lasting)


def sound(*, on_units: int, off_units: int, count: int) -> Command:
    """Beep ``count`` times."""
    return Command(
        CommandCode.BUZZER, bytes((0, _DEFAULT_TONE, on_units, off_units, count))
    )


def show_text(text: bytes, *, seconds: int) -> Command:
    """Write one line from the upper left corner for a time, 0 for good."""
    how = _TEXT_FOR_A_TIME if seconds else _TEXT_FOR_GOOD
    head = bytes((0, how, seconds, 1, 1, len(text)))
    return Command(CommandCode.TEXT, head + text)


def set_key(key: bytes) -> Command:
    """Give the reader a key of its own; through a secure channel alone."""
    return Command(CommandCode.KEY_SET, bytes((1, len(key))) + key)


def read_reply(code: int, data: bytes) -> Reply:
    """Read a reply's data in clear."""
    if code == ReplyCode.ACK:
        return ACK
    match code:
        case ReplyCode.NAK:
            return Nak(data[0]) if data else Malformed("a NAK without its reason")
        case ReplyCode.RAW:
            return _read_card(data)
        case ReplyCode.KEYPAD:
            return _read_keys(data)
        case ReplyCode.INPUT_STATUS | ReplyCode.OUTPUT_STATUS:
            return _read_levels(code, data)
        case ReplyCode.LOCAL_STATUS if len(data) == 2:
            return LocalStatus(bool(data[0]), bool(data[1]))
        case ReplyCode.IDENTITY if len(data) >= 12:
            serial = int.from_bytes(data[5:9], "little")
            firmware = ".".join(str(part) for part in data[9:12])
            return Identity(data[:3], data[3], data[4], serial, firmware)
        case ReplyCode.CAPABILITIES if len(data) % 3 == 0:
            triples = (data[at : at + 3] for at in range(0, len(data), 3))
            return Capabilities(tuple((a, b, c) for a, b, c in triples))
        case ReplyCode.PROOF if len(data) == 2 * NONCE_BYTES + _CRYPTOGRAM_BYTES:
            uid, rest = data[:UID_BYTES], data[UID_BYTES:]
            nonce, cryptogram = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
            return ReaderProof(uid=uid, nonce=nonce, cryptogram=cryptogram)
        case ReplyCode.FIRST_MAC if len(data) == _CRYPTOGRAM_BYTES:
            return FirstMac(data)
        case ReplyCode.BUSY:
            return Busy()
    known = code in ReplyCode.__members__.values()
    return Malformed(f"reply {code:02X} of a wrong size") if known else Other(code)


def _read_card(data: bytes) -> CardData | Malformed:
    if len(data) < 4 or data[1] > 1:
        return Malformed("card data without its header")
    bits, number = data[2] | data[3] << 8, data[4:]
    if len(number) != (bits + 7) // 8:
        return Malformed(f"{len(number)} bytes for a card of {bits} bits")
    return CardData(data[1] == 1, bits, number)


def _read_keys(data: bytes) -> KeysPressed | Malformed:
    if len(data) < 2 or len(data) != 2 + data[1]:
        return Malformed("keys that do not match their count")
    return KeysPressed(data[2:])


def _read_levels(code: int, data: bytes) -> InputLevels | OutputLevels | Malformed:
    if not data or max(data) > 1:
        return Malformed("levels other than 0 and 1")
    levels = tuple(level == 1 for level in data)
    is_input = code == ReplyCode.INPUT_STATUS
    return InputLevels(levels) if is_input else OutputLevels(levels)
