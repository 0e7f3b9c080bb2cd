# SPDX-License-Identifier: Apache-2.0
"""People and tablets, as a manager, an installer or the command line sees to them.

The law of the module: each change is an event with its actor. Who may make others
powerful is watched: an account of a manager or an installer, and its PIN, takes a
second person's PIN as soon as there is one who could give it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.accounts.book import NotKeptError
from edge.accounts.codes import shown
from edge.accounts.people import Role, name_of
from edge.accounts.pins import flaw_of
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.accounts.people import Account
    from edge.cli.panel.desk import Desk, Who
    from edge.control.server import Act
    from edge.core.event import Facts

MANAGER = frozenset({Role.MANAGER})
KEEPERS = frozenset({Role.MANAGER, Role.INSTALLER})
MAX_HOLDER = 64


class People:
    """The verbs that change who may act."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "accounts": self._accounts,
            "account-add": self._add,
            "account-retire": self._retire,
            "account-pin": self._set_pin,
            "tablets": self._tablets,
            "tablet-retire": self._retire_tablet,
            "pair-begin": self._begin_pairing,
        }

    async def _accounts(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return everybody, those who may act first."""
        self._desk.acting(request, MANAGER, is_own=is_own)
        known = sorted(
            self._desk.book.accounts.values(),
            key=lambda each: (each.is_retired, each.role != Role.MANAGER, each.name),
        )
        on_duty = self._desk.controller.on_duty
        return {
            "accounts": [
                {
                    "id": each.id,
                    "name": each.name,
                    "role": each.role.value,
                    "has_pin": bool(each.pin),
                    "has_card": bool(each.holder),
                    "is_retired": each.is_retired,
                    "is_on_duty": each.holder in on_duty,
                }
                for each in known
            ]
        }

    async def _add(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Make an account, with a holder of the roster, a PIN, or both."""
        desk = self._desk
        who = desk.acting(request, MANAGER, is_own=is_own)
        try:
            role = Role(request.get("role") or Role.VOLUNTEER)
            name = name_of(request.get("name"))
        except ValueError:
            return {"state": "name"}
        holder, pin = (str(request.get(key) or "") for key in ("holder", "pin"))
        flaw = flaw_of(pin) if pin else ""
        if flaw or not (pin or holder):
            return {"state": flaw or "form"}
        if len(holder) > MAX_HOLDER or not holder.isprintable():
            return {"state": "holder"}
        if holder and desk.controller.rolls.holder(holder) is None:
            return {"state": "holder"}
        facts = await self._vouched(request, who, role)
        try:
            account = await desk.book.add(name=name, role=role, holder=holder, pin=pin)
        except NotKeptError:
            return {"state": "unkept"}
        except ValueError:
            return {"state": "taken"}
        facts += (("role", role.value), ("what", "account_added"))
        self._tell(who, account, facts)
        return {"state": "done", "account": account.id}

    async def _retire(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """End an account."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        account = self._named(request)
        if account is None:
            return {"state": "unknown"}
        if who.session is not None and account.id == who.session.account:
            return {"state": "self"}
        facts = await self._vouched(request, who, account.role, but=account)
        try:
            await self._desk.book.retire(account)
        except NotKeptError:
            return {"state": "unkept"}
        except ValueError:
            return {"state": "last"}
        self._tell(who, account, (*facts, ("what", "account_retired")))
        return {"state": "done"}

    async def _set_pin(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Give an account another PIN."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        account, pin = self._named(request), request.get("pin")
        if account is None:
            return {"state": "unknown"}
        flaw = flaw_of(pin)
        if flaw:
            return {"state": flaw}
        facts = await self._vouched(request, who, account.role, but=account)
        try:
            await self._desk.book.set_pin(account, str(pin))
        except NotKeptError:
            return {"state": "unkept"}
        except ValueError:
            return {"state": "unknown"}
        self._tell(who, account, (*facts, ("what", "pin_reset")))
        return {"state": "done"}

    async def _vouched(
        self,
        request: dict[str, Any],
        who: Who,
        role: Role,
        *,
        but: Account | None = None,
    ) -> Facts:
        """Have a second person agree where the role is powerful and there is one."""
        if who.is_shell or role is Role.VOLUNTEER:
            return ()
        mine = who.session.account if who.session else ""
        not_asked = {mine, but.id if but else ""}
        others = [a for a in self._desk.book.active if a.pin and a.id not in not_asked]
        if not others or (but is not None and but.id == mine):
            return ()
        return (("second", await self._desk.second(request, who)),)

    # ---- tablets ----------------------------------------------------------------

    async def _tablets(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the paired tablets, and the code that this person shows now."""
        desk = self._desk
        who = desk.acting(request, KEEPERS, is_own=is_own)
        code = desk.book.codes.open_of(who.actor, desk.now().monotonic_s)
        here = who.tablet.id if who.tablet else ""
        return {
            "tablets": [
                {"id": each.id, "name": each.name, "is_this": each.id == here}
                for each in desk.book.tablets.values()
            ],
            "code": code[0] if code else "",
            "shown": shown(code[0]) if code else "",
            "minutes": -(-code[1] // 60) if code else 0,
        }

    async def _begin_pairing(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Open a code by which one tablet is paired within ten minutes."""
        desk = self._desk
        who = desk.acting(request, KEEPERS, is_own=is_own)
        code = desk.book.codes.begin(who.actor, desk.now().monotonic_s)
        url = f"{desk.url}pair?t={code}"
        return {"state": "done", "code": code, "shown": shown(code), "url": url}

    async def _retire_tablet(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Let a tablet be a stranger's again."""
        desk = self._desk
        who = desk.acting(request, KEEPERS, is_own=is_own)
        tablet = desk.book.tablets.get(str(request.get("id")))
        if tablet is None:
            return {"state": "unknown"}
        try:
            await desk.book.retire_tablet(tablet)
        except NotKeptError:
            return {"state": "unkept"}
        what = (("what", "tablet_retired"), ("who", tablet.id))
        desk.note(EventKind.SETTINGS_CHANGED, who, what)
        return {"state": "done"}

    def _named(self, request: dict[str, Any]) -> Account | None:
        account = self._desk.book.accounts.get(str(request.get("account")))
        return None if account is None or account.is_retired else account

    def _tell(self, who: Who, account: Account, facts: Facts) -> None:
        facts = (*facts, ("who", account.id))
        self._desk.note(EventKind.SETTINGS_CHANGED, who, facts)
