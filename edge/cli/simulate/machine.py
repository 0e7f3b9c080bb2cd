# SPDX-License-Identifier: Apache-2.0
"""One boot of the gateway: everything that a power cut ends.

The law of the module: the parts are the real ones and are put together in the order
of :mod:`edge.cli.runtime`: journal, rules, fire release, wires, roster, platform. The
wires are there before the roster, since a roster that is adopted under fire already
makes the rules hold doors. It decides nothing, and what it knows beyond the disk dies
with it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from cloud_sync.ports import PortFaultError, Ports
from cloud_sync.session import SyncSession
from drivers.registry import DRIVERS, build
from edge.bindings.bindings import Bindings
from edge.bindings.ticket_keys import TicketKeys
from edge.cli.device_lines import units_of
from edge.cli.remote_commands import RemoteCommands
from edge.cli.roster_feed import RosterFeed
from edge.cli.simulate.checking import Booted, CarriedOut, CutPlace
from edge.cli.simulate.clocks import SimulatedClock
from edge.cli.simulate.clockwork import finished, spawn
from edge.cli.simulate.doorstep import SimulatedDoorstep
from edge.cli.simulate.emergency_memory import EmergencyMemory
from edge.cli.simulate.ledgers import SlowJournal
from edge.cli.simulate.line import Line
from edge.cli.simulate.talk import Talk
from edge.cli.simulate.watched import WatchedController
from edge.cli.site_wiring import wiring_of
from edge.cli.supervision import Supervision
from edge.cli.sync_ports import ClockForSync, JournalForSync, port_faults
from edge.cli.ticket_sight import TicketSight
from edge.core.chain import SALT_BYTES
from edge.core.command import Indicate, OpenCompartment, Release
from edge.core.event import EventKind
from edge.core.stimulus import Noted, OpenRefused, SiteKeysHeld
from edge.gateway.gateway import Gateway
from edge.storage.journal import Journal
from edge.storage.roster import RosterStore
from edge.storage.seal import KEY_BYTES, NONCE_BYTES, RosterSeal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.cli.simulate.clockwork import BootTime, BootTimer
    from edge.cli.simulate.site import SimulatedSite
    from edge.cli.system_clock import SystemClock
    from edge.core.command import Command
    from edge.core.event import Event, Facts
    from edge.core.stimulus import Stimulus

#: The roof's own rhythm of consulting the kernel and writing the acknowledged mark.
KEEP_HOUSE_EVERY_S = 30.0
#: So few that trimming is part of every simulated day.
JOURNAL_EVENTS = 1_000
#: Writing the emergency file takes its time, off the loop.
EMERGENCY_WRITE_S = 0.02
#: No secret: what is simulated is nobody.
ROSTER_KEY = bytes(KEY_BYTES)


class Machine:
    """A running gateway, from power to power cut."""

    def __init__(self, site: SimulatedSite, boot: BootTime) -> None:
        self.boot = boot
        self.is_stopping = False
        self.talk: Talk
        self._site = site
        self._send_timer: BootTimer | None = None
        self._house_timer: BootTimer | None = None
        self._open_rules()
        self._open_lines()
        self._open_platform()
        self._start()

    # -- building --------------------------------------------------------------------

    def _open_rules(self) -> None:
        site, boot = self._site, self.boot
        disk, chance = site.disk, site.chance(f"boot {boot.name}")
        self.journal: Journal = finished(
            Journal.open(
                disk.journal,
                disk.journal,
                new_epoch=lambda: chance.randbytes(4).hex(),
                salt=lambda: chance.randbytes(SALT_BYTES),
            )
        )
        self.clock = SimulatedClock(boot, site.wall, floor_ms=self.journal.floor_ms)
        self.controller = WatchedController(
            site.plan, next_seq=self.journal.next_seq, witness=site.witness
        )
        site.witness.tell(
            Booted,
            boot=boot.name,
            epoch=self.journal.epoch,
            next_seq=self.journal.next_seq,
        )
        recovery = finished(self.journal.recover())
        self.controller.recover(recovery.state, recovery.tail)
        self._emergency = EmergencyMemory(self.controller, disk)
        self._emergency.recall()
        self._slow = SlowJournal(self.journal, disk, boot, site.witness)
        self.gateway = Gateway(
            self.controller,
            self._slow,
            carry_out=self.carry_out,
            now=self.clock.now,
            on_stored=self._stored,
            loop=boot,
        )
        self._remote = RemoteCommands(self.gateway, lambda: self.talk)

    def _open_platform(self) -> None:
        site, boot = self._site, self.boot
        nonces = site.chance(f"roster {boot.name}").randbytes
        seal = RosterSeal(ROSTER_KEY, lambda: nonces(NONCE_BYTES))
        store = finished(RosterStore.open(site.disk.roster, seal))
        opening = RosterFeed.open(store, self.gateway, site.plan.spaces)
        self.feed: RosterFeed = finished(opening)
        chance = site.chance(f"talk {boot.name}")
        clock = cast("SystemClock", self.clock)  # the same four verbs, no machine
        session = SyncSession(
            topics=site.topics,
            keys=site.platform.keys,
            firmware="0.1.0",
            new_nonce=lambda: chance.randbytes(16).hex(),
            chance=chance.random,
            capabilities=("delta",),
        )
        ports = Ports(
            journal=JournalForSync(self.journal, self.gateway),
            feed=self.feed,
            clock=ClockForSync(clock, self.gateway.note),
            report=self._report,
            order=self._remote.order,
            stood_still=self.doorstep.check_stall,
        )
        self.talk = Talk(
            session,
            ports,
            site.network,
            boot,
            chance=chance,
            is_busy=lambda: bool(self.gateway.unstored),
        )

    def _open_lines(self) -> None:
        site, boot = self._site, self.boot
        sight = TicketSight(self.controller.rolls, self.clock, TicketKeys(keys=()))
        self.bindings = Bindings(wiring_of(site.settings), site.tokens, sight.read)
        self.doorstep = SimulatedDoorstep(
            self.bindings,
            site.tokens,
            self.gateway,
            boot,
            carry_out=self.carry_out,
            flush=self._flush,
        )
        self.supervision = Supervision(
            self.bindings,
            on_signals=self.doorstep.signals,
            on_state=self.doorstep.line,
            now=boot.time,
        )
        self.lines: dict[str, Line] = {}
        for port, cable in site.street.cables.items():
            devices = [d for d in site.settings.device if d.port == port]
            driver = devices[0].driver
            if driver not in DRIVERS:
                continue
            self.lines[port] = Line(
                cable,
                build(driver, units_of(devices)),
                site.street.attention[cable.port],
                boot,
                on_signals=partial(self.supervision.signals, port),
                on_state=partial(self.supervision.line, port),
            )

    def _start(self) -> None:
        journal = self.journal
        facts: Facts = (("set", self._site.settings.revision), ("version", "0.1.0"))
        if journal.missing:
            facts += (("missing", journal.missing),)
        self.gateway.do(lambda controller, now: controller.start(now, facts=facts))
        self.use_site_keys()
        for line in self.lines.values():
            line.run()
        self._keep_house()
        self.talk.begin()

    def use_site_keys(self) -> None:
        """Make tokens by the keys that lie on the disk, and tell which they are."""
        tokens = self._site.tokens
        self.doorstep.use(tokens)
        former = tuple(each.number for each in tokens.former)
        held = SiteKeysHeld(current=tokens.number, former=former)
        self.gateway.do(lambda controller, now: controller.handle(held, now))

    # -- what commands lead to -------------------------------------------------------

    def carry_out(self, command: Command) -> None:
        """Let a command reach its wire."""
        site = self._site
        is_opening = isinstance(command, Release | OpenCompartment)
        if is_opening:
            site.disk.plan.pass_by(CutPlace.BEFORE_RELEASE)
        site.witness.tell(CarriedOut, command=command)
        if isinstance(command, Indicate):
            for port, shown in self.bindings.shown(command):
                if self.lines[port].is_open:
                    self.lines[port].order(shown)
            return
        self._keep_emergency()
        port, wish = self.bindings.order(command)
        line = self.lines[port]
        if line.is_open:
            line.order(wish)
        elif isinstance(command, OpenCompartment):
            self.boot.call_soon(partial(self._refuse, command))
        if is_opening:
            site.disk.plan.pass_by(CutPlace.AFTER_RELEASE)

    def _refuse(self, wish: OpenCompartment) -> None:
        refused = OpenRefused(bank=wish.bank, number=wish.number, cause=wish.cause)
        self.gateway.arrive(refused)

    def _keep_emergency(self) -> None:
        if self._emergency.wants_write:
            self.boot.call_later(EMERGENCY_WRITE_S, self._emergency.write)

    def _stored(self, batch: Sequence[Event]) -> None:
        if self._send_timer is None:
            self._send_timer = self.boot.call_later(
                self._site.weather.send_after_s, self._send
            )
        self._keep_emergency()
        self._remote.stored(batch)

    def _send(self) -> None:
        self._send_timer = None
        self.talk.wake()
        self.keep_house_soon()

    def _report(self, kind: EventKind, facts: Facts) -> None:
        self.gateway.note(Noted(kind=kind, subject="platform", facts=facts))

    def _flush(self) -> None:
        self.talk.stood_still()
        for line in self.lines.values():
            line.flush_input()

    # -- the house -------------------------------------------------------------------

    def keep_house_soon(self) -> None:
        """See to the house at the next point of its rhythm: something changed.

        The real roof looks every 30 s; in between nothing would have changed.
        """
        if self._house_timer is None:
            now_s = self.boot.time()
            rest_s = KEEP_HOUSE_EVERY_S - now_s % KEEP_HOUSE_EVERY_S
            self._house_timer = self.boot.call_later(rest_s, self._keep_house)

    def _keep_house(self) -> None:
        self._house_timer = None
        step_ms = self.clock.consult_kernel()
        if step_ms:
            facts: Facts = (("step_ms", step_ms),)
            kind = EventKind.CLOCK_STEPPED
            self.gateway.note(Noted(kind=kind, subject="gateway", facts=facts))
        self._keep_emergency()
        try:
            with port_faults():
                finished(self.journal.settle())
                if self.journal.count > 2 * JOURNAL_EVENTS:
                    finished(self.journal.trim(JOURNAL_EVENTS))
        except PortFaultError:
            self.keep_house_soon()

    def give_order(self, order: Stimulus) -> None:
        """Let somebody in charge order something, as the control socket does."""
        self.gateway.do(lambda controller, now: controller.handle(order, now))

    # -- the end ---------------------------------------------------------------------

    def stop(self, then: Callable[[], None]) -> None:
        """Stop in order: say so, store it, tell the platform, leave the wires."""
        self.is_stopping = True
        self._remote.close()
        self.doorstep.close()
        for line in self.lines.values():
            line.close()
        self.gateway.do(lambda controller, now: controller.stop(now))
        spawn(self.boot, self.gateway.drain(), partial(self._farewell, then))

    def _farewell(self, then: Callable[[], None]) -> None:
        self.talk.wake()
        self.boot.call_later(1.0, partial(self._end, then))

    def _end(self, then: Callable[[], None]) -> None:
        self.talk.leave()
        self._emergency.write()
        # The platform's next hello heals a mark that was not kept.
        with suppress(PortFaultError), port_faults():
            finished(self.journal.settle())
        self.boot.end()
        then()

    def abandon(self) -> None:
        """Go dark: nothing is said, stored or ended."""
        self.boot.end()
        for line in self.lines.values():
            line.abandon()
        self._site.network.leave()
