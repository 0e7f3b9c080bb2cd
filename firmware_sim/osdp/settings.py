# SPDX-License-Identifier: Apache-2.0
"""What a simulated OSDP reader can be set to, and what can go wrong on its line.

The law of the module: values alone; what cannot be is refused when it is written.
Source: libosdp 3.2.9 include/osdp.h; BishopFox/mellon README (the attacks that the
knobs ``has_aes``, ``base_key`` and ``demands_secure_channel`` make possible).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.errors import SimulationError
from firmware_sim.osdp.channel import KEY_BYTES
from firmware_sim.osdp.frames import MAX_PACKET_BYTES
from firmware_sim.wire import check_baud

MAX_ADDRESS = 0x7E
#: Inputs, outputs and lamps of the largest reader interface; bytes carry them all.
MAX_CHANNELS = 16
#: A panel waits 200 ms; more than a second is no reader but a dead one.
MAX_REPLY_DELAY_S = 1.0
CLIENT_ID_BYTES, DEVICE_ID_BYTES = 8, 12
_RATES = (9_600, 19_200, 38_400, 57_600, 115_200, 230_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One line of a reader's own account of itself (PDCAP)."""

    function: int
    level: int
    number: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= one <= 0xFF for one in (self.function, self.level)):
            raise SimulationError("function and level of a capability are 0 to 255")
        if not 0 <= self.number <= 0xFF:
            raise SimulationError("number of a capability is 0 to 255")

    def packed(self) -> bytes:
        """Return its three bytes."""
        return bytes((self.function, self.level, self.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdpReaderSettings:
    """A kind of reader.

    ``base_key``: the SCBK; None: install mode, the default key of the standard alone
    until a KEYSET comes. ``demands_secure_channel``: outside one it only tells who it
    is; without it cards and digits are told in clear to whoever asks.
    ``client_id``: cUID of the handshake; ``device_id``: vendor, model, version, serial
    and firmware (PDID). ``capabilities``: None: those that follow from the other
    knobs. ``keys_per_reply``: digits in one reply, 0 for all that wait.
    ``keys_are_ascii``: * and # as they are, not as the standard's 7F and 0D.
    ``reports_changes``: tamper and inputs are told at the next poll, else when asked.
    ``lose_every``: every n-th reply is lost, 0 for none. ``is_silent``: not there.
    ``session_s``: a channel dies after so long without a command.
    ``silence_s``: pause that ends a broken frame. ``answers_bad_check``: NAK 1 to a
    broken frame for it; without it, silence.
    """

    address: int = 0
    baud: int = 9_600
    base_key: bytes | None = None
    demands_secure_channel: bool = True
    has_aes: bool = True
    client_id: bytes = bytes.fromhex("BEBA0100AFBEADDE")
    device_id: bytes = bytes.fromhex("BEBAFE0101AFBEADDEADDEAD")
    capabilities: tuple[Capability, ...] | None = None
    inputs: int = 2
    outputs: int = 2
    lamps: int = 1
    #: What the reader says its lamp can: from 4 on it has more than two colours.
    lamp_level: int = 2
    has_screen: bool = True
    active_inputs: tuple[int, ...] = ()
    exit_input: int = 1
    keys_per_reply: int = 0
    keys_are_ascii: bool = False
    reports_changes: bool = True
    reply_delay_s: float = 0.003
    lose_every: int = 0
    is_silent: bool = False
    sends_mark: bool = False
    answers_bad_check: bool = False
    session_s: float = 8.0
    silence_s: float = 0.02

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if not 0 <= self.address <= MAX_ADDRESS:
            raise SimulationError(f"address {self.address} is not 0 to {MAX_ADDRESS}")
        if self.base_key is not None and len(self.base_key) != KEY_BYTES:
            raise SimulationError(f"a base key has {KEY_BYTES} bytes")
        if len(self.client_id) != CLIENT_ID_BYTES:
            raise SimulationError(f"a client_id has {CLIENT_ID_BYTES} bytes")
        if len(self.device_id) != DEVICE_ID_BYTES:
            raise SimulationError(f"a device_id has {DEVICE_ID_BYTES} bytes")
        channels = (self.inputs, self.outputs, self.lamps)
        if not all(0 <= count <= MAX_CHANNELS for count in channels):
            raise SimulationError(f"inputs, outputs, lamps are 0 to {MAX_CHANNELS}")
        if not all(1 <= one <= self.inputs for one in self.active_inputs):
            raise SimulationError(f"active_inputs are 1 to {self.inputs}")
        if not 0 <= self.reply_delay_s <= MAX_REPLY_DELAY_S:
            raise SimulationError(f"reply_delay_s is 0 to {MAX_REPLY_DELAY_S:.0f}")
        if min(self.lose_every, self.keys_per_reply) < 0 or self.session_s <= 0:
            raise SimulationError("lose_every, keys_per_reply, session_s: not negative")


class OsdpFault(StrEnum):
    """What can be wrong with one reply."""

    WRONG_CHECK = "wrong_check"
    #: Waits for a reply inside the secure channel.
    WRONG_MAC = "wrong_mac"
    #: The reply bears the number of the one before it.
    OLD_SEQUENCE = "old_sequence"
    #: The last reply again, whatever was asked: a recording is played.
    REPLAYED = "replayed"
    #: Waits for the end of a handshake, and tells the R-MAC of the one before.
    STALE_MAC = "stale_mac"
    TRUNCATED = "truncated"
    #: Not carried out; ask again.
    BUSY = "busy"
    #: Not carried out; the code is told with the fault.
    REFUSED = "refused"
    DROPPED = "dropped"
    #: The command is not carried out either: noise met it on its way.
    UNHEARD = "unheard"


def capabilities_of(
    settings: OsdpReaderSettings, *, has_own_key: bool
) -> tuple[Capability, ...]:
    """Return what a reader with these knobs says of itself."""
    security = Capability(function=9, level=1, number=int(not has_own_key))
    screen = Capability(function=6, level=1, number=1)
    buffer_low, buffer_high = MAX_PACKET_BYTES & 0xFF, MAX_PACKET_BYTES >> 8
    return (
        Capability(function=1, level=1, number=settings.inputs),
        Capability(function=2, level=1, number=settings.outputs),
        Capability(function=4, level=settings.lamp_level, number=settings.lamps),
        Capability(function=5, level=1, number=1),
        *((screen,) if settings.has_screen else ()),
        Capability(function=8, level=1),
        *((security,) if settings.has_aes else ()),
        Capability(function=10, level=buffer_low, number=buffer_high),
        Capability(function=13, level=1, number=1),
        Capability(function=16, level=2),
    )


def is_rate(baud: int) -> bool:
    """Tell whether COMSET may name this rate."""
    return baud in _RATES
