# SPDX-License-Identifier: Apache-2.0
"""The site's simulated hardware in the run: doors, devices, cables, and the hand.

The law of the module: whatever touches the world goes through here, so that what it
causes is carried on at once: bytes to their cables, happenings to the witness, and
the world's next second to the clockwork. The power of the box is not its affair.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

from edge.cli.demo.hardware import hardware, port_name
from edge.cli.simulate.attention import BoardAttention, attention_to
from edge.cli.simulate.brisk_world import BriskWorld
from edge.cli.simulate.cable import Cable
from edge.cli.simulate.checking import Happened
from firmware_sim.hand import Hand
from firmware_sim.happening import Subject
from firmware_sim.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from edge.cli.simulate.attention import Attention
    from edge.cli.simulate.clockwork import Call, Clockwork
    from edge.cli.simulate.weather import Weather
    from edge.cli.simulate.witness import Witness
    from edge.settings.site import Settings
    from firmware_sim.happening import Happening

T = TypeVar("T")


class Street:
    """World, hand and cables; ``cables`` by the ports of the site file."""

    def __init__(
        self,
        settings: Settings,
        clockwork: Clockwork,
        witness: Witness,
        *,
        weather: Weather,
        chance: Callable[[str], Random],
    ) -> None:
        self.world = BriskWorld(Site.from_mapping(hardware(settings, {})))
        self.hand = Hand(self.world)
        self.cables: dict[str, Cable] = {}
        self.attention: dict[str, Attention | None] = {}
        #: What happened lately, for people who look whether something moved.
        self.heard: Callable[[Happening], None] = lambda _: None
        self._clockwork = clockwork
        self._witness = witness
        self._timer: Call | None = None
        #: When each port has something to say or to do, infinite if never.
        self._due_s: dict[str, float] = {}
        #: By the world's name of each port: its cable, and who listens to its levels.
        self._ends: dict[str, Cable] = {}
        self._by_board: dict[str, str] = {}
        for device in settings.device:
            name = port_name(device)
            self._by_board[device.id] = name
            self._due_s[name] = inf
            if device.port in self.cables:
                continue
            cable = Cable(
                name,
                clockwork,
                baud=device.baud or self.world.ports[name].baud,
                to_device=partial(self._reach_device, name),
                chance=chance(f"cable {name}"),
                weather=weather,
            )
            self.cables[device.port] = self._ends[name] = cable
            self.attention[name] = attention_to(self.world.ports[name])
        self._boards = [
            name
            for name, attention in self.attention.items()
            if isinstance(attention, BoardAttention)
        ]

    def act(self, verb: Callable[[float], T]) -> T:
        """Do something at this second (most often by ``hand``), and all it causes."""
        result = verb(self._clockwork.now_s)
        happenings = self.world.take_happenings()
        # A loop that is no door's changes without a happening: boards look anyway.
        touched = list(dict.fromkeys((*self._boards, *self._touched(happenings))))
        self._tell(happenings)
        self._carry_on(touched)
        self._wake(touched)
        return result

    def stir(self, device: str) -> None:
        """Let a driver ask its device again, though it knew all there was to know.

        For what changes no level and would meet the next poll: on a quiet day that
        may not be played for hours.
        """
        name = self._by_board[device]
        attention = self.attention[name]
        if attention is not None:
            attention.forget()
        self._wake([name])

    def _reach_device(self, name: str, data: bytes) -> None:
        attention = self.attention[name]
        now_s = self._clockwork.now_s
        if attention is not None:
            attention.asked(data, now_s)
        self.world.receive(name, data, now_s)
        self._carry_on((name,))

    def _tick(self) -> None:
        now_s = self._clockwork.now_s
        self._timer = None
        self.world.tick(now_s)
        self._carry_on([name for name, due_s in self._due_s.items() if due_s <= now_s])

    def _carry_on(self, names: Iterable[str]) -> None:
        """Let bytes leave, tell what happened, and plan the world's next second.

        ``names`` are the ports that something was done to: of all others it is known
        already when they have something to say.
        """
        now_s, world = self._clockwork.now_s, self.world
        for name in names:
            port = world.ports[name]
            due_s = port.deadline()
            if due_s is not None and due_s <= now_s:
                said = world.take_outgoing(name, now_s)
                if said:
                    self._ends[name].say(said)
                due_s = port.deadline()
            self._due_s[name] = inf if due_s is None else due_s
        self._plan()
        happenings = world.take_happenings()
        if happenings:
            self._tell(happenings)
            self._wake(self._touched(happenings))

    def _plan(self) -> None:
        due_s = min(self._due_s.values())
        for door in self.world.doors.values():
            change_s = door.next_change()
            if change_s is not None and change_s < due_s:
                due_s = change_s
        self.world.due_s = due_s
        if self._timer is not None:
            if self._timer.at_s == due_s:
                return
            self._timer.cancel()
        self._timer = self._clockwork.at(due_s, self._tick) if due_s < inf else None

    def _tell(self, happenings: tuple[Happening, ...]) -> None:
        for happening in happenings:
            self._witness.tell(Happened, happening=happening)
            self.heard(happening)
            if happening.subject is Subject.READER:
                attention = self.attention[happening.name]
                if attention is not None:
                    attention.noticed(happening)

    def _touched(self, happenings: tuple[Happening, ...]) -> list[str]:
        """Return the ports whose devices have something new to tell."""
        touched: dict[str, None] = {}
        for happening in happenings:
            match happening.subject:
                case Subject.DOOR:
                    touched |= dict.fromkeys(self._boards)
                case Subject.BOARD:
                    touched[self._by_board[happening.name]] = None
                case _:
                    touched[happening.name] = None
        return list(touched)

    def _wake(self, names: list[str]) -> None:
        """Let the lines of these ports look whether to ask again."""
        for name in names:
            watcher = self._ends[name].watcher
            if watcher is not None:
                watcher()
