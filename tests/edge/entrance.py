# SPDX-License-Identifier: Apache-2.0
"""An entrance: a doorstep whose wires the test plays, before a stage's gateway."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.device import CardRead, CodeRead, InputChanged, Reachable
from drivers.secret import Secret
from edge.bindings.bindings import Bindings
from edge.bindings.tokens import TokenMaker
from edge.bindings.wiring import InputRole, WiredInput, Wiring
from edge.cli.intake import Intake
from edge.core.command import Indicate, Indication
from tests.edge.stage import HandClock, Stage, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.credential import Credential

NUMBER = b"990001195001010015"
GUEST = b"MS1:guest"
CARDS, CODES, BOARDS = "ports/cards", "ports/codes", "ports/boards"
WIRING = Wiring(
    places={
        "card-reader": (CARDS, 0),
        "scanner": (CODES, 0),
        "board": (BOARDS, 1),
        "strikes": (BOARDS, 2),
    },
    access_points={"card-reader": "front", "scanner": "yard"},
    inputs={
        ("board", 1): WiredInput(
            role=InputRole.CONTACT, of="hall-door", is_yes_when_closed=False
        ),
        ("board", 2): WiredInput(
            role=InputRole.EXIT_BUTTON, of="hall-door", is_yes_when_closed=True
        ),
        ("board", 8): WiredInput(role=InputRole.FIRE, of="", is_yes_when_closed=False),
    },
    strikes={"hall-door": ("board", 1), "shed-door": ("strikes", 1)},
    appliances={"stove": ("strikes", 2)},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedTokens(TokenMaker):
    """Derives tokens once the gate is open; knows which thread came for which."""

    gate: threading.Event = field(default_factory=threading.Event)
    threads: list[str] = field(default_factory=list)
    numbers: list[bytearray] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def id_card(self, number: bytearray) -> Credential:
        self.threads.append(threading.current_thread().name)
        self.numbers.append(number)
        self.gate.wait(20)
        if self.faults:
            raise self.faults.pop()
        return TokenMaker.id_card(self, number)


class Entrance:
    """An intake before a stage's gateway."""

    def __init__(self, clock: HandClock) -> None:
        self.tokens = GatedTokens(
            site_id="stage-1", site_key=bytes(32), epoch_salt=bytes(16)
        )
        self.tokens.gate.set()
        known = TokenMaker.id_card(self.tokens, bytearray(NUMBER)).token
        guest = self.tokens.code(GUEST).token
        self.clock = clock
        self.stage = Stage(clock, is_prompt=True, known={1: known, 2: guest})
        self.flushes = 0
        self.intake = Intake(
            Bindings(WIRING, self.tokens),
            self.tokens,
            self.stage.gateway,
            carry_out=self.stage.carry_out,
            flush=self._flush,
        )
        self.beat = asyncio.ensure_future(self.intake.beat())

    def _flush(self) -> None:
        self.flushes += 1

    def shown(self) -> list[Indication]:
        """Return what the readers showed, in order."""
        carried = self.stage.carried
        return [c.indication for c in carried if isinstance(c, Indicate)]

    def tell_levels(self, *, is_fire: bool = False) -> None:
        """Let both boards come up, one with all its inputs at rest."""
        levels = {1: True, 2: False, 8: not is_fire}
        self.intake.signals(
            BOARDS,
            [
                *(
                    InputChanged(unit=1, channel=channel, is_active=is_closed)
                    for channel, is_closed in levels.items()
                ),
                Reachable(unit=1, detail=""),
                Reachable(unit=2, detail=""),
            ],
        )

    def code(self, payload: bytes = GUEST) -> None:
        """Hold a code before the scanner."""
        self.intake.signals(CODES, [CodeRead(unit=0, payload=payload)])

    def card(self, number: bytes = NUMBER) -> bytearray:
        """Lay an identity card on the reader; returns where its number lies."""
        buffer = bytearray(number)
        self.intake.signals(CARDS, [CardRead(unit=0, secret=Secret(buffer))])
        return buffer

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the worker threads, which keep their own time."""
        for _ in range(2_000):
            if is_so():
                await settle()
                return
            await asyncio.get_running_loop().run_in_executor(None, _moment)
        raise AssertionError("it never came to it")


def _moment() -> None:
    threading.Event().wait(0.005)
