# SPDX-License-Identifier: Apache-2.0
"""One simulated site: street, box, network and platform, and the power of the box.

The law of the module: it holds what outlives a boot and gives each part its own
chance, drawn from the seed and the part's name, so that a fault here never changes
what is drawn there.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from cloud_sync.topics import Topics
from edge.cli.simulate import bylaws
from edge.cli.simulate.checking import CutPlace, FeedWritten, PowerLost
from edge.cli.simulate.clocks import TrueTime, WallClock
from edge.cli.simulate.clockwork import BootTime, Clockwork
from edge.cli.simulate.disk import Disk
from edge.cli.simulate.machine import Machine
from edge.cli.simulate.network import Network
from edge.cli.simulate.platform import Platform
from edge.cli.simulate.street import Street
from edge.cli.simulate.ticket_office import TicketOffice
from edge.cli.simulate.village import DAY_MS, HOUR_MS, village
from edge.cli.simulate.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.cli.simulate.village import Village
    from edge.cli.simulate.weather import Weather
    from edge.settings.site import Settings
    from firmware_sim.platform.feed import Change, Key, Row

#: Monday 23 November 2026, 0:00 and 9:00 in China.
_MIDNIGHT_MS = 1_795_363_200_000
BEGAN_MS = _MIDNIGHT_MS + 9 * HOUR_MS
#: How far a clock without a battery is off when it starts: it says 1970.
_SINCE_1970_MS = -BEGAN_MS


class SimulatedSite:
    """Everything of one run; see :class:`edge.cli.simulate.run.Run` for its course."""

    def __init__(self, settings: Settings, seed: str, weather: Weather) -> None:
        self.settings = settings
        self.seed = seed
        self.weather = weather
        self.plan = settings.plan()
        self.clockwork = Clockwork()
        self.true_time = TrueTime(self.clockwork, BEGAN_MS, weather.drift_ppm)
        self.wall = WallClock(self.true_time, has_ntp=weather.has_ntp)
        self.witness = Witness(self.clockwork, self.true_time)
        self.village = village(settings.site.id)
        self.tokens = self.village.tokens
        #: The same people by every site key that is good, and who draws among them.
        self._villages = [self.village]
        self._key_chance = self.chance("site key")
        identity = settings.gateway
        self.topics = Topics(gateway=identity.id, shard=identity.shard)
        self.platform = Platform(identity.id, identity.shard, self.chance("platform"))
        self.ticket_office = TicketOffice(
            settings.site.id, self.chance("tickets"), BEGAN_MS
        )
        self.network = Network(
            self.platform.session,
            self.clockwork,
            self.true_time,
            chance=self.chance("network"),
            weather=weather,
        )
        self.street = Street(
            settings, self.clockwork, self.witness, weather=weather, chance=self.chance
        )
        self.disk = Disk(self.chance("disk"), weather, lambda: self.clockwork.now_s)
        self.machine: Machine | None = None
        self.went_dark: Callable[[], None] = lambda: None
        self._boot: BootTime | None = None
        self.began_ms = BEGAN_MS
        #: The bookings that the platform has, as the office knows them.
        self.booked: dict[Key, Row] = {}
        self.boots = 0
        self.cuts = 0
        self._boot_chance = self.chance("boots")
        self.platform.store.heard = self._feed_written
        #: How often the social worker has spoken of a shift.
        self.words: Counter[str] = Counter()
        self._start_wall()

    def chance(self, name: str) -> Random:
        """Return the chance of one part of the run."""
        return Random(f"{self.seed} {name}")  # noqa: S311  a simulation, no secret

    def platform_midnight_ms(self, day: int) -> int:
        """Return the local midnight with which a day of the run begins."""
        return _MIDNIGHT_MS + day * DAY_MS

    def rows(self) -> list[Row]:
        """Return the feed's first revision: who lives here, and what is laid down."""
        people = self.village
        rows = people.rows()
        if bylaws.is_laid_down(self.plan):
            rows.append(self.ticket_office.key_row(self.began_ms))
        cared = [one.holder for one in people.neighbours if one.care_days]
        return rows + bylaws.policies(self.plan) + bylaws.elders(self.plan, cared)

    def plan_site_key(self, days: float) -> None:
        """Let the site's key change at some moment, in every other run."""
        at_s = self._key_chance.uniform(0, days * DAY_MS / 1000)
        if self._key_chance.random() < 0.5:
            self.clockwork.at(at_s, self._change_site_key)

    def written(self) -> Village:
        """Return the people as the office writes them: by one of the keys."""
        if len(self._villages) == 1:
            return self.village
        return self._key_chance.choice(self._villages)

    def _change_site_key(self) -> None:
        self.village = self.village.under_next_key()
        self.tokens = self.village.tokens
        self._villages.append(self.village)
        if self.machine is not None:
            self.machine.boot.call_soon(self.machine.use_site_keys)

    def calm(self, weather: Weather) -> None:
        """Change the weather of all parts at once."""
        self.weather = weather
        self.disk.weather = self.network.weather = weather
        for cable in self.street.cables.values():
            cable.weather = weather

    def boot(self) -> None:
        """Let the box start; its disk may hold it up, or its power leave at once."""
        self.boots += 1
        name = f"{self.boots:08x}"
        head_start_s = self._boot_chance.uniform(2.0, 40.0)
        self._boot = boot = BootTime(
            self.clockwork, name=name, head_start_s=head_start_s
        )
        self.disk.revive()
        self.machine = Machine(self, boot)

    def lose_power(self, place: CutPlace) -> None:
        """Let the box go dark; the street goes on."""
        self.cuts += 1
        if self._boot is not None:
            self._boot.end()  # also of a box that had only begun to start
        if self.machine is not None:
            self.machine.abandon()
        self._went_dark(place)

    def stop(self) -> None:
        """Stop the box in order."""
        if self.machine is not None and not self.machine.is_stopping:
            self.machine.stop(lambda: self._went_dark(CutPlace.ANYWHERE, orderly=True))

    def _went_dark(self, place: CutPlace, *, orderly: bool = False) -> None:
        self.machine = None
        for cable in self.street.cables.values():
            cable.listener = cable.watcher = None
        self.network.leave()
        self._start_wall()
        self.witness.tell(PowerLost, place=place, is_orderly=orderly)
        self.went_dark()

    def _feed_written(self, change: Change) -> None:
        epoch, revision = change.cursor
        self.witness.tell(
            FeedWritten, epoch=epoch, revision=revision, texts=change.texts
        )

    def _start_wall(self) -> None:
        if not self.weather.has_battery:
            self.wall.off_by_ms = _SINCE_1970_MS - int(self.clockwork.now_s * 1000)

    def close(self) -> None:
        """Give the memory back."""
        self.disk.close()
        self.platform.close()
