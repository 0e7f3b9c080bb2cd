# SPDX-License-Identifier: Apache-2.0
"""The parts of a site's standing, made once and made known to each other.

The law of the module: no rule lives here. Who learns from events as they are numbered
stands in ``learning``; doors and compartments move by their machines and hear of
events in a replay alone (``moving``). What one part has to tell another after the
fact goes through here, once the outcome is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.admissions import Admissions
from edge.core.access.answers import Denied
from edge.core.access.entrance import Entrance, Surroundings
from edge.core.access.redemptions import Redemptions
from edge.core.access.rules.way import CLOSED_MODES
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.duty.care import Care
from edge.core.duty.duty import Duty
from edge.core.emergency.emergency import Emergency
from edge.core.erasing.bars import bars_of
from edge.core.erasing.erasing import Erasing
from edge.core.hearing import Passers
from edge.core.lockers.bags import Bags
from edge.core.lockers.locker_orders import LockerOrders
from edge.core.lockers.lockers import Lockers
from edge.core.lockers.medicine import Medicine
from edge.core.lockers.medicine_orders import (
    MedicineOrdered,
    MedicineStocked,
    MedicineUsed,
)
from edge.core.lockers.overdue import Overdue
from edge.core.lockers.parcels import Parcels
from edge.core.lockers.rentals import Rentals
from edge.core.order import (
    ApplianceOrdered,
    BindBegun,
    CallAnswered,
    CareAnswered,
    CashNoted,
    ContactMarked,
    DrillEndOrdered,
    DrillMarked,
    DrillOrdered,
    DutyConfirmed,
    DutyCorrected,
    DutyOrdered,
    DutyQuestioned,
    ElderMarked,
    EmergencyEndOrdered,
    EmergencyOrdered,
    EntryConfirmed,
    EntryCorrected,
    LocalHolderOrdered,
    LocalRevocationOrdered,
    LoginAwaited,
    ModeOrdered,
    OccupancyCounted,
    PanelOpenOrdered,
    ParcelOrdered,
    ShelterOrdered,
)
from edge.core.orders import MAX_TEXT, check
from edge.core.people.binding import Binding
from edge.core.people.local import LocalRoster
from edge.core.people.local_orders import LocalOrders
from edge.core.people.rolls import Rolls
from edge.core.people.roster_row import MAX_FEN
from edge.core.people.site_keys import SiteKeys
from edge.core.plan import Direction
from edge.core.remote.remote import Remote
from edge.core.spaces.spaces import Spaces
from edge.core.stimulus import CompartmentChanged, CompartmentFailed, OpenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.event import Facts
    from edge.core.keeper import Keeper, Learner, Stored, Timed
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.orders import Handler
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.roster import Roster
    from edge.core.plan import AccessPointPlan, SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import BellPressed, DeviceChanged, Scan


#: People let in by one order: more is a slip of the finger.
MAX_PARTY = 500


class House:
    """One site's parts.

    ``learning`` hear of every event, ``moving`` in a replay alone; ``kept`` stand in a
    snapshot; for ``timed`` something may fall due.
    """

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, reception: Reception
    ) -> None:
        self._site = site
        self.reception = reception
        self.local = LocalRoster()
        self.rolls = Rolls(site, self.local)
        self.admissions = Admissions()
        self.redemptions = Redemptions()
        self.doors = Doorkeeper(site, out, self)
        self.emergency = Emergency(site, out, reception, self.doors, self.rolls)
        self.duty = Duty(site, out, reception)
        self.spaces = Spaces(
            site,
            out,
            reception,
            rolls=self.rolls,
            emergency=self.emergency,
            staff=self.duty,
        )
        self.care = Care(site, out)
        self.local_orders = LocalOrders(out, self.rolls, self.local)
        self.binding = Binding(site, out, reception, self.rolls, self.local)
        self.lockers = Lockers(site, out, reception)
        self.rentals = Rentals(site, out, reception, self.lockers)
        self.parcels = Parcels(site, out, self.lockers, self.rolls)
        self.bags = Bags(out)
        self.locker_orders = LockerOrders(site, self.lockers, self.bags)
        self.overdue = Overdue(site, self.lockers, self.rolls)
        self.medicine = Medicine(site, out, self.rentals.first_aid)
        self.erasing = self._erasing(out)
        self.site_keys = SiteKeys(out, self.erasing.bars, self.lockers, self.local)
        self.remote = Remote(
            site,
            out,
            doors=self.doors,
            emergency=self.emergency,
            rolls=self.rolls,
            carry_out=self._carry_out,
            erasing=self.erasing,
        )
        self.entrance = Entrance(site, out, reception, self._around())
        #: Doors through which somebody of the staff came in by this stimulus.
        self._staffed: list[str] = []
        self.moving: tuple[Keeper, ...] = (self.doors, self.lockers)
        sourced = self._sourced()
        self.kept: tuple[Stored, ...] = (*sourced, *self.moving)
        self.learning: tuple[Learner, ...] = (
            Passers(self),  # first: it asks for grants that are still open
            *sourced,
            self.overdue,
            self.entrance,
        )
        self.timed = self._timed()
        #: How the rest follows what a stimulus has brought about, doors last.
        self.settling: tuple[tuple[str, Callable[[Moment], None]], ...] = (
            ("first_person_in", self._unlock_for_staff),
            ("Spaces", self.spaces.expire),
            ("Remote", self.remote.settle),
            ("Erasing", self.erasing.settle),
            ("Doorkeeper", self.doors.settle),
        )

    def _around(self) -> Surroundings:
        """Return what stands around an entrance."""
        return Surroundings(
            doors=self.doors,
            rolls=self.rolls,
            emergency=self.emergency,
            presence=self.spaces.presence,
            duty=self.duty,
            admissions=self.admissions,
            redemptions=self.redemptions,
        )

    def _erasing(self, out: OutcomeBuilder) -> Erasing:
        """Return who forgets people, with every part that knows them by name."""
        parts = (self.admissions, self.emergency, self.spaces, self.local, self.duty)
        more = (self.care, self.bags)
        bars = bars_of(self._site, self)
        return Erasing(out, bars, self.rolls, self.lockers, (*parts, *more))

    def _sourced(self) -> tuple[Stored, ...]:
        """Return the parts that change by their events, in the order of asking."""
        return (
            self.admissions,
            self.redemptions,
            self.emergency,
            self.spaces,
            self.local_orders,
            self.site_keys,
            self.duty,
            self.care,
            self.medicine,
            self.bags,
            self.remote,
            self.erasing,
        )

    def _timed(self) -> tuple[Timed, ...]:
        """Return the parts for which something may fall due, emergencies first."""
        return (
            self.emergency,
            *self.moving,
            self.overdue,
            self.medicine,
            self.spaces,
            self.entrance,
            self.local_orders,
            self.binding,
            self.duty,
            self.care,
            self.remote,
        )

    def handlers(self) -> dict[type[Order], Handler]:
        """Return who answers for which order."""
        emergency, duty = self.emergency, self.duty
        return {
            ModeOrdered: self.doors.order_mode,
            PanelOpenOrdered: self._open_by_hand,
            EntryConfirmed: self.entrance.confirm,
            EntryCorrected: self.spaces.correct,
            CashNoted: self.local_orders.note_cash,
            CallAnswered: self.spaces.answer,
            OccupancyCounted: self.spaces.count,
            ApplianceOrdered: self.spaces.switch,
            BindBegun: self.binding.begin,
            LocalHolderOrdered: self.local_orders.hold,
            LocalRevocationOrdered: self.local_orders.revoke,
            EmergencyOrdered: emergency.begin,
            ShelterOrdered: emergency.shelter,
            EmergencyEndOrdered: emergency.end,
            DrillOrdered: emergency.begin_drill,
            DrillMarked: emergency.mark_drill,
            DrillEndOrdered: emergency.end_drill,
            ElderMarked: emergency.mark_elder,
            ContactMarked: emergency.mark_contact,
            DutyOrdered: self._order_duty,
            LoginAwaited: duty.logins.begin,
            DutyCorrected: duty.correct,
            DutyQuestioned: duty.question,
            DutyConfirmed: duty.confirm,
            CareAnswered: self.care.answer,
            **self.locker_orders.handlers(),
            ParcelOrdered: self.parcels.deposit,
            MedicineOrdered: self.medicine.open,
            MedicineStocked: self.medicine.take_stock,
            MedicineUsed: self.medicine.use,
        }

    def scan(self, scan: Scan, now: Moment) -> None:
        """Answer a credential wherever it was presented."""
        point = self._site.access_points[scan.access_point]
        holder = self.rolls.find(*scan.credential.tokens)
        self.site_keys.recognised(scan.credential)
        if self._is_paused(scan, point, holder, now):
            return
        if point.is_desk:
            is_taken = self.entrance.begins_emergency(scan, holder, now)
            if not is_taken and not self.binding.scan(scan, holder, now):
                self.duty.scan(scan, holder, self.rolls, now)
        elif point.bank_id:
            is_shut = self.emergency.closes_lockers
            self.rentals.scan(scan, holder, self.rolls, now, closes_lockers=is_shut)
        else:
            self.entrance.scan(scan, holder, now)

    def _is_paused(
        self,
        scan: Scan,
        point: AccessPointPlan,
        holder: Cardholder | None,
        now: Moment,
    ) -> bool:
        """Let codes wait that may be guessed; the way out and first aid never."""
        if point.direction is Direction.OUT or point.is_medicine_box:
            return False
        paused = self.reception.tries.paused(scan, holder, now.monotonic_s)
        if paused is not None:
            kind: Facts = (("kind", scan.credential.kind.value),)
            self.reception.deny(scan.access_point, paused, now, kind, self.rolls)
        return paused is not None

    def ring(self, bell: BellPressed, now: Moment) -> None:
        """Call whoever is on duty to a door."""
        self.spaces.ring(bell, now)

    def compartment(
        self,
        stimulus: CompartmentChanged | CompartmentFailed | OpenRefused,
        now: Moment,
    ) -> None:
        """Take in what a compartment told, or that it was not opened after all."""
        match stimulus:
            case CompartmentChanged():
                self.lockers.changed(stimulus, now)
            case CompartmentFailed():
                self.lockers.failed(stimulus, now)
            case OpenRefused():
                self.lockers.refused(stimulus, now)
                self.remote.refused(stimulus, now)

    def device_changed(self, stimulus: DeviceChanged, now: Moment) -> None:
        """Take in that a device answers, or does not any more."""
        is_online = stimulus.is_online
        self.doors.board_changed(stimulus.doors, now, is_online=is_online)
        self.spaces.board_changed(stimulus.appliances, now)
        if stimulus.senses_fire and not is_online:
            self.emergency.fire_input_lost()

    def adopt(self, roster: Roster, confirmed_ms: int) -> None:
        """Take over the platform's roster."""
        self.rolls.adopt(roster, confirmed_ms)
        self.care.adopt(self.rolls)
        self.duty.adopt(self.rolls)

    def recovered(self) -> None:
        """Take in that the journal is read: a replay has brought nobody in."""
        self._staffed.clear()
        self.emergency.recovered()

    def start(self, now: Moment) -> None:
        """Bring outputs in line with what the journal says."""
        self.doors.reassert(self._site.doors)
        self.lockers.start(now)
        self.spaces.start(now)
        self.remote.start(now)

    def prune(self, earliest_ms: int) -> None:
        """Forget what is surely over, before it is written down once more."""
        self.admissions.prune(earliest_ms)
        self.redemptions.prune(earliest_ms)

    def is_expected_inside(self, space_id: str, now: Moment) -> bool:
        """Say whether somebody may be inside who leaves by an unsensed handle."""
        return self.spaces.presence.is_expected_inside(space_id, now)

    def leads_out(self, access_point: str) -> bool:
        """Say whether an access point is a way out; one no longer there is none."""
        point = self._site.access_points.get(access_point)
        return point is not None and point.direction is Direction.OUT

    def staff_came_in(self, door_id: str) -> None:
        """Remember, for :attr:`settling`, where somebody of the staff came in."""
        self._staffed.append(door_id)

    def _unlock_for_staff(self, now: Moment) -> None:
        while self._staffed:
            self.doors.staff_came_in(self._staffed.pop(), now)

    def _open_by_hand(self, order: PanelOpenOrdered, now: Moment) -> str:
        """Let people in by hand, unless the door's mode admits nobody."""
        mode = self.doors.mode(order.door)
        reason = CLOSED_MODES.get(mode)
        if not 1 <= order.count <= MAX_PARTY:
            return f"from 1 to {MAX_PARTY} people"
        if order.cash_fen and not 0 < order.cash_fen <= MAX_FEN:
            return f"cash from 1 to {MAX_FEN} fen"
        if not self.doors.strike_is_sound(order.door):
            return "the board of this door's lock does not answer"
        if reason is None:
            is_fire = self.emergency.is_fire
            cash = _cash_of(order)
            why = self.local_orders.cash_flaw(cash, now) if cash else ""
            why = why or self.doors.open_by_hand(order, now, is_fire=is_fire)
            return why or (self.local_orders.note_cash(cash, now) if cash else "")
        who: Facts = (("actor", order.actor[:MAX_TEXT]), ("kind", "PANEL"))
        told: Facts = (("mode", mode.value),)
        denied = Denied(rule="mode", reason=reason, facts=told)
        self.reception.record(order.door, denied, now, who, self.rolls)
        return ""

    def _carry_out(self, order: Order, now: Moment) -> str:
        """Have an order of the platform done as the panel's is; say why not."""
        try:
            check(order, self._site)
            return self.handlers()[type(order)](order, now)
        except ValueError as unknown:
            return str(unknown)

    def _order_duty(self, order: DutyOrdered, now: Moment) -> str:
        return self.duty.order(order, self.rolls.holder(order.holder), now)


def _cash_of(order: PanelOpenOrdered) -> CashNoted | None:
    """Return the cash that was taken at the door for a booking."""
    if not order.booking or not order.cash_fen:
        return None
    return CashNoted(booking=order.booking, fen=order.cash_fen, actor=order.actor)
