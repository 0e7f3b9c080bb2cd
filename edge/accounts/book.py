# SPDX-License-Identifier: Apache-2.0
"""The accounts of one box: read once, asked in memory, each change on disk first.

The law of the module: it knows people, tablets and turns, and no door. What must not
be lost is written before it is true (a guess, an account, a tablet); a turn begins
even where the disk fails, since a volunteer stands there with a card. There is no
account that nobody made.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.accounts.checked import Checked, Verdict
from edge.accounts.codes import (
    FIRST_SIGNS,
    PairingCodes,
    hash_of,
    new_code,
)
from edge.accounts.lockout import Lockout
from edge.accounts.people import (
    MAX_ACCOUNTS,
    MAX_TABLETS,
    Account,
    Role,
    Session,
    Tablet,
)
from edge.accounts.sessions import Sessions, new_secret

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.accounts.pins import Pins
    from edge.core.moment import Moment
    from edge.storage.accounts_file import AccountStore, Entry

ACCOUNT, TABLET, SESSION, KEPT = "account", "tablet", "session", "kept"
LOCKOUT, FIRST, DOOR_NOTICE, PEPPER = "lockout", "first", "door-notice", "pepper"


class NotKeptError(ValueError):
    """The disk did not take it, so it is not so."""


class Book:
    """Who may act, at which tablets, and whose turn it is."""

    def __init__(
        self,
        pins: Pins,
        sessions: Sessions,
        store: AccountStore,
        *,
        is_new_pepper: bool = False,
    ) -> None:
        self._pins = pins
        self._is_new_pepper = is_new_pepper
        #: Whose PINs nobody can be right about: their pepper is lost.
        self._peppered: dict[str, Account] = {}
        self._store = store
        self.sessions = sessions
        #: Why the box's own accounts could not be read, and this one is empty.
        self.fault = ""
        self.codes = PairingCodes()
        self.lockout = Lockout()
        self.accounts: dict[str, Account] = {}
        self.tablets: dict[str, Tablet] = {}
        self._first = ""
        #: What a manager wants read at the door, "" for nothing.
        self.door_notice = ""

    async def load(self, now: Moment) -> None:
        """Read what is on disk; managers' and installers' turns are over."""
        over: list[Entry] = []
        mark: str | None = None
        for kind, name, body in await self._store.read():
            match kind, name:
                case "account", _:
                    self.accounts[name] = Account.load(body)
                case "tablet", _:
                    self.tablets[name] = Tablet.load(body)
                case "session", _ if body["role"] == Role.VOLUNTEER:
                    self.sessions.keep(Session.load(body), now)
                case "session", _:
                    over.append((kind, name, None))
                case _, "lockout":
                    self.lockout.load(body, now)
                case _, "door-notice":
                    self.door_notice = str(body["text"])
                case _, "first":
                    self._first = str(body["hash"])
                case _, "pepper":
                    mark = str(body["mark"])
                case _:
                    pass
        if over:
            await self._keep(*over)
        await self._see_pepper(mark)

    async def _see_pepper(self, mark: str | None) -> None:
        """Do without PINs that another pepper hashed, until one is given anew.

        They stay in the file so long: the old pepper may come back from a backup.
        """
        now = self._pins.mark
        with_pin = {each.id: each for each in self.accounts.values() if each.pin}
        is_known = not with_pin or (mark is None and not self._is_new_pepper)
        if mark == now:
            return
        if not is_known:
            self._peppered = with_pin
            emptied = {name: replace(a, pin="") for name, a in with_pin.items()}
            self.accounts |= emptied
        if mark is None or is_known:
            with suppress(NotKeptError):  # then the next start sees to it
                await self._keep((KEPT, PEPPER, {"mark": now if is_known else ""}))

    @property
    def pins_lost(self) -> int:
        """How many people need a new PIN, the pepper of theirs being lost."""
        ids = {each.id for each in self.active if not each.pin}
        return len(ids & self._peppered.keys())

    def _peppered_anew(self) -> list[Entry]:
        """Return what makes this pepper the one that counts, with its first PIN."""
        emptied = [self.accounts[name] for name in self._peppered]
        void: list[Entry] = [(ACCOUNT, each.id, each.dump()) for each in emptied]
        return [*void, (KEPT, PEPPER, {"mark": self._pins.mark})]

    @property
    def has_manager(self) -> bool:
        """Say whether somebody can set up everybody else."""
        return any(a.role is Role.MANAGER for a in self.active)

    @property
    def needs_first(self) -> bool:
        """Say whether no manager can log in with a PIN, as on a new box."""
        return not any(a.role is Role.MANAGER and a.pin for a in self.active)

    @property
    def active(self) -> tuple[Account, ...]:
        """The accounts that are not retired."""
        return tuple(a for a in self.accounts.values() if not a.is_retired)

    def of_holder(self, holder: str) -> Account | None:
        """Return whose account a holder of the roster has, retired or not."""
        mine = [a for a in self.accounts.values() if holder and a.holder == holder]
        return next((a for a in mine if not a.is_retired), mine[0] if mine else None)

    # ---- tablets ----------------------------------------------------------------

    async def new_first_code(self) -> str:
        """Return a new first-run code; the one before is void."""
        code = new_code(FIRST_SIGNS)
        await self._keep((KEPT, FIRST, {"hash": hash_of(code)}))
        self._first = hash_of(code)
        return code

    def is_first_code(self, code: str) -> bool:
        """Say whether a code is the first-run code of a box without a manager."""
        is_it = secrets.compare_digest(hash_of(code), self._first or "-")
        return is_it and not self.has_manager

    async def pair(self, name: str, *, is_first: bool = False) -> tuple[Tablet, str]:
        """Take a tablet in; return it and its secret, which is told this once.

        Of tablets that the label's code paired the last one stays: the label is read by
        whoever carries the box, and nobody else's tablet may outlive the setting up.
        """
        before = [t for t in self.tablets.values() if is_first and t.is_first]
        if len(self.tablets) - len(before) >= MAX_TABLETS:
            raise ValueError(f"{MAX_TABLETS} tablets are paired, retire one first")
        secret = new_secret()
        tablet = Tablet(
            id=f"tablet-{secrets.token_hex(4)}",
            name=name,
            secret=hash_of(secret),
            is_first=is_first,
        )
        await self._keep((TABLET, tablet.id, tablet.dump()), *self._gone(before))
        self._drop(before)
        self.tablets[tablet.id] = tablet
        return tablet, secret

    def tablet_of(self, secret: object) -> Tablet | None:
        """Return the tablet that has this secret."""
        if not isinstance(secret, str) or not secret:
            return None
        hashed = hash_of(secret)
        known = self.tablets.values()
        return next((t for t in known if t.secret == hashed), None)

    async def retire_tablet(self, tablet: Tablet) -> None:
        """Let a tablet be a stranger's again."""
        await self._keep(*self._gone([tablet]))
        self._drop([tablet])

    def _gone(self, tablets: list[Tablet]) -> list[Entry]:
        """Return what takes tablets and their turns from the file."""
        turns = [turn for each in tablets for turn in self.sessions.of_tablet(each.id)]
        gone: list[Entry] = [(TABLET, each.id, None) for each in tablets]
        return gone + [(SESSION, turn.id, None) for turn in turns]

    def _drop(self, tablets: list[Tablet]) -> None:
        for each in tablets:
            self.tablets.pop(each.id, None)
            for turn in self.sessions.of_tablet(each.id):
                self.sessions.end(turn)

    # ---- accounts ---------------------------------------------------------------

    async def add(
        self, *, name: str, role: Role, holder: str = "", pin: str = ""
    ) -> Account:
        """Make an account; with the first manager the first-run code is spent."""
        if len(self.active) >= MAX_ACCOUNTS:
            raise ValueError(f"{MAX_ACCOUNTS} accounts are there, retire one first")
        self._check_free(name, holder)
        account = Account(
            id=f"acc-{secrets.token_hex(4)}",
            name=name,
            role=role,
            holder=holder,
            pin=await self._pins.hashed(pin) if pin else "",
        )
        self._check_free(name, holder)  # again: hashing took its time
        entries = self._peppered_anew() if pin and self._peppered else []
        entries += [(ACCOUNT, account.id, account.dump())]
        tablets = [replace(t, is_first=False) for t in self.tablets.values()]
        if role is Role.MANAGER:
            entries += [(KEPT, FIRST, None)]
            entries += [(TABLET, each.id, each.dump()) for each in tablets]
        await self._keep(*entries)
        self.accounts[account.id] = account
        if role is Role.MANAGER:
            self._first = ""
            self.tablets = {each.id: each for each in tablets}
        return account

    async def retire(self, account: Account) -> None:
        """End an account: nobody logs in with it; its name stays for the records."""
        last = [a for a in self.active if a.role is Role.MANAGER]
        if last == [account]:
            raise ValueError("the last manager stays; add another one first")
        await self._change(replace(account, pin="", is_retired=True))

    async def forget(self, holder: str) -> None:
        """Know an erased person no more: his accounts end, without name and card."""
        mine = [a for a in self.accounts.values() if a.holder == holder]
        known = {each.id for each in mine}
        # From the file: a turn that has ended may still stand there.
        gone: list[Entry] = [
            (kind, name, None)
            for kind, name, body in await self._store.read()
            if kind == SESSION
            and (body["holder"] == holder or body["account"] in known)
        ]
        ended = [
            replace(each, name=each.id, holder="", pin="", is_retired=True)
            for each in mine
        ]
        kept: list[Entry] = [(ACCOUNT, each.id, each.dump()) for each in ended]
        await self._keep(*kept, *gone)
        self.accounts |= {each.id: each for each in ended}
        for turn in self.sessions.running:
            if turn.holder == holder or turn.account in known:
                self.sessions.end(turn)

    async def scour(self) -> bool:
        """Leave nothing that was forgotten in the file's log; False if it is read."""
        return await self._store.scour()

    async def set_pin(self, account: Account, pin: str) -> None:
        """Give an account another PIN; its turns end."""
        hashed = await self._pins.hashed(pin)
        fresh = self.accounts.get(account.id)
        if fresh is None or fresh.is_retired:
            raise ValueError("there is no such account")
        anew = self._peppered_anew() if self._peppered else []
        await self._change(replace(fresh, pin=hashed), *anew)

    async def check_pin(self, name: str, pin: str, now: Moment) -> Verdict:
        """Look at a PIN, unless somebody has to wait; raises NotKeptError."""
        account = self.accounts.get(name)
        if account is None or account.is_retired or not account.pin:
            return Verdict(Checked.UNKNOWN)
        wait = self.lockout.wait(name, now)
        if wait is not None:
            return Verdict(Checked.WAITS, wait=wait)
        self.lockout.charge(name, now)
        await self._keep_lockout()
        if not await self._pins.is_right(pin, account.pin):
            left = self.lockout.left(name)
            return Verdict(Checked.WRONG, left=left, wait=self.lockout.wait(name, now))
        self.lockout.was_right(name)
        with suppress(NotKeptError):
            await self._keep_lockout()
        return Verdict(Checked.RIGHT)

    async def let_all_try(self) -> None:
        """Forget all wrong PINs: a manager's card was there."""
        self.lockout.reset()
        with suppress(NotKeptError):
            await self._keep_lockout()

    # ---- turns ------------------------------------------------------------------

    async def begin_turn(
        self,
        tablet: Tablet,
        now: Moment,
        *,
        account: Account | None,
        holder: str,
        role: Role,
        has_shift: bool,
    ) -> tuple[Session, str]:
        """Begin somebody's turn at a tablet; the one before it there is over."""
        before = self.sessions.of_tablet(tablet.id)
        session, secret = self.sessions.begin(
            tablet,
            now,
            account=account,
            holder=holder,
            role=role,
            has_shift=has_shift,
        )
        for turn in before:
            self.sessions.end(turn)
        gone: list[Entry] = [(SESSION, turn.id, None) for turn in before]
        with suppress(NotKeptError):  # it then ends with the next restart
            await self._keep((SESSION, session.id, session.dump()), *gone)
        return session, secret

    async def end_turn(self, session: Session) -> None:
        """End a turn."""
        self.sessions.end(session)
        with suppress(NotKeptError):
            await self._keep((SESSION, session.id, None))

    def turn_of(
        self, tablet: Tablet, secret: object, now: Moment, on_duty: Collection[str]
    ) -> Session | None:
        """Return whose turn it is by a secret of this tablet."""
        if not isinstance(secret, str):
            return None
        session = self.sessions.find(tablet.id, secret)
        if session is None:
            return None
        if session.account:
            account = self.accounts.get(session.account)
            if account is None or account.is_retired or account.role != session.role:
                return None
        return None if self.sessions.is_over(session, now, on_duty) else session

    async def set_door_notice(self, text: str) -> None:
        """Keep what is to be read at the door; raises NotKeptError."""
        await self._keep((KEPT, DOOR_NOTICE, {"text": text} if text else None))
        self.door_notice = text

    # ---- the disk ---------------------------------------------------------------

    def _check_free(self, name: str, holder: str) -> None:
        if any(a.name == name for a in self.active):
            raise ValueError("somebody has this name already, add to it")
        if holder and any(a.holder == holder for a in self.active):
            raise ValueError("this card's holder has an account already")

    async def _change(self, account: Account, *before: Entry) -> None:
        turns = [s for s in self.sessions.running if s.account == account.id]
        gone: list[Entry] = [(SESSION, turn.id, None) for turn in turns]
        await self._keep(*before, (ACCOUNT, account.id, account.dump()), *gone)
        self.accounts[account.id] = account
        for turn in turns:
            self.sessions.end(turn)

    async def _keep_lockout(self) -> None:
        await self._keep((KEPT, LOCKOUT, self.lockout.dump()))

    async def _keep(self, *entries: tuple[str, str, dict[str, Any] | None]) -> None:
        try:
            await self._store.write(entries)
        except (sqlite3.Error, OSError) as fault:
            raise NotKeptError("the disk does not take it, nothing changed") from fault
