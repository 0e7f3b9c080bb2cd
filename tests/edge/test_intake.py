# SPDX-License-Identifier: Apache-2.0
"""From the wires to the step: levels first, numbers wiped, nothing stale."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    CardFound,
    CardRead,
    CodeRead,
    Garbled,
    InputChanged,
    OrderFailed,
    Reachable,
    SetOutput,
    TamperChanged,
    Unreachable,
)
from drivers.secret import Secret
from edge.bindings.bindings import Bindings
from edge.bindings.tokens import TokenMaker
from edge.bindings.wiring import InputRole, WiredInput, Wiring
from edge.cli.doorstep import (
    CARDS_WAITING,
    IN_LINE_AFTER_S,
    LEVELS_WITHIN_S,
    STALL_S,
)
from edge.cli.intake import CARDS_AT_ONCE, Intake
from edge.core.command import (
    HoldOpen,
    Indicate,
    Indication,
    Release,
    Relock,
    SwitchAppliance,
)
from edge.core.event import EventKind
from edge.gateway.inbox import QUOTA
from tests.edge.stage import HandClock, Stage, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

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


@pytest.fixture
async def entrance(clock: HandClock) -> AsyncIterator[Entrance]:
    opened = Entrance(clock)
    await settle()
    yield opened
    opened.beat.cancel()
    with suppress(asyncio.CancelledError):
        await opened.beat
    opened.tokens.gate.set()
    opened.intake.close()
    await opened.until(lambda: not opened.intake._deriving)
    opened.stage.gateway.close()


async def test_scans_wait_until_every_board_has_told_its_levels(
    entrance: Entrance,
) -> None:
    entrance.code()
    await settle()
    assert entrance.shown() == [Indication.TRY_AGAIN]
    entrance.intake.signals(BOARDS, [Reachable(unit=2, detail="")])
    entrance.code()
    await settle()
    assert entrance.shown() == [Indication.TRY_AGAIN] * 2
    assert entrance.stage.released() == []
    entrance.tell_levels()
    entrance.code()
    await settle()
    assert entrance.shown()[2:] == [Indication.GRANTED]
    assert len(entrance.stage.released()) == 1


async def test_a_dead_board_keeps_the_doors_shut_for_two_seconds_at_most(
    entrance: Entrance,
) -> None:
    await entrance.clock.go(LEVELS_WITHIN_S - 0.1)
    entrance.code()
    await settle()
    assert entrance.shown() == [Indication.TRY_AGAIN]
    await entrance.clock.go(0.2)
    entrance.code()
    await settle()
    assert entrance.shown()[1:] == [Indication.GRANTED]


async def test_levels_and_the_way_out_wait_for_nothing(entrance: Entrance) -> None:
    pressed = InputChanged(unit=1, channel=2, is_active=True)
    entrance.intake.signals(BOARDS, [pressed])
    assert [type(c) for c in entrance.stage.doors()] == [Release]
    fire = InputChanged(unit=1, channel=8, is_active=False)
    entrance.intake.signals(BOARDS, [fire])
    assert entrance.stage.doors()[1:] == [HoldOpen(door="hall-door")]


async def test_a_fire_that_burns_at_the_start_is_known_before_the_first_scan(
    entrance: Entrance,
) -> None:
    entrance.tell_levels(is_fire=True)
    entrance.code()
    await settle()
    kinds = entrance.stage.kinds()
    fire, grant = EventKind.EMERGENCY_STARTED, EventKind.ACCESS_GRANTED
    assert kinds.index(fire) < kinds.index(grant)
    assert HoldOpen(door="hall-door") in entrance.stage.doors()


async def test_a_card_becomes_its_token_in_a_worker_and_its_number_dies(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    buffer = entrance.card()
    await entrance.until(lambda: EventKind.ACCESS_GRANTED in entrance.stage.kinds())
    [thread] = entrance.tokens.threads
    assert thread.startswith("scrypt")
    assert entrance.tokens.numbers[0] is buffer
    assert buffer == bytes(len(NUMBER))
    [granted] = [
        e for e in entrance.stage.journal.stored if e.kind is EventKind.ACCESS_GRANTED
    ]
    assert (granted.person.holder, granted.fact("kind")) == ("h1", "ID_CARD")


async def test_two_cards_are_derived_at_once_and_eight_may_wait(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    entrance.tokens.gate.clear()
    kept = [entrance.card() for _ in range(CARDS_WAITING)]
    await entrance.until(lambda: len(entrance.tokens.threads) == CARDS_AT_ONCE)
    ninth = entrance.card()
    assert ninth == bytes(len(NUMBER)), "its number was left in memory"
    assert entrance.shown() == [Indication.TRY_AGAIN]
    assert len(entrance.tokens.threads) == CARDS_AT_ONCE
    entrance.tokens.gate.set()
    await entrance.until(lambda: len(entrance.shown()) == 1 + CARDS_WAITING)
    assert len(set(entrance.tokens.threads)) == CARDS_AT_ONCE
    assert kept == [bytes(len(NUMBER))] * CARDS_WAITING
    # There is room again.
    entrance.card()
    await entrance.until(lambda: len(entrance.shown()) == 2 + CARDS_WAITING)


@pytest.mark.parametrize("fault", [MemoryError(), ValueError("memory limit exceeded")])
async def test_a_card_that_cannot_be_derived_is_asked_for_again(
    entrance: Entrance, fault: Exception
) -> None:
    entrance.tell_levels()
    entrance.tokens.faults.append(fault)
    buffer = entrance.card()
    await entrance.until(lambda: bool(entrance.shown()))
    assert entrance.shown() == [Indication.TRY_AGAIN]
    assert buffer == bytes(len(NUMBER))
    assert EventKind.ACCESS_GRANTED not in entrance.stage.kinds()


async def test_closing_wipes_the_cards_that_nobody_came_to(entrance: Entrance) -> None:
    entrance.tell_levels()
    entrance.tokens.gate.clear()
    buffers = [entrance.card() for _ in range(CARDS_WAITING)]
    await entrance.until(lambda: len(entrance.tokens.threads) == CARDS_AT_ONCE)
    entrance.intake.close()
    entrance.tokens.gate.set()
    await entrance.until(lambda: not entrance.intake._deriving)
    assert buffers == [bytes(len(NUMBER))] * CARDS_WAITING
    assert len(entrance.tokens.threads) == CARDS_AT_ONCE


async def test_a_scan_beyond_the_quota_is_asked_for_again(entrance: Entrance) -> None:
    entrance.tell_levels()
    for number in range(QUOTA + 1):
        entrance.code(b"stranger %d" % number)
    assert entrance.shown() == [Indication.TRY_AGAIN]


async def test_a_reader_that_cries_card_all_day_silences_no_other(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    found: list[CardFound] = [CardFound(unit=0)] * (3 * QUOTA)
    entrance.intake.signals(CARDS, [*found])
    entrance.code()
    await settle()
    assert entrance.shown().count(Indication.READING) == QUOTA
    assert entrance.shown()[-1] is Indication.GRANTED


async def test_a_fault_of_a_device_is_noted(entrance: Entrance) -> None:
    garbled = Garbled(unit=0, raw=b"\xff", why="checksum")
    entrance.intake.signals(CODES, [garbled])
    await settle()
    [noted] = entrance.stage.journal.stored
    assert (noted.kind, noted.subject) == (EventKind.DEVICE_FAULT, "scanner")


async def test_after_a_standstill_nothing_old_is_acted_upon(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    entrance.code()  # it waits for the step when the process is stopped
    entrance.clock.now_s += 30.0
    entrance.code()  # it lay in the port's buffer
    await settle()
    assert entrance.flushes == 1
    assert entrance.shown() == []
    assert entrance.stage.released() == []
    stalled = [e for e in entrance.stage.journal.stored if e.kind is EventKind.STALLED]
    assert [(e.subject, e.fact("stall_ms")) for e in stalled] == [("gateway", 30_000)]


async def test_after_a_standstill_the_levels_are_read_before_the_next_scan(
    entrance: Entrance,
) -> None:
    """The boards then tell their inputs, but not once more that they answer."""
    entrance.tell_levels()
    await entrance.clock.stall(STALL_S + 1)
    assert entrance.flushes == 1, "the beat alone notices it"
    entrance.code()
    await settle()
    assert entrance.shown() == [Indication.TRY_AGAIN]
    told = InputChanged(unit=1, channel=1, is_active=True)
    entrance.intake.signals(BOARDS, [told])
    entrance.code()
    await settle()
    assert entrance.shown()[1:] == [Indication.GRANTED]


async def test_after_a_standstill_a_silent_board_is_waited_for_two_seconds(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    await entrance.clock.stall(STALL_S + 1)
    await entrance.clock.go(LEVELS_WITHIN_S + 0.1)
    assert entrance.flushes == 1
    entrance.code()
    await settle()
    assert entrance.shown() == [Indication.GRANTED]


async def test_who_answers_and_who_does_not_survives_a_standstill(
    entrance: Entrance,
) -> None:
    """No driver says it twice, and under fire a returning board must be held open."""
    entrance.tell_levels(is_fire=True)
    entrance.intake.signals(BOARDS, [Unreachable(unit=1, why="cut")])
    await settle()
    entrance.stage.carried.clear()
    entrance.clock.now_s += 30.0
    stale = InputChanged(unit=1, channel=2, is_active=True)
    prised = TamperChanged(unit=1, is_tampered=True, why="opened")
    entrance.intake.signals(BOARDS, [stale, prised, Reachable(unit=1, detail="")])
    await settle()
    assert entrance.stage.doors() == [HoldOpen(door="hall-door")]
    kinds = entrance.stage.kinds()
    assert kinds[-2:] == [EventKind.DEVICE_TAMPERED, EventKind.DEVICE_ONLINE]
    assert EventKind.REQUEST_TO_EXIT not in kinds


async def test_a_hiccup_of_less_than_two_seconds_is_no_standstill(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    await entrance.clock.stall(STALL_S - 0.2)
    entrance.code()
    await settle()
    assert entrance.flushes == 0
    assert entrance.shown() == [Indication.GRANTED]


async def test_a_stove_whose_board_did_not_take_its_off_is_put_off_again(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    entrance.stage.carried.clear()
    off = SetOutput(unit=2, channel=2, is_on=False)
    entrance.intake.signals(BOARDS, [OrderFailed(unit=2, order=off, why="no answer")])
    assert entrance.stage.carried == []
    await entrance.clock.go(IN_LINE_AFTER_S + 0.1)
    put_off = SwitchAppliance(appliance="stove", is_on=False, cause=0)
    assert entrance.stage.carried == [Relock(door="shed-door"), put_off]


async def test_after_a_standstill_no_stove_is_left_as_it_was(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    await entrance.clock.stall(STALL_S + 1)
    entrance.stage.carried.clear()
    await entrance.clock.go(IN_LINE_AFTER_S + 0.1)
    put_off = SwitchAppliance(appliance="stove", is_on=False, cause=0)
    assert put_off in entrance.stage.carried


async def test_a_card_whose_token_comes_after_a_standstill_opens_nothing(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    entrance.tokens.gate.clear()
    entrance.card()
    await entrance.until(lambda: len(entrance.tokens.threads) == 1)
    await entrance.clock.stall(30.0)
    entrance.intake.signals(BOARDS, [InputChanged(unit=1, channel=1, is_active=True)])
    entrance.tokens.gate.set()
    await entrance.until(lambda: bool(entrance.shown()))
    assert entrance.shown() == [Indication.TRY_AGAIN]
    assert entrance.stage.released() == []
