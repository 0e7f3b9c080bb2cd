# SPDX-License-Identifier: Apache-2.0
"""Who stands behind a request of the panel, and what he may have done.

The law of the module: the panel asserts no actor. A request that names a tablet is
judged by that tablet's secret and the turn that runs there, whoever calls; one that
names none is the command line's, and comes from the gateway's own user or root. Each
act that is done carries its actor into the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge.accounts.checked import Checked
from edge.accounts.people import Role
from edge.accounts.rights import ANYBODYS_STATE, RIGHTS, TWO_PERSONS
from edge.cli.panel.farewells import Farewells
from edge.cli.panel.shift_book import ShiftBook
from edge.core.event import EventKind, Person
from edge.core.order import DutyOrdered
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.accounts.book import Book
    from edge.accounts.people import Session, Tablet
    from edge.cli.backup.keeper import Backups
    from edge.control.server import Act
    from edge.core.controller import Controller
    from edge.core.event import Event, Facts
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.plan import SitePlan
    from edge.gateway.gateway import Gateway
    from edge.storage.journal import Journal

    #: Has an order done by its verb and fields; ValueError says why not.
    CarryOut = Callable[[str, dict[str, Any]], dict[str, Any]]

PANEL = "panel"
#: What tells who asks; everything else of a request belongs to its order.
OWN_FIELDS = frozenset({"tablet", "session", "second_account", "second_pin"})


class Who(NamedTuple):
    """Who asks: the command line, or a tablet and the turn that runs there."""

    is_shell: bool = False
    tablet: Tablet | None = None
    session: Session | None = None

    @property
    def actor(self) -> str:
        """How events name him."""
        if self.session is not None:
            return self.session.actor
        return self.tablet.id if self.tablet is not None else "shell"


class Desk:
    """The gateway's side of its panel."""

    def __init__(
        self,
        book: Book,
        gateway: Gateway,
        controller: Controller,
        *,
        plan: SitePlan,
        point: str,
        order: CarryOut,
        journal: Journal,
        utc_offset_ms: int,
        url: str = "",
        fault: str = "",
        backups: Backups | None = None,
    ) -> None:
        self.book = book
        self.gateway = gateway
        self.controller = controller
        self.plan = plan
        #: The access point whose reader logs people in, "" for none.
        self.point = point
        #: The panel's address, with its closing slash.
        self.url = url
        self.utc_offset_ms = utc_offset_ms
        #: Has an order done by its verb and fields, whoever asked for it.
        self.order = order
        self._fault = fault
        #: What the journal tells of shifts, and of those that ended at a tablet.
        self.shift_book = ShiftBook(journal, gateway)
        self.farewells = Farewells()
        #: None where there is no gateway of one's own, as in a simulation.
        self.backups = backups
        #: Whether volunteers see their star level.
        self.shows_stars = False
        #: Verbs beside the orders that were built with it.
        self.more: dict[str, Act] = {}
        #: Of whom each turn was asked whether it ends, and who came since.
        self._answered: dict[str, set[str]] = {}
        self._asked: dict[str, str] = {}
        #: Who else hears of what is on disk.
        self.hearers: list[Callable[[Event], None]] = []

    def tell_fault(self) -> None:
        """Write down that accounts or PINs could not be read at this start."""
        lost = self.book.pins_lost
        faults: list[Facts] = [(("what", self._fault),)] if self._fault else []
        faults += [(("count", lost), ("what", "pepper"))] if lost else []
        for facts in faults:
            kind = EventKind.STORAGE_FAULT
            self.gateway.note(Noted(kind=kind, subject="accounts", facts=facts))
        if self.backups is not None:
            self.backups.tell_restored()

    def now(self) -> Moment:
        """Return this instant."""
        return self.gateway.now()

    def status(self) -> dict[str, Any]:
        """Return what anybody may know: nothing of persons."""
        logins = self.controller.house.duty.logins
        return {
            "has_manager": self.book.has_manager,
            "tablets": len(self.book.tablets),
            "awaits_card": logins.is_awaited(self.now()),
            "notice": self.book.door_notice,
            **({"set_aside": True} if self._fault else {}),
            **({"pins_lost": lost} if (lost := self.book.pins_lost) else {}),
        }

    # ---- who --------------------------------------------------------------------

    def who(self, request: dict[str, Any], *, is_own: bool) -> Who:
        """Return who asks; ValueError for a tablet that nobody paired."""
        if is_own and "tablet" not in request:
            return Who(is_shell=True)
        tablet = self.book.tablet_of(request.get("tablet"))
        if tablet is None:
            raise ValueError("this tablet is not paired")
        secret, duty = request.get("session"), self.controller.on_duty
        session = self.book.turn_of(tablet, secret, self.now(), duty)
        if session is not None and not self._is_still(session):
            session = None
        return Who(tablet=tablet, session=session)

    def _is_still(self, session: Session) -> bool:
        """Say whether the roster still lets him who came have his turn."""
        if session.account:
            return not self.is_barred(session.holder)
        rolls = self.controller.rolls
        known = rolls.holder(session.holder)
        if known is None or not known.is_enabled:
            return False
        is_revoked = rolls.holder_revocation(session.holder) is not None
        return not is_revoked and session.role.value in known.roles

    def is_barred(self, holder: str) -> bool:
        """Say whether the platform's roster has shut out an account's holder.

        What was called back at a tablet, as a lost card is, ends turns by card alone:
        no volunteer shuts out a manager.
        """
        rolls = self.controller.rolls
        known = rolls.holder(holder) if holder else None
        is_off = known is not None and not known.is_enabled
        return is_off or holder in rolls.roster.tables.revoked_holders

    def acting(
        self, request: dict[str, Any], roles: frozenset[Role], *, is_own: bool
    ) -> Who:
        """Return who acts with one of these roles; ValueError for anybody else."""
        who = self.who(request, is_own=is_own)
        if who.is_shell:
            return who
        if who.session is None:
            raise ValueError("nobody is logged in at this tablet")
        if who.session.role not in roles:
            raise ValueError("this is for somebody else to do")
        self.book.sessions.use(who.session, self.now())
        return who

    async def second(self, request: dict[str, Any], first: Who) -> str:
        """Return the second person's account, proved by his PIN; ValueError if not."""
        name, pin = (request.get(key) for key in ("second_account", "second_pin"))
        account = self.book.accounts.get(name) if isinstance(name, str) else None
        if account is None or not isinstance(pin, str):
            raise ValueError("a second person has to agree, with a PIN")
        session = first.session
        is_same = session is not None and (
            account.id == session.account
            or bool(account.holder and account.holder == session.holder)
        )
        if is_same:
            raise ValueError("the second person is somebody else")
        if self.is_barred(account.holder):
            raise ValueError("the second person's card was withdrawn")
        verdict = await self.book.check_pin(account.id, pin, self.now())
        if verdict.checked is not Checked.RIGHT:
            self.note(EventKind.LOGIN_FAILED, first, (("how", "second"),))
            raise ValueError("the second person's PIN was not right, or has to wait")
        return account.id

    # ---- acts -------------------------------------------------------------------

    def acts(self) -> dict[str, Act]:
        """Return every order as a verb that finds out who gives it."""
        return {verb: self._act(verb) for verb in RIGHTS}

    def _act(self, verb: str) -> Act:
        async def act(request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
            return await self.do(verb, request, is_own=is_own)

        return act

    async def do(
        self, verb: str, request: dict[str, Any], *, is_own: bool
    ) -> dict[str, Any]:
        """Have an order done for whoever asks; ValueError says why not."""
        if is_own and "tablet" not in request:
            return self.order(verb, request)
        return self.order(verb, await self._judged(verb, request, is_own=is_own))

    async def _judged(
        self, verb: str, request: dict[str, Any], *, is_own: bool
    ) -> dict[str, Any]:
        """Return an order's fields with their actor; ValueError if it is not his."""
        if "actor" in request or "second" in request:
            raise ValueError("actor: the gateway itself knows who acts")
        fields = {k: v for k, v in request.items() if k not in OWN_FIELDS}
        if self._is_anybodys(verb, request):
            who = self.who(request, is_own=is_own)
        else:
            who = self.acting(request, RIGHTS[verb], is_own=is_own)
        if verb == "duty":
            self._check_own_shift(who, request)
        if verb == "duty-question":
            self._check_own_minutes(who, request)
        if verb in TWO_PERSONS:
            fields["second"] = await self.second(request, who)
        if verb == "duty-correct":
            self._check_minutes_of_others(who, fields)
        return {**fields, "actor": who.actor}

    def _is_anybodys(self, verb: str, request: dict[str, Any]) -> bool:
        if verb == "emergency":
            return request.get("state") == ANYBODYS_STATE
        return verb == "medicine-open" and bool(self.controller.emergency.standing)

    @staticmethod
    def _check_own_shift(who: Who, request: dict[str, Any]) -> None:
        turn = who.session
        is_own = turn is not None and request.get("holder") == turn.holder
        if turn is not None and turn.role is Role.VOLUNTEER and not is_own:
            raise ValueError("a volunteer begins and ends the own shift alone")

    def _check_own_minutes(self, who: Who, request: dict[str, Any]) -> None:
        shift = self.controller.house.duty.shifts.get(request.get("seq") or 0)
        turn = who.session
        if turn is not None and (shift is None or shift.holder != turn.holder):
            raise ValueError("everybody speaks of the own minutes alone")

    def _check_minutes_of_others(self, who: Who, fields: dict[str, Any]) -> None:
        shift = self.controller.house.duty.shifts.get(fields.get("seq") or 0)
        second = self.book.accounts[fields["second"]]
        mine = {second.holder, who.session.holder if who.session else ""}
        if shift is not None and shift.holder in mine:
            raise ValueError("nobody corrects his own minutes")

    def give(self, order: Order) -> str:
        """Have an order of our own done; return why not, or nothing."""
        told: list[str] = []

        def act(controller: Controller, now: Moment) -> Any:
            outcome = controller.handle(order, now)
            told.append(controller.rejection)
            return outcome

        self.gateway.do(act)
        return told[0]

    def shift(self, holder: str, actor: str, *, is_start: bool) -> bool:
        """Begin or end a shift where that can be; say whether it runs now."""
        if holder and (holder in self.controller.on_duty) is not is_start:
            self.give(DutyOrdered(holder=holder, is_start=is_start, actor=actor))
        return holder in self.controller.on_duty

    def end_shift(self, turn: Session) -> bool:
        """End the shift of whoever goes home, and keep what he is thanked for."""
        shifts = self.controller.house.duty.shifts.items()
        runs = [s for s, one in shifts if one.holder == turn.holder and one.is_running]
        if runs:
            self.farewells.keep(turn, runs[0], self.now().monotonic_s)
            self.shift(turn.holder, turn.actor, is_start=False)
        return bool(runs)

    def note(
        self, kind: EventKind, who: Who, facts: Facts = (), *, holder: str = ""
    ) -> None:
        """Write down what somebody did at the panel."""
        told: dict[str, int | str] = {"actor": who.actor, **dict(facts)}
        if who.tablet is not None:
            told["tablet"] = who.tablet.id
        person = Person(holder=holder or None)
        facts = tuple(sorted(told.items()))
        note = Noted(kind=kind, subject=PANEL, facts=facts, person=person)
        self.gateway.note(note)

    # ---- the next volunteer -----------------------------------------------------

    def stored(self, batch: Sequence[Event]) -> None:
        """Hear who began a shift: whose turn it was is asked whether it ends."""
        if self.backups is not None:
            self.backups.stored(batch)
        for event in batch:
            for hear in self.hearers:
                hear(event)
            holder = event.person.holder
            is_start = event.kind is EventKind.DUTY_STARTED
            if is_start and event.subject == self.point and holder:
                self._ask_others(holder)

    def _ask_others(self, holder: str) -> None:
        if self.controller.house.duty.logins.has_taken(holder):
            return  # he logs in at a tablet of his own choice
        for turn in self.book.sessions.running:
            answered = self._answered.get(turn.id, set())
            is_other = turn.holder != holder and turn.has_shift
            if is_other and holder not in answered:
                self._asked[turn.id] = holder

    def is_asked(self, turn: Session) -> bool:
        """Say whether a turn is asked to end."""
        return turn.id in self._asked

    def answer(self, turn: Session) -> None:
        """Note that a turn goes on, or is over: it is not asked again for this one."""
        holder = self._asked.pop(turn.id, "")
        if holder:
            self._answered.setdefault(turn.id, set()).add(holder)

    def forget(self, turn: Session) -> None:
        """Forget what a turn was asked."""
        self._asked.pop(turn.id, None)
        self._answered.pop(turn.id, None)
