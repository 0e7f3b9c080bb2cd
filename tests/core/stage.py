# SPDX-License-Identifier: Apache-2.0
"""A controller on stage: people scan, doors swing, seconds pass, all is written down.

The law of the module: it plays the shell (ticks at each deadline, keeps the journal)
and judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import (
    Command,
    HoldOpen,
    Indicate,
    OpenCompartment,
    Release,
    Relock,
    SwitchAppliance,
)
from edge.core.controller import Controller
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind, decode, encode_core, encode_person
from edge.core.order import (
    EmergencyEndOrdered,
    MendOrdered,
    ModeOrdered,
    PanelOpenOrdered,
    RentalEndOrdered,
)
from edge.core.outcome import Outcome
from edge.core.stimulus import (
    CompartmentChanged,
    CompartmentFailed,
    ContactChanged,
    DeviceChanged,
    ExitButtonChanged,
    FireInputChanged,
    OpenRefused,
    Scan,
    Stimulus,
)
from tests.core.scene import SITE, card, clock_ms, moment, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan

Told = list[str]


class Stage:
    """One controller in one boot; 15:00 at its rise."""

    def __init__(
        self, roster: Roster | None = None, *, site: SitePlan = SITE, next_seq: int = 1
    ) -> None:
        self.controller = Controller(site, next_seq=next_seq)
        known = roster or neighbours("b1 wang kitchen 14:00-16:00 x3")
        self.controller.house.adopt(known, clock_ms("15:00"))
        self.now_s = 1000.0
        self.utc_ms = clock_ms("15:00")
        self.spread_ms = 0
        self.boot = "boot-1"
        self.journal: list[Event] = []
        self.last = Outcome()

    def now(self) -> Moment:
        """Return this instant."""
        latest_ms = self.utc_ms + self.spread_ms
        return moment(self.utc_ms, latest_ms, s=self.now_s, boot=self.boot)

    def take(self, outcome: Outcome) -> Told:
        """Write an outcome down; return what happened, shortly."""
        self.journal += outcome.events
        self.last = outcome
        return self.told()

    def told(self) -> Told:
        """Return the last outcome: its events' kinds, then its wishes for leaves."""
        kinds = [event.kind.value for event in self.last.events]
        wishes = [short(command) for command in self.last.commands]
        return kinds + [wish for wish in wishes if wish]

    def said(self) -> list[tuple[str, str, str]]:
        """Return what the last outcome said at readers: indication, reason, step."""
        return [
            (command.indication.value, command.reason, command.next_step)
            for command in self.last.commands
            if isinstance(command, Indicate)
        ]

    def releases(self) -> list[Release]:
        """Return the releases of the last outcome."""
        return [c for c in self.last.commands if isinstance(c, Release)]

    def do(self, stimulus: Stimulus) -> Told:
        """Let something happen now."""
        return self.take(self.controller.handle(stimulus, self.now()))

    def wait(self, seconds: float) -> Told:
        """Let time pass, with a tick at every deadline as the shell makes them."""
        end_s, told = self.now_s + seconds, []
        while (due_s := self.controller.deadline()) is not None and due_s <= end_s:
            self.pass_time(max(0.0, due_s - self.now_s))
            told += self.take(self.controller.tick(self.now()))
        self.pass_time(end_s - self.now_s)
        return told

    def pass_time(self, seconds: float) -> None:
        """Let time pass without a tick, as when the machine is busy."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    def scan(self, who: str, at: str = "kitchen-in", *, age_s: float = 0.0) -> Told:
        """Present a card."""
        received_s = self.now_s - age_s
        return self.do(
            Scan(access_point=at, credential=card(who), received_s=received_s)
        )

    def swing(self, door: str, *, is_open: bool) -> Told:
        """Open or close a leaf."""
        return self.do(ContactChanged(door=door, is_open=is_open))

    def walk_through(self, door: str) -> Told:
        """Open a leaf and close it again."""
        return self.swing(door, is_open=True) + self.swing(door, is_open=False)

    def press(self, door: str) -> Told:
        """Press the exit button."""
        return self.do(ExitButtonChanged(door=door, is_pressed=True))

    def order(self, door: str, mode: str) -> Told:
        """Order a mode."""
        return self.do(
            ModeOrdered(door=door, mode=DoorMode(mode), actor="chen", reason="evening")
        )

    def fire(self, *, is_active: bool = True) -> Told:
        """Let the fire input rise or fall."""
        return self.do(FireInputChanged(is_active=is_active))

    def end_fire(self) -> Told:
        """End the fire release by hand."""
        return self.do(
            EmergencyEndOrdered(
                state=EmergencyState.FIRE, actor="chen", reason="false alarm"
            )
        )

    def device(self, *doors: str, is_online: bool) -> Told:
        """Let an output board come or go."""
        return self.do(
            DeviceChanged(device="relay-1", is_online=is_online, detail="", doors=doors)
        )

    def open_by_hand(self, door: str) -> Told:
        """Open a door from the panel."""
        return self.do(PanelOpenOrdered(door=door, actor="chen", reason="forgot card"))

    def leaf(self, number: int, bank: str = "hall", *, is_open: bool) -> Told:
        """Let a compartment's feedback tell its level."""
        return self.do(CompartmentChanged(bank=bank, number=number, is_open=is_open))

    def use(self, number: int, bank: str = "hall") -> Told:
        """Let a compartment open, and shut it again."""
        opened = self.leaf(number, bank, is_open=True)
        return opened + self.leaf(number, bank, is_open=False)

    def jam(self, number: int, bank: str = "hall") -> Told:
        """Let the board report that an order failed."""
        return self.do(CompartmentFailed(bank=bank, number=number, why="timed out"))

    def refuse(self, wish: OpenCompartment) -> Told:
        """Let the shell's commit come too late for a compartment."""
        bank, number, cause = wish.bank, wish.number, wish.cause
        return self.do(OpenRefused(bank=bank, number=number, cause=cause))

    def end_rental(self, number: int, bank: str = "hall") -> Told:
        """End a rental from the panel."""
        return self.do(
            RentalEndOrdered(bank=bank, number=number, actor="chen", reason="moved")
        )

    def mend(self, number: int, bank: str = "hall") -> Told:
        """Tell from the panel that a compartment has been mended."""
        return self.do(
            MendOrdered(bank=bank, number=number, actor="chen", reason="oiled")
        )

    def openings(self) -> list[OpenCompartment]:
        """Return the compartments' orders of the last outcome."""
        return [c for c in self.last.commands if isinstance(c, OpenCompartment)]

    def locker(self, number: int, bank: str = "hall") -> str:
        """Return a compartment's phase and whose it is."""
        compartment = self.controller.lockers.standing()[bank, number]
        rental = compartment.rental
        return f"{compartment.phase.value} {rental.holder if rental else '-'}"

    def mode(self, door: str) -> str:
        """Return a door's mode."""
        return self.controller.doors.mode(door).value

    def phase(self, door: str) -> str:
        """Return a door's phase."""
        return self.controller.doors.standing()[door].phase.value

    def standing(self) -> str:
        """Return everything that must survive a power cut."""
        return self.controller.snapshot(self.now())

    def replayed(self, state: str | None, after: int) -> Controller:
        """Return a new controller from a snapshot and the stored events after it."""
        revived = Controller(SITE, next_seq=self.controller.next_seq)
        revived.house.adopt(self.controller.roster, self.controller.rolls.confirmed_ms)
        revived.recover(state, [as_stored(e) for e in self.journal if e.seq > after])
        return revived

    def cut_power(self, state: str | None = None, after: int = 0) -> Told:
        """Lose everything that is not in the journal, and start again."""
        self.controller = self.replayed(state, after)
        self.now_s = 5.0
        return self.take(self.controller.start(self.now()))


def short(command: Command) -> str:
    """Return a wish in a few words; nothing for what is only said."""
    match command:
        case Release(door=door):
            return f"release {door}"
        case Relock(door=door):
            return f"relock {door}"
        case HoldOpen(door=door):
            return f"hold {door}"
        case OpenCompartment(bank=bank, number=number):
            return f"open {bank} {number}"
        case SwitchAppliance(appliance=name, is_on=is_on):
            return f"{name} {'on' if is_on else 'off'}"
        case Indicate():
            return ""


def as_stored(event: Event) -> Event:
    """Return the event as the journal gives it back."""
    return decode(event.seq, encode_core(event), encode_person(event.person))


def persons(journal: Iterable[Event], booking_id: str = "b1") -> int:
    """Count by the journal who was let in under a booking and not given back."""
    worth = {EventKind.ACCESS_GRANTED: 1, EventKind.ACCESS_NOT_TAKEN: -1}
    events = [event for event in journal if event.person.booking == booking_id]
    return sum(worth.get(event.kind, 0) for event in events)
