# SPDX-License-Identifier: Apache-2.0
"""The hand in the world: what people and mishaps do to a site's devices, by name.

The law of the module: what was due before an act has happened when it comes, and what
it causes has happened when it returns. An unknown name is answered with the known ones.
The control socket offers these methods as they stand here: the name is the verb, the
parameters beside ``now`` are its fields.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from firmware_sim.errors import SimulationError

# Read while running: the control socket checks requests by these annotations.
from firmware_sim.id_card.identity_card import IdentityCard  # noqa: TC001
from firmware_sim.id_card.sam_settings import SamFault  # noqa: TC001
from firmware_sim.lockers.locker_settings import LockerFault  # noqa: TC001
from firmware_sim.osdp.cards import CardFormat  # noqa: TC001
from firmware_sim.osdp.settings import OsdpFault  # noqa: TC001
from firmware_sim.relays.lcus_relay import LcusFault  # noqa: TC001
from firmware_sim.relays.relay_board import BoardFault  # noqa: TC001
from firmware_sim.scanners.qr_settings import ScannerFault, SetupCode  # noqa: TC001
from firmware_sim.uhppote.board import IN, OUT
from firmware_sim.uhppote.settings import Direction, PacketFault  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from firmware_sim.door import Door
    from firmware_sim.lockers.locker_bank import Compartment
    from firmware_sim.lockers.locker_board import LockerBoard
    from firmware_sim.osdp.reader import OsdpReader
    from firmware_sim.relays.lcus_relay import LcusRelay
    from firmware_sim.relays.relay_board import RelayBoard
    from firmware_sim.scanners.qr_scanner import QrScanner
    from firmware_sim.uhppote.controller import UhppoteController
    from firmware_sim.world import World

#: The longest that a button is held or a board dark; longer is a press and a release.
MAX_DURATION_S = 3_600.0
#: The verbs that others may ask for, and what their answer is called.
VERBS = {
    "put_card": "",
    "take_card": "",
    "show_code": "is_read",
    "push": "is_open",
    "force": "is_open",
    "pull_shut": "was_open",
    "press_exit": "",
    "release_exit": "",
    "stick_contact": "",
    "set_lock_power": "",
    "set_input": "",
    "weld": "",
    "brown_out": "",
    "power_cycle": "",
    "spoil_reader": "",
    "spoil_board": "",
    "put_in": "is_in",
    "take_out": "things",
    "shut": "is_shut",
    "jam": "",
    "hold_shut": "",
    "pry": "is_open",
    "spoil_locker": "",
    "present_card": "is_read",
    "swipe": "is_read",
    "type_keys": "is_typed",
    "tamper": "",
    "fail_supply": "",
    "set_reader_input": "",
    "press_reader_exit": "",
    "darken_reader": "",
    "pull_reader_wire": "",
    "spoil_osdp": "",
    "show_setup_code": "is_obeyed",
    "power_cycle_scanner": "",
    "spoil_scanner": "",
    "spoil_usb_relay": "",
    "swipe_at_controller": "is_read",
    "type_passcode": "is_read",
    "darken_controller": "",
    "spoil_packets": "",
}

T = TypeVar("T")


class Hand:
    """Acts upon a world; ``now`` in monotonic seconds, channels from 1."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put_card(self, reader: str, card: IdentityCard, now: float) -> None:
        """Lay a card on a reader."""
        with self._at(now) as world:
            find("reader", world.readers, reader).put(card, now)

    def take_card(self, reader: str, now: float) -> None:
        """Take the card off a reader."""
        with self._at(now) as world:
            find("reader", world.readers, reader).take_away(now)

    def show_code(self, scanner: str, text: str | bytes, now: float) -> bool:
        """Hold up a code; False if the module suppresses it as the same again."""
        with self._at(now) as world:
            return find("scanner", world.scanners, scanner).show(text, now)

    def push(self, door: str, now: float) -> bool:
        """Push a door; tell whether it is open."""
        with self._door(door, now) as leaf:
            return leaf.push(now)

    def force(self, door: str, now: float) -> bool:
        """Open a door whatever its lock does."""
        with self._door(door, now) as leaf:
            return leaf.force(now)

    def pull_shut(self, door: str, now: float) -> bool:
        """Shut a door; tell whether it was open."""
        with self._door(door, now) as leaf:
            return leaf.pull_shut(now)

    def press_exit(self, door: str, now: float, hold_s: float | None = 0.5) -> None:
        """Press the exit button for ``hold_s``; None: until :meth:`release_exit`."""
        if hold_s is not None:
            _check_duration("hold_s", hold_s)
        with self._door(door, now) as leaf:
            leaf.press_exit(now, hold_s)

    def release_exit(self, door: str, now: float) -> None:
        """Take the finger off the exit button."""
        with self._door(door, now) as leaf:
            leaf.release_exit(now)

    def stick_contact(self, door: str, now: float, *, is_closed: bool | None) -> None:
        """Let a door's contact tell the same for ever; None mends it."""
        with self._door(door, now) as leaf:
            leaf.stick_contact(now, is_closed=is_closed)

    def set_lock_power(self, door: str, now: float, *, is_on: bool) -> None:
        """Cut or give back the supply of a lock."""
        with self._door(door, now) as leaf:
            leaf.set_lock_power(now, is_on=is_on)

    def set_input(
        self, board: str, channel: int, now: float, *, is_closed: bool
    ) -> None:
        """Close or open a loop that is not a door's: a fire panel, a tamper switch."""
        with self._board(board, now) as one:
            if self._world.is_wired_input(board, channel):
                raise SimulationError(
                    f"input {channel} of {board} belongs to a door; move the door"
                )
            one.set_input(channel, now, is_closed=is_closed)

    def weld(
        self, board: str, relay: int, now: float, *, is_welded: bool = True
    ) -> None:
        """Weld a relay's contact shut, or mend it."""
        with self._at(now) as world:
            boards: dict[str, RelayBoard | LcusRelay] = {**world.boards}
            boards |= world.usb_relays
            find("board", boards, board).weld(relay, now, is_welded=is_welded)

    def brown_out(self, board: str, now: float, dark_s: float = 0.5) -> None:
        """Cut a board's power for ``dark_s``, be it of relays or of lockers."""
        _check_duration("dark_s", dark_s)
        with self._at(now) as world:
            boards: dict[str, RelayBoard | LcusRelay | LockerBoard] = {**world.boards}
            boards |= world.usb_relays
            boards |= world.lockers
            find("board", boards, board).brown_out(now, dark_s)

    def power_cycle(self, reader: str, now: float) -> None:
        """Cut a reader's power and give it back."""
        with self._at(now) as world:
            find("reader", world.readers, reader).power_cycle(now)

    def spoil_reader(self, reader: str, fault: SamFault, replies: int = 1) -> None:
        """Spoil the next replies of a reader."""
        find("reader", self._world.readers, reader).spoil(fault, replies)

    def spoil_board(self, board: str, fault: BoardFault, replies: int = 1) -> None:
        """Spoil the next replies of a board."""
        find("board", self._world.boards, board).spoil(fault, replies)

    def put_in(self, board: str, channel: int, thing: str, now: float) -> bool:
        """Lay a thing into a compartment; tell whether it is in: it must be open."""
        with self._compartment(board, channel, now) as compartment:
            return compartment.put_in(thing)

    def take_out(self, board: str, channel: int, now: float) -> tuple[str, ...]:
        """Take out all that lies in a compartment; nothing if it is shut."""
        with self._compartment(board, channel, now) as compartment:
            return compartment.take_out()

    def shut(self, board: str, channel: int, now: float) -> bool:
        """Press a compartment's leaf shut; tell whether it stays so."""
        with self._compartment(board, channel, now) as compartment:
            return compartment.shut(now)

    def jam(
        self, board: str, channel: int, now: float, *, is_jammed: bool = True
    ) -> None:
        """Let a latch no longer spring when its pulse comes, or mend it."""
        with self._compartment(board, channel, now) as compartment:
            compartment.jam(is_jammed=is_jammed)

    def hold_shut(
        self, board: str, channel: int, now: float, *, is_held: bool = True
    ) -> None:
        """Let a leaf not open though its latch springs, or let go of it."""
        with self._compartment(board, channel, now) as compartment:
            compartment.hold_shut(now, is_held=is_held)

    def pry(self, board: str, channel: int, now: float) -> bool:
        """Open a compartment whatever its latch does."""
        with self._compartment(board, channel, now) as compartment:
            return compartment.pry(now)

    def spoil_locker(self, board: str, fault: LockerFault, replies: int = 1) -> None:
        """Spoil the next replies of a lock-control board."""
        find("locker board", self._world.lockers, board).spoil(fault, replies)

    def present_card(self, reader: str, bits: int, data: bytes, now: float) -> bool:
        """Hold a card before an OSDP reader; False if it has no power to read it."""
        with self._osdp(reader, now) as one:
            return one.present_card(bits, data, now)

    def swipe(self, reader: str, card: CardFormat, number: int, now: float) -> bool:
        """Hold a card before an OSDP reader, by its format and number."""
        with self._osdp(reader, now) as one:
            return one.swipe(card, number, now)

    def type_keys(self, reader: str, keys: str, now: float) -> bool:
        """Press keys such as ``1234#``; False without power."""
        with self._osdp(reader, now) as one:
            return one.type_keys(keys, now)

    def tamper(self, reader: str, now: float, *, is_tampered: bool = True) -> None:
        """Lift an OSDP reader off its wall, or put it back."""
        with self._osdp(reader, now) as one:
            one.tamper(now, is_tampered=is_tampered)

    def fail_supply(self, reader: str, now: float, *, is_failing: bool = True) -> None:
        """Let an OSDP reader's supply sag so that it complains, or mend it."""
        with self._osdp(reader, now) as one:
            one.fail_supply(now, is_failing=is_failing)

    def set_reader_input(
        self, reader: str, channel: int, now: float, *, is_active: bool
    ) -> None:
        """Close or open what hangs on an OSDP reader's input."""
        with self._osdp(reader, now) as one:
            one.set_input(channel, now, is_active=is_active)

    def press_reader_exit(self, reader: str, now: float, hold_s: float = 0.5) -> None:
        """Press the exit button that hangs on an OSDP reader."""
        _check_duration("hold_s", hold_s)
        with self._osdp(reader, now) as one:
            one.press_exit(now, hold_s)

    def darken_reader(self, reader: str, now: float, dark_s: float = 10.0) -> None:
        """Cut an OSDP reader's power for ``dark_s``."""
        _check_duration("dark_s", dark_s)
        with self._osdp(reader, now) as one:
            one.brown_out(now, dark_s)

    def pull_reader_wire(self, reader: str, now: float, off_s: float = 10.0) -> None:
        """Take an OSDP reader off its pair for ``off_s``, its power left."""
        _check_duration("off_s", off_s)
        with self._osdp(reader, now) as one:
            one.pull_wire(now, off_s)

    def spoil_osdp(
        self, reader: str, fault: OsdpFault, replies: int = 1, nak_code: int = 3
    ) -> None:
        """Spoil the next replies of an OSDP reader."""
        one = find("OSDP reader", self._world.osdp_readers, reader)
        one.spoil(fault, replies, nak_code=nak_code)

    def show_setup_code(self, scanner: str, code: SetupCode, now: float) -> bool:
        """Hold up a code that sets a module up; tell whether it obeyed."""
        with self._scanner(scanner, now) as one:
            return one.show_setup_code(code, now)

    def power_cycle_scanner(self, scanner: str, now: float) -> None:
        """Cut a module's power and give it back: what was not saved is gone."""
        with self._scanner(scanner, now) as one:
            one.power_cycle(now)

    def spoil_scanner(
        self, scanner: str, fault: ScannerFault, replies: int = 1
    ) -> None:
        """Spoil the next replies of a module that has a dialogue."""
        find("scanner", self._world.scanners, scanner).spoil(fault, replies)

    def spoil_usb_relay(self, board: str, fault: LcusFault, replies: int = 1) -> None:
        """Spoil the next commands of a USB relay."""
        find("USB relay", self._world.usb_relays, board).spoil(fault, replies)

    def swipe_at_controller(
        self,
        controller: str,
        door: int,
        card: int,
        now: float,
        pin: int = 0,
        *,
        is_exit: bool = False,
    ) -> bool:
        """Hold a card to a reader of a UHPPOTE controller; False without power."""
        with self._controller(controller, now) as one:
            direction = OUT if is_exit else IN
            board = one.board
            reason = board.swipe(door, card, now, pin=pin, direction=direction)
            return reason is not None

    def type_passcode(self, controller: str, door: int, code: int, now: float) -> bool:
        """Type a supervisor's code at a controller's keypad; False without power."""
        with self._controller(controller, now) as one:
            return one.board.type_code(door, code, now) is not None

    def darken_controller(
        self, controller: str, now: float, dark_s: float = 2.0
    ) -> None:
        """Cut a UHPPOTE controller's power for ``dark_s``."""
        _check_duration("dark_s", dark_s)
        with self._controller(controller, now) as one:
            one.cut_power(now, dark_s)

    def spoil_packets(
        self, port: str, fault: PacketFault, direction: Direction, packets: int = 1
    ) -> None:
        """Spoil the next packets of a UDP port."""
        find("network", self._world.networks, port).spoil(fault, direction, packets)

    @contextmanager
    def _at(self, now: float) -> Iterator[World]:
        self._world.tick(now)
        yield self._world
        self._world.tick(now)

    @contextmanager
    def _door(self, name: str, now: float) -> Iterator[Door]:
        with self._at(now) as world:
            yield find("door", world.doors, name)

    @contextmanager
    def _board(self, name: str, now: float) -> Iterator[RelayBoard]:
        with self._at(now) as world:
            yield find("board", world.boards, name)

    @contextmanager
    def _osdp(self, name: str, now: float) -> Iterator[OsdpReader]:
        with self._at(now) as world:
            yield find("OSDP reader", world.osdp_readers, name)

    @contextmanager
    def _scanner(self, name: str, now: float) -> Iterator[QrScanner]:
        with self._at(now) as world:
            yield find("scanner", world.scanners, name)

    @contextmanager
    def _controller(self, name: str, now: float) -> Iterator[UhppoteController]:
        with self._at(now) as world:
            yield find("controller", world.controllers, name)

    @contextmanager
    def _compartment(
        self, board: str, channel: int, now: float
    ) -> Iterator[Compartment]:
        with self._at(now) as world:
            yield find("locker board", world.lockers, board).bank.at(channel)


def find(kind: str, things: Mapping[str, T], name: str) -> T:
    """Return the thing of that name; SimulationError names those there are."""
    if name not in things:
        known = ", ".join(things) or "none"
        raise SimulationError(f"no {kind} {name!r}; this world has: {known}")
    return things[name]


def _check_duration(name: str, duration_s: float) -> None:
    if not 0 <= duration_s <= MAX_DURATION_S:
        raise SimulationError(
            f"{name} {duration_s} is no duration; write 0 to {MAX_DURATION_S:.0f}"
        )
