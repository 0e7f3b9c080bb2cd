# SPDX-License-Identifier: Apache-2.0
"""When a driver's polls tell nothing, so that they need not be played.

The law of the module: a poll is left out only if its answer is known to be the one
that its driver has heard last, for then the driver would report nothing and the rules
would never hear of it. That is so while all of this holds: the driver calls its
device reachable; nothing is on its way on a cable that is in and not noisy; no order
waits; and each level that the device would tell equals the level it told last. As
soon as one of these ends the driver is asked again, at the next point of its own
rhythm. What is lost is what no rule sees: a health check that would have passed, and
the exact phase of the rhythm (so times differ by one poll, or by two where a reader
asks for its status in between).

A device is asked here for its levels as a wire would carry them; this is the one
place of the simulation that knows which question asks for which levels.
Source: the wires' own documents, as cited by the drivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firmware_sim.happening import What
from firmware_sim.id_card.sam_reader import SamReader
from firmware_sim.lockers.locker_bus import LockerBus
from firmware_sim.relays.relay_bus import RelayBus

if TYPE_CHECKING:
    from firmware_sim.device import SimulatedDevice
    from firmware_sim.happening import Happening

_READ_COILS, _READ_INPUTS = 0x01, 0x02
_LOCK_OPEN = 0x8A
_SAM_FIND = bytes((0x20, 0x01))
#: An opening of a lock is decided by looks within this time.
_OPENING_S = 3.5


class Attention(Protocol):
    """What a driver has heard of its device, against what there is to be heard."""

    @property
    def poll_s(self) -> float:
        """The rhythm at which the driver asks."""

    @property
    def obeyed(self) -> int:
        """How many orders the device has answered."""

    def asked(self, question: bytes, now_s: float) -> None:
        """Note a question that reached the device, before it answers."""

    def answered(self) -> None:
        """Note that the answer reached the driver."""

    def is_satisfied(self, now_s: float) -> bool:
        """Say whether the driver knows all there is to know."""

    def noticed(self, happening: Happening) -> None:
        """Note what happened to the device."""

    def forget(self) -> None:
        """Know nothing again: the link was opened anew, or noisy."""


class BoardAttention:
    """Relay boards: inputs and coils, each as last read."""

    poll_s = 0.1

    def __init__(self, bus: RelayBus) -> None:
        self.obeyed = 0
        self._is_order = False
        self._boards = bus.boards
        self._asked: tuple[int, int, tuple[bool, ...]] | None = None
        self._heard: dict[tuple[int, int], tuple[bool, ...]] = {}

    def asked(self, question: bytes, now_s: float) -> None:  # noqa: ARG002
        """Keep the levels that the answer will carry."""
        self._asked = None
        if len(question) < 2:
            return
        address, function = question[0], question[1]
        self._is_order = function not in (_READ_COILS, _READ_INPUTS)
        for board in self._boards:
            if board.address == address and function == _READ_INPUTS:
                self._asked = (address, function, tuple(board.bank.inputs))
            elif board.address == address and function == _READ_COILS:
                self._asked = (address, function, tuple(board.bank.coils))

    def answered(self) -> None:
        """Take those levels as heard."""
        if self._is_order:
            self._is_order = False
            self.obeyed += 1
        if self._asked is not None:
            address, function, levels = self._asked
            self._heard[address, function] = levels
            self._asked = None

    def is_satisfied(self, now_s: float) -> bool:  # noqa: ARG002
        """Compare what was heard with what is."""
        heard = self._heard
        return all(
            heard.get((board.address, _READ_INPUTS)) == tuple(board.bank.inputs)
            and heard.get((board.address, _READ_COILS)) == tuple(board.bank.coils)
            for board in self._boards
        )

    def noticed(self, happening: Happening) -> None:
        """Do nothing: levels say it all."""

    def forget(self) -> None:
        """Know nothing again."""
        self._asked = None
        self._heard.clear()


class LockAttention:
    """Lock-control boards: the switches, as last told; an opening wants more looks."""

    poll_s = 0.3

    def __init__(self, bus: LockerBus) -> None:
        self.obeyed = 0
        self._boards = bus.boards
        self._asked: tuple[tuple[bool, ...], ...] | None = None
        self._heard: tuple[tuple[bool, ...], ...] | None = None
        self._opening_until_s = 0.0

    def asked(self, question: bytes, now_s: float) -> None:
        """Keep the levels that the answer will carry."""
        self._asked = None
        if question[:1] == bytes((_LOCK_OPEN,)):
            self.obeyed += 1
            self._opening_until_s = now_s + _OPENING_S
        elif question[2:3] == b"\0":
            self._asked = self._levels()

    def answered(self) -> None:
        """Take those levels as heard."""
        if self._asked is not None:
            self._heard, self._asked = self._asked, None

    def is_satisfied(self, now_s: float) -> bool:
        """Compare what was heard with what is."""
        return now_s >= self._opening_until_s and self._heard == self._levels()

    def noticed(self, happening: Happening) -> None:
        """Do nothing: levels say it all."""

    def forget(self) -> None:
        """Know nothing again."""
        self._asked = self._heard = None

    def _levels(self) -> tuple[tuple[bool, ...], ...]:
        return tuple(board.bank.feels_closed() for board in self._boards)


class CardAttention:
    """Identity-card readers: a card is looked for until it is read, or gone.

    A reader that has read a card finds none until the next one is put down.
    """

    poll_s = 0.25
    obeyed = 0

    def __init__(self, reader: SamReader) -> None:
        self._finds = reader.settings.repeat_find
        self._is_new = False
        self._asked: bool | None = None
        self._heard: bool | None = None

    def asked(self, question: bytes, now_s: float) -> None:  # noqa: ARG002
        """Keep whether the reader will find a card."""
        self._asked = self._is_new if _SAM_FIND in question else None

    def answered(self) -> None:
        """Take it as heard."""
        if self._asked is not None:
            self._heard, self._asked = self._asked, None

    def is_satisfied(self, now_s: float) -> bool:  # noqa: ARG002
        """Say whether there is no card to be found and the driver has heard so."""
        return not self._is_new and self._heard is False

    def noticed(self, happening: Happening) -> None:
        """Note a card that was put, read or taken."""
        match happening.what:
            case What.CARD_PUT | What.POWER_BACK:
                self._is_new, self._heard = True, None
            case What.CARD_TAKEN:
                self._is_new = False
            case What.CARD_READ:
                self._is_new = self._finds
            case _:
                pass

    def forget(self) -> None:
        """Know nothing again, but of the card."""
        self._asked = self._heard = None


def attention_to(device: SimulatedDevice) -> Attention | None:
    """Return the attention that a device's driver pays; None: it never polls."""
    match device:
        case RelayBus():
            return BoardAttention(device)
        case LockerBus():
            return LockAttention(device)
        case SamReader():
            return CardAttention(device)
        case _:
            return None
