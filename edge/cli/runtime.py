# SPDX-License-Identifier: Apache-2.0
"""One gateway put together: storage, rules, wires, platform, control socket.

The law of the module: it builds and ends, and decides nothing. At boot the fire
release comes first, then the journal, then the roster's last good copy, then the
wires; at the end the wires go first and the journal last, in one ``finally`` each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import structlog

from cloud_sync.ports import PortFaultError
from cloud_sync.urgent import URGENT
from edge.bindings.bindings import Bindings
from edge.cli.box_key import Box
from edge.cli.box_parts import BoxParts, watch_parts
from edge.cli.community import community
from edge.cli.control_orders import carry_out, read_order
from edge.cli.courtesy import behind_doors
from edge.cli.day_book import DayBook
from edge.cli.device_lines import open_lines
from edge.cli.doorside.opening import attend, open_door_side
from edge.cli.emergency_keeper import EmergencyKeeper
from edge.cli.erasing.eraser import Eraser
from edge.cli.erasing.gateway_verbs import erasing_verbs
from edge.cli.handover import WITHOUT_DISK, Handover
from edge.cli.housekeeping import keep_house
from edge.cli.intake import Intake
from edge.cli.key_files import read_tokens
from edge.cli.keys.sealed_feed import sealed_feed
from edge.cli.keys.site_keys import number_of
from edge.cli.panel.looking import looking_acts
from edge.cli.panel.opening import acts_of, open_desk
from edge.cli.platform_line import Lent, PlatformLine, open_platform_line
from edge.cli.remote_commands import RemoteCommands, witnesses_of
from edge.cli.roster_feed import RosterFeed
from edge.cli.roster_key import roster_seal
from edge.cli.self_test import SelfTest
from edge.cli.site_wiring import wiring_of
from edge.cli.sneakernet.gateway_verbs import stick_verbs
from edge.cli.status import status
from edge.cli.supervision import Supervision
from edge.cli.sync_ports import port_faults
from edge.cli.system_clock import SystemClock, local_time
from edge.cli.tasks import running
from edge.cli.ticket.key_files import ticket_keys_of
from edge.cli.ticket_sight import TicketSight
from edge.cli.version import VERSION
from edge.cli.watchers import Watchers
from edge.cli.wires import Wires
from edge.core.chain import SALT_BYTES
from edge.core.controller import Controller
from edge.core.event import EventKind, Facts
from edge.core.stimulus import Noted
from edge.gateway.gateway import Gateway
from edge.storage.connection import open_aiosqlite
from edge.storage.journal_file import open_journal
from edge.storage.roster_file import open_roster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from cloud_sync.client import PlatformClient
    from edge.cli.last_good import LastGood
    from edge.cli.panel.desk import Desk
    from edge.control.server import Verb
    from edge.core.event import Event
    from edge.settings.site import Settings
    from edge.storage.journal import Journal

#: How long an orderly stop waits for the disk.
DRAIN_WITHIN_S = 2.0
#: … and how long it waits for the platform to acknowledge the last events.
FAREWELL_S = 1.0
#: Events of so long share a batch, a signature and an acknowledgement.
SEND_AFTER_S = 0.25

log = structlog.get_logger()


class Runtime:
    """A running gateway; ``run`` returns after an orderly stop.

    ``lost`` says why it has to do without disk, keys and platform, "" if it has them;
    ports, socket and emergency file then stand at ``home``.
    """

    def __init__(
        self,
        settings: Settings,
        state: Path,
        *,
        handover: Handover | None = None,
        home: Path | None = None,
        lost: str = "",
        faults: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        #: What is wrong with the site file, while the last good settings are in force.
        self.faults = faults
        self.lost = lost
        self._state = state
        self.has_started = False
        self._handover = handover or Handover()
        self.home = home or state
        self.box = Box(state)
        self.started_s = 0.0
        self.bindings: Bindings
        self.supervision: Supervision
        self.last_good: LastGood
        self.parts: BoxParts
        self.self_test: SelfTest
        self.clock: SystemClock
        self.journal: Journal
        self.controller: Controller
        self.gateway: Gateway
        self.feed: RosterFeed
        self.line: PlatformLine
        self.desk: Desk
        self.client: PlatformClient
        self.days: DayBook
        self.wires = Wires(self.keep_emergency)
        #: Damaged files that were set aside at this start.
        self._aside: dict[str, tuple[Path | None, str]] = {}
        self._remote: RemoteCommands
        self._alarms: list[int] = []
        self._eraser: Eraser
        self._watchers = Watchers(self.home / "control.sock", lambda: status(self))
        self._wake: asyncio.TimerHandle | None = None
        self._emergency = EmergencyKeeper(self.home / "emergency")
        #: What stood before, as its file and whoever worked last know it.
        self.remembered = self._emergency.remembered | self._handover.standing

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; raises KeyFileError and StorageError."""
        self.started_s = asyncio.get_running_loop().time()
        tokens = read_tokens(
            self._state / self.settings.keys.site,
            self.settings.site.id,
            number_of(self._state),
        )
        async with AsyncExitStack() as stack:
            await self._open_storage(stack)
            await self._open_rules(stack)
            sight = TicketSight(
                self.controller.rolls, self.clock, ticket_keys_of(self._state)
            )
            self.bindings = Bindings(wiring_of(self.settings), tokens, sight.read)
            intake = Intake(
                self.bindings,
                tokens,
                self.gateway,
                carry_out=self.wires.carry_out,
                flush=self._forget_old,
            )
            stack.callback(intake.close)
            self._open_lines(intake)
            # A roster may bring something about, and that needs its wires.
            await self._open_roster(stack)
            self._open_client(intake)
            sealed = sealed_feed(self, self._state, sight, intake)
            self._start()
            await self._open_control(stack)
            wires = self.wires.running()
            wires += [intake.beat(), self._watchers.tell_status(), self.self_test.run()]
            wires += [keep_house(self, self._state), self._eraser.run()]
            wires += [self.feed.fold_now_and_then(), attend(self.door_side)]
            wires += [self.last_good.run(), self.parts.run()]
            self.has_started = True
            log.info("started", site=self.settings.site.id, pid=os.getpid())
            async with running([] if self.lost else [self.client.run(), sealed.run()]):
                try:
                    async with running(wires):
                        with contextlib.closing(self._remote):  # before its wires
                            await stop.wait()
                        intake.close()  # the ports that close now are no news
                finally:
                    await self._stop()  # also when something failed: keep what there is
            with contextlib.suppress(PortFaultError), port_faults():
                await self.journal.settle()

    def _open_lines(self, intake: Intake) -> None:
        """Build the wires, and who listens to them; nothing is opened yet."""
        now = asyncio.get_running_loop().time
        self.supervision = Supervision(
            self.bindings, on_signals=intake.signals, on_state=intake.line, now=now
        )
        lines = open_lines(
            self.settings,
            self.home,
            on_signals=self.supervision.signals,
            on_state=self.supervision.line,
            now=now,
            wall_clock=self.local_time,
        )
        self.door_side = open_door_side(self, self.wires.send)
        intake.on_scan, indicate = self.door_side.heard, self.door_side.indicate
        self.wires.open(self.bindings, lines, self.gateway.arrive, indicate)
        self.parts, self.last_good = watch_parts(self)
        self.self_test = SelfTest(
            self.bindings,
            self.supervision,
            self.controller,
            flush=lambda port: lines[port].flush_input(),
            note=self.gateway.note,
            now=self.clock.now,
            utc_offset_ms=self.settings.site.utc_offset_hours * 3_600_000,
        )

    def local_time(self) -> datetime | None:
        """Return the site's time, None while nobody is sure of it."""
        return local_time(self.clock.now(), self.settings.site.utc_offset_hours)

    async def _open_storage(self, stack: AsyncExitStack) -> None:
        opened = await stack.enter_async_context(
            open_journal(
                self._state / "journal.db",
                new_epoch=lambda: secrets.token_hex(4),
                salt=lambda: secrets.token_bytes(SALT_BYTES),
            )
        )
        self.journal = opened.journal
        self._aside["journal"] = opened.set_aside, "damaged"

    async def _open_rules(self, stack: AsyncExitStack) -> None:
        self.clock = SystemClock(
            floor_ms=self.journal.floor_ms,
            system_error_s=self.settings.clock.system_error_s,
        )
        plan = self.settings.plan()
        self.controller = Controller(plan, next_seq=self.journal.next_seq)
        recovery = await self.journal.recover()
        self.controller.recover(recovery.state, recovery.tail)
        self.controller.emergency.assume(self.remembered)
        unsent = recovery.tail[-self.journal.waiting :] if self.journal.waiting else []
        self._alarms = [event.seq for event in unsent if event.kind in URGENT]
        self.gateway = Gateway(
            self.controller,
            self.journal,
            carry_out=self.wires.carry_out,
            now=self.clock.now,
            on_stored=self._stored,
        )
        stack.callback(self.gateway.close)
        self._remote = RemoteCommands(
            self.gateway, lambda: self.client, witnesses_of(self.settings)
        )
        self.desk = await open_desk(
            stack,
            self._state,
            self.settings,
            gateway=self.gateway,
            controller=self.controller,
            journal=self.journal,
            order=self._order,
        )

    async def _open_roster(self, stack: AsyncExitStack) -> None:
        path, seal = self._state / "roster.db", roster_seal(self._state)
        opening = open_roster(path, open_aiosqlite, seal)
        opened = await stack.enter_async_context(opening)
        self._aside["roster"] = opened.set_aside, opened.why
        self.feed = await RosterFeed.open(
            opened.store,
            self.gateway,
            [space.id for space in self.settings.space],
            self.controller.house.erasing.kept_out,
        )
        self._eraser = Eraser(
            self.controller,
            self.gateway,
            self.journal,
            self.feed,
            self._state,
            book=self.desk.book,
            refresh=lambda: self.client.refresh(),  # noqa: PLW0108  made after this
        )
        self.feed.rest = behind_doors(self.gateway)

    def _start(self) -> None:
        facts: Facts = (
            ("set", self.settings.revision),
            ("version", VERSION),
            *((("missing", self.journal.missing),) if self.journal.missing else ()),
        )
        self.gateway.do(lambda controller, now: controller.start(now, facts=facts))
        for name, (kept, why) in self._aside.items():
            if kept is not None:
                self._note_damage(name, kept, why)
        for note in (*self.line.notes, *self._handover.notes):
            self.gateway.note(note)
        self.desk.tell_fault()
        self._handover.settle(self.gateway, self.controller.emergency.standing)

    async def _open_control(self, stack: AsyncExitStack) -> None:
        verbs: dict[str, Verb] = {
            "status": lambda _: status(self),
            "self-test": self.self_test.order,
            "community": lambda _: self._community(),
        }
        private = stick_verbs(self, self.report, self.lost)
        private |= erasing_verbs(self, self._eraser, self.lost)
        private["renew"] = self.line.renew
        acts = acts_of(self.desk) | looking_acts(self, self._state, VERSION)
        await self._watchers.open(stack, verbs, private, acts)

    def _community(self) -> dict[str, Any]:
        rolls, now = self.controller.rolls, self.clock.now()
        return community(rolls.roster.tables, rolls.spaces, now)

    def _open_client(self, intake: Intake) -> None:
        self.days = DayBook(
            self.journal,
            self.home / "days.json",
            self.settings.site.utc_offset_hours * 3_600_000,
        )
        lent = Lent(
            journal=self.journal,
            gateway=self.gateway,
            feed=self.feed,
            clock=self.clock,
            days=self.days,
            report=self.report,
            order=self._remote.order,
            stood_still=intake.check_stall,
            box=self.box,
        )
        self.line = open_platform_line(
            self.settings, self._state, lent, version=VERSION
        )
        self.client = self.line.client
        for seq in self._alarms:  # of before a power cut
            self.client.alarm(seq)

    def _order(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        if self.lost and verb not in WITHOUT_DISK:
            raise ValueError(f"not without the disk ({self.lost}); mend that first")
        return carry_out(self.gateway, read_order(verb, request))

    def _note_damage(self, name: str, kept: Path, why: str) -> None:
        facts: Facts = (("kept", kept.name), ("what", why))
        note = Noted(kind=EventKind.STORAGE_FAULT, subject=name, facts=facts)
        self.gateway.note(note)

    def report(self, kind: EventKind, facts: Facts) -> None:
        """Write down a fact of the platform or its line."""
        self.gateway.note(Noted(kind=kind, subject="platform", facts=facts))

    def _stored(self, batch: Sequence[Event]) -> None:
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(SEND_AFTER_S, self._send)
        self.keep_emergency()
        self._remote.stored(batch)
        for event in batch:
            if event.kind in URGENT:
                self.client.alarm(event.seq)
        if self.has_started:
            self._eraser.look()
        self._watchers.stored(batch)
        self.desk.stored(batch)

    def _send(self) -> None:
        self._wake = None
        self.client.wake()

    def keep_emergency(self) -> None:
        """Have the emergency file say what stands, before anything else does."""
        self._emergency.keep(self.controller.emergency.standing)

    def _forget_old(self) -> None:
        """Forget what lay in wires and sockets while the process stood still."""
        self.client.stood_still()
        self.wires.flush()

    async def _stop(self) -> None:
        """Store the last events, and give the platform a moment to hear of them."""
        self.gateway.do(lambda controller, now: controller.stop(now))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WITHIN_S):
                await self.gateway.drain()
        self.client.wake()
        until_s = asyncio.get_running_loop().time() + FAREWELL_S
        while self.client.status.is_connected and self.journal.waiting:
            if asyncio.get_running_loop().time() >= until_s:
                break
            await asyncio.sleep(0.01)
        await self._emergency.settle(self.controller.emergency.standing)
        log.info("stopped", waiting=self.journal.waiting)
