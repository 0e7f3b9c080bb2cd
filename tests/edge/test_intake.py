# SPDX-License-Identifier: Apache-2.0
"""From the wires to the step: levels first, numbers wiped, nothing stale."""

from __future__ import annotations

import pytest

from drivers.device import CardFound, Garbled, InputChanged, Reachable
from edge.cli.doorstep import CARDS_WAITING, LEVELS_WITHIN_S
from edge.cli.intake import CARDS_AT_ONCE
from edge.core.command import HoldOpen, Indication, Release
from edge.core.event import EventKind
from edge.gateway.inbox import QUOTA
from tests.edge.entrance import BOARDS, CARDS, CODES, NUMBER, Entrance
from tests.edge.stage import settle


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
