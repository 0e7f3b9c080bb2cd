# SPDX-License-Identifier: Apache-2.0
"""Pairing a tablet, logging in by card or PIN, and the end of a turn.

The law of the module: what becomes of a try is one word (``state``), so that a page
needs no text of ours; secrets are told once, to the tablet that they belong to. No
wrong PIN keeps anybody from a card or from the emergency page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.accounts.book import NotKeptError
from edge.accounts.checked import Checked
from edge.accounts.codes import typed
from edge.accounts.people import Role, name_of
from edge.accounts.pins import flaw_of
from edge.cli.panel.desk import Who
from edge.core.duty.logins import Turn
from edge.core.duty.shift import ShiftState
from edge.core.event import EventKind
from edge.core.order import LoginAwaited

if TYPE_CHECKING:
    from edge.accounts.people import Account, Session, Tablet
    from edge.cli.panel.desk import Desk
    from edge.control.server import Act

EVERYBODY = frozenset(Role)


class Turns:
    """The verbs of a tablet that nobody, or somebody, is logged in at."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "pair": self._pair,
            "session": self._session,
            "tiles": self._tiles,
            "login-begin": self._begin,
            "login-card": self._card,
            "login-pin": self._pin,
            "first-manager": self._first_manager,
            "handover": self._handover,
            "logout": self._logout,
        }

    async def _pair(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Pair a tablet by a code that somebody shows."""
        desk, book = self._desk, self._desk.book
        name = name_of(request.get("name"))  # first: a slip must not cost the code
        code = typed(request.get("code"))
        is_first = bool(code) and book.is_first_code(code)
        by = book.codes.use(code, desk.now().monotonic_s) if code else ""
        if not is_first and not by:
            desk.note(EventKind.LOGIN_FAILED, Who(), (("how", "code"),))
            return {"state": "wrong"}
        try:
            tablet, secret = await book.pair(name, is_first=is_first)
        except NotKeptError:
            return {"state": "unkept"}
        what = (("actor", by or "first-run"), ("what", "tablet_paired"))
        desk.note(EventKind.SETTINGS_CHANGED, Who(tablet=tablet), what)
        return {"state": "paired", "tablet": secret, "is_first": is_first}

    async def _session(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Say whose tablet and whose turn it is; ``is_quiet``: nobody pressed."""
        desk = self._desk
        tablet = desk.book.tablet_of(request.get("tablet"))
        known: dict[str, Any] = {"has_manager": desk.book.has_manager}
        if tablet is None:
            return {**known, "is_paired": False}
        turn = desk.who(request, is_own=False).session
        known |= {"is_paired": True, "is_first": tablet.is_first}
        if tablet.is_first:  # also one that restored a box whose PINs are void
            known["has_manager"] = not desk.book.needs_first
        known |= {"tablet_name": tablet.name, "has_reader": bool(desk.point)}
        if turn is None:
            return known
        if not request.get("is_quiet"):
            desk.book.sessions.use(turn, desk.now())
        return {
            **known,
            "role": turn.role.value,
            "name": turn.name,
            "account": turn.account,
            "has_shift": turn.holder in desk.controller.on_duty,
            "is_asked": desk.is_asked(turn),
        }

    async def _tiles(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return whose names stand on the tiles: those who have a PIN."""
        self._desk.who(request, is_own=is_own)
        with_pin = [a for a in self._desk.book.active if a.pin]
        order = {Role.VOLUNTEER: 0, Role.MANAGER: 1, Role.INSTALLER: 2}
        with_pin.sort(key=lambda account: (order[account.role], account.name))
        return {
            "tiles": [
                {"id": a.id, "name": a.name, "role": a.role.value} for a in with_pin
            ]
        }

    # ---- by card ----------------------------------------------------------------

    async def _begin(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Open the twenty seconds in which a card logs in at this tablet."""
        desk, tablet = self._desk, self._tablet(request)
        if not desk.point:
            return {"state": "no_reader"}
        welcome = tuple(a.holder for a in desk.book.active if a.holder)
        order = LoginAwaited(
            access_point=desk.point,
            tablet=tablet.id,
            welcome=welcome,
            actor=tablet.id,
        )
        return {"state": "busy" if desk.give(order) else "waiting"}

    async def _card(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Say how the wish stands; whoever came is logged in, once.

        With ``is_look`` nobody is logged in yet.
        """
        desk, tablet = self._desk, self._tablet(request)
        logins, now = desk.controller.house.duty.logins, desk.now()
        turn = logins.turn(tablet.id, now)
        if turn is not Turn.TAKEN or request.get("is_look"):
            return {"state": turn.value}
        holder = logins.claim(tablet.id, now)
        account = desk.book.of_holder(holder)
        if account is not None and account.is_retired:
            who = Who(tablet=tablet)
            desk.note(EventKind.LOGIN_FAILED, who, (("how", "card"),), holder=holder)
            return {"state": "retired"}
        known = desk.controller.rolls.holder(holder)
        is_manager = known is not None and Role.MANAGER.value in known.roles
        role = Role.MANAGER if is_manager else Role.VOLUNTEER
        session = await self._log_in(
            tablet,
            account,
            holder=holder,
            role=account.role if account else role,
            how="card",
        )
        return {"state": "in", "session": session, "forgot": self._forgot(holder)}

    def _forgot(self, holder: str) -> bool:
        """Say whether somebody is to be asked when a shift of his really ended."""
        shifts = self._desk.controller.house.duty.shifts.values()
        mine = (each for each in shifts if each.holder == holder)
        return any(each.state is ShiftState.TO_CONFIRM for each in mine)

    # ---- by PIN -----------------------------------------------------------------

    async def _pin(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Log in by name and PIN, unless too many were wrong."""
        desk, tablet = self._desk, self._tablet(request)
        name, pin = request.get("account"), request.get("pin")
        if not isinstance(name, str) or flaw_of(pin) == "form":
            return {"state": "form"}
        try:
            verdict = await desk.book.check_pin(name, str(pin), desk.now())
        except NotKeptError:
            return {"state": "unkept"}
        if verdict.checked is not Checked.RIGHT:
            return self._refused(tablet, name, verdict)
        account = desk.book.accounts.get(name)
        if account is None or account.is_retired:
            return {"state": "unknown"}
        if desk.is_barred(account.holder):
            facts = (("actor", name), ("how", "pin"), ("wait_min", 0))
            desk.note(EventKind.LOGIN_FAILED, Who(tablet=tablet), facts)
            return {"state": "closed"}
        session = await self._log_in(
            tablet, account, holder=account.holder, role=account.role, how="pin"
        )
        forgot = self._forgot(account.holder)
        return {"state": "in", "session": session, "forgot": forgot}

    def _refused(self, tablet: Tablet, name: str, verdict: Any) -> dict[str, Any]:
        wait = verdict.wait
        minutes = -(-wait.seconds // 60) if wait is not None else 0
        if verdict.checked is Checked.WRONG:
            facts = (("actor", name), ("how", "pin"), ("wait_min", minutes))
            self._desk.note(EventKind.LOGIN_FAILED, Who(tablet=tablet), facts)
            if wait is not None:  # from now on: told at once, and to the platform
                facts = (("actor", name), ("tries", wait.tries), ("wait_min", minutes))
                self._desk.note(EventKind.WRONG_TRIES, Who(tablet=tablet), facts)
        if wait is not None:
            return {"state": "waits", "minutes": minutes, "held": wait.held.value}
        return {"state": verdict.checked.value, "left": verdict.left}

    async def _first_manager(
        self,
        request: dict[str, Any],
        _: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Make the first manager, at the tablet that was paired by the label's code."""
        desk, tablet = self._desk, self._tablet(request)
        if not tablet.is_first or not desk.book.needs_first:
            return {"state": "done"}
        flaw = flaw_of(request.get("pin"))
        if flaw:
            return {"state": flaw}
        try:
            name = name_of(request.get("name"))
        except ValueError:
            return {"state": "name"}
        try:
            account = await desk.book.add(
                name=name, role=Role.MANAGER, pin=str(request["pin"])
            )
        except NotKeptError:
            return {"state": "unkept"}
        except ValueError:  # somebody restored has this name
            return {"state": "taken"}
        what = (("actor", account.id), ("role", "MANAGER"), ("what", "account_added"))
        desk.note(EventKind.SETTINGS_CHANGED, Who(tablet=tablet), what)
        session = await self._log_in(
            tablet, account, holder="", role=Role.MANAGER, how="first"
        )
        return {"state": "in", "session": session}

    async def _log_in(
        self,
        tablet: Tablet,
        account: Account | None,
        *,
        holder: str,
        role: Role,
        how: str,
    ) -> str:
        """Begin a turn, and a volunteer's shift with it; return its secret."""
        desk = self._desk
        has_shift = holder in desk.controller.on_duty
        if role is Role.VOLUNTEER and account is not None and not has_shift:
            has_shift = desk.shift(holder, account.id, is_start=True)
        for before in desk.book.sessions.of_tablet(tablet.id):
            desk.forget(before)
        session, secret = await desk.book.begin_turn(
            tablet,
            desk.now(),
            account=account,
            holder=holder,
            role=role,
            has_shift=has_shift,
        )
        who = Who(tablet=tablet, session=session)
        facts = (("how", how), ("role", role.value))
        desk.note(EventKind.LOGIN, who, facts, holder=holder)
        if how == "card" and role is Role.MANAGER:
            await desk.book.let_all_try()
        return secret

    # ---- the end ----------------------------------------------------------------

    async def _handover(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Answer whether the turn ends now that somebody else is on duty."""
        who = self._desk.acting(request, EVERYBODY, is_own=is_own)
        if who.session is None:
            raise ValueError("nobody is logged in at this tablet")
        if request.get("leaves"):
            return await self._end(who, who.session, ends_shift=True)
        self._desk.answer(who.session)
        return {"state": "stays"}

    async def _logout(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """End the turn, and with ``ends_shift`` the shift."""
        who = self._desk.who(request, is_own=is_own)
        if who.session is None:
            return {"state": "out"}
        is_volunteer = who.session.role is Role.VOLUNTEER
        ends = bool(request.get("ends_shift")) or is_volunteer
        return await self._end(who, who.session, ends_shift=ends)

    async def _end(
        self, who: Who, session: Session, *, ends_shift: bool
    ) -> dict[str, Any]:
        desk = self._desk
        await desk.book.end_turn(session)
        desk.forget(session)
        thanks = ends_shift and desk.end_shift(session)
        desk.note(EventKind.LOGOUT, who, holder=session.holder)
        return {"state": "out", "thanks": thanks}

    def _tablet(self, request: dict[str, Any]) -> Tablet:
        tablet = self._desk.book.tablet_of(request.get("tablet"))
        if tablet is None:
            raise ValueError("this tablet is not paired")
        return tablet
