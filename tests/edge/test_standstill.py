# SPDX-License-Identifier: Apache-2.0
"""After a standstill nothing old is acted upon, and every level is known anew."""

from __future__ import annotations

from drivers.device import (
    InputChanged,
    OrderFailed,
    Reachable,
    SetOutput,
    TamperChanged,
    Unreachable,
)
from edge.cli.doorstep import IN_LINE_AFTER_S, LEVELS_WITHIN_S, STALL_S
from edge.core.command import HoldOpen, Indication, Relock, SwitchAppliance
from edge.core.event import EventKind
from tests.edge.entrance import BOARDS, Entrance
from tests.edge.stage import settle


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
