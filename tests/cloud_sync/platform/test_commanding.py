# SPDX-License-Identifier: Apache-2.0
"""Wishes become commands, and each is done once at the most, whatever gets lost."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform import registry
from cloud_sync.platform.commanding import (
    wishes,
)
from cloud_sync.platform.commanding.commander import AT_ONCE, TRIES
from cloud_sync.platform.commanding.wishes import OPENS_A_SITE
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import EmergencyOrdered
from edge.core.remote.command import Action
from tests.cloud_sync.platform.far_gateway import FarGateway
from tests.cloud_sync.platform.office import DOOR, DRAWN, Office

if TYPE_CHECKING:
    from tests.cloud_sync.platform.desk import Desk


async def test_a_wish_is_signed_at_once_and_followed_to_its_end(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    assert await office.state(number) == "waiting"
    assert await office.send() == 1
    assert office.far.executed() == ["open"]
    assert await office.state(number) == "actuated"
    office.far.stage.swing(DOOR, is_open=True)
    office.far._write()
    await office.carry()
    assert await office.state(number) == "confirmed"
    assert await office.due() == []


async def test_whoever_hears_a_gateway_and_whoever_signs_never_block_each_other(
    office: Office,
) -> None:
    await office.greet()
    first, second = await office.wish(), await office.wish()
    held = "UPDATE wish SET told_ms = told_ms WHERE id = ?1"
    async with office.database.writing() as work:
        await work.execute(held, first)
        signing = asyncio.create_task(office.due())
        await asyncio.sleep(0.3)  # the newer one is signed, the older one waited for
        await work.execute(held, second)
    assert len(await signing) == 2


async def test_it_waits_for_a_gateway_that_is_away_and_not_for_ever(
    office: Office,
) -> None:
    first = await office.wish()
    assert await office.due() == []
    office.wait(30.0)
    await office.greet()
    assert await office.send() == 1
    assert await office.state(first) == "actuated"
    office.far.disconnect()
    async with office.database.writing() as work:
        await work.execute("DELETE FROM connection")
    second = await office.wish()
    office.wait(61.0)
    assert await office.due() == []
    assert await office.state(second) == "expired"
    await office.greet()
    assert await office.send() == 0


async def test_a_hello_that_is_not_answered_yet_believes_nothing(
    office: Office,
) -> None:
    await office.wish()
    office.far.connect()
    [hello] = office.far.take_sent()
    await office.desk.reception.receive([(hello.topic, hello.payload)], office.now_ms)
    assert await office.due() == []


async def test_a_command_lost_with_its_connection_is_signed_anew_once(
    office: Office,
) -> None:
    await office.greet()
    number = await office.wish()
    assert len(await office.due()) == 1  # and lost
    assert await office.due() == []
    office.far.disconnect()
    await office.greet()
    assert await office.send() == 1
    assert office.far.executed() == ["open"]
    assert await office.state(number) == "actuated"


async def test_done_and_its_word_lost_it_is_not_done_again(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    [sent] = await office.due()
    office.far.receive(sent.topic, sent.payload)
    assert office.far.executed() == ["open"]
    office.far.disconnect()  # with all its words
    office.far.journal, kept = [], office.far.journal
    await office.greet_alone()  # its hello knows nothing of it yet: a slow disk
    assert await office.send() == 1, "the platform cannot know"
    assert office.far.executed() == ["open"], "and the gateway does"
    office.far.journal = kept
    office.far.disconnect()
    await office.greet()
    office.far.tick(1.0)
    await office.carry()
    assert await office.state(number) == "actuated"


async def test_a_gateway_that_does_not_know_wishes_is_told_once(desk: Desk) -> None:
    office = Office(desk, FarGateway(capabilities=("cmd",)))
    await office.hire()
    await office.greet()
    number = await office.wish()
    assert len(await office.due()) == 1  # and lost
    office.far.disconnect()
    await office.greet()
    assert await office.due() == []
    office.wait(61.0)
    assert await office.due() == []
    assert await office.state(number) == "unheard"


async def test_on_one_connection_it_is_tried_a_few_times(office: Office) -> None:
    await office.greet()
    await office.wish(Action.REVOKE_NOW, holder="holder-li")
    tries = []
    for _ in range(8):
        tries.append(len(await office.due()))
        office.wait(33.0)
    assert tries == [1] * TRIES + [0] * (8 - TRIES)


async def test_what_waits_long_holds_up_nobody(office: Office) -> None:
    async with office.database.writing() as work:
        await registry.register(work, "gw-away", "01", "", office.now_ms)
    await office.greet()
    for number in range(AT_ONCE):
        away = {"gateway": "gw-away", "holder": f"h-{number}"}
        await office.wish(Action.REVOKE_NOW, **away)
    await office.wish()
    await office.wish(Action.REVOKE_NOW, gateway="gw-away", holder="h-1")
    assert await office.send() == 1


async def test_unknown_is_the_end_of_an_opening(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    office.far.dies_at = 1
    await office.send()
    await office.greet()
    await office.carry()
    assert await office.state(number) == "unknown"
    assert await office.send() == 0
    assert office.far.executed() == []


async def test_what_may_be_done_twice_begins_anew_after_unknown(office: Office) -> None:
    await office.greet()
    number = await office.wish(Action.REVOKE_NOW, holder="holder-li")
    office.far.dies_at = 1
    await office.send()
    await office.greet()
    await office.carry()
    assert await office.send() == 1
    assert await office.state(number) == "actuated"
    assert office.far.executed() == ["revoke_now"]


async def test_a_rejection_is_told_with_its_reason(office: Office) -> None:
    await office.greet()
    fire = EmergencyOrdered(state=EmergencyState.LOCK_DOWN, actor="luo", reason="x")
    office.far.stage.do(fire)
    number = await office.wish()
    await office.send()
    async with office.database.reading() as work:
        state, why = await wishes.state_of(work, number)
    assert state == "rejected"
    assert why.startswith("EMERGENCY: LOCK_DOWN stands")


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_gets_lost_nothing_is_done_twice(
    office: Office, seed: int
) -> None:
    rng, far = random.Random(DRAWN + seed), office.far
    print(f"seed {DRAWN + seed}")
    await office.greet()
    wished: list[int] = []
    for _ in range(25):
        match rng.choice(("wish", "due", "due", "lose", "up", "lost", "line", "die")):
            case "wish" if len(wished) < OPENS_A_SITE:
                wished.append(await office.wish())
            case "due":
                await office.send()
            case "lose":
                await office.due()
            case "lost":  # it arrives, and no word of it comes back
                for each in await office.due():
                    far.receive(each.topic, each.payload)
                far.take_sent()
                far.disconnect()
            case "die":
                far.dies_at = rng.choice((0, 1))
            case "up":
                await office.carry()
            case "line":
                far.disconnect()
            case _:
                pass
        if far.needs_connection:
            await rng.choice((office.greet, office.greet_alone))()
        office.wait(rng.choice((0.1, 1.0, 6.0, 13.0)))
    office.wait(70.0)
    far.disconnect()
    await office.greet()
    far.tick(1.0)
    await office.carry()
    await office.due()
    async with office.database.reading() as work:
        rows = await work.fetch("SELECT jti, wish FROM command")
    wish_of = dict(tuple(row) for row in rows)
    done = far.events(EventKind.COMMAND_EXECUTED)
    of_wish = [wish_of[str(event.fact("jti"))] for event in done]
    assert len(of_wish) == len(set(of_wish)), "a wish was done twice"
    ends = {number: await office.state(number) for number in wished}
    for number in of_wish:
        assert ends[number] in {"actuated", "confirmed"}, ends
    assert "waiting" not in ends.values()


@pytest.mark.parametrize(
    "altered",
    [
        'fields = \'{"door":"front-door"}\'',
        "reason = 'nobody said so'",
        'action = \'mode\', fields = \'{"door":"kitchen-door","mode":"LOCKED"}\'',
    ],
)
async def test_an_operator_s_word_is_good_for_his_own_wish_alone(
    office: Office, altered: str
) -> None:
    number = await office.wish()
    async with office.database.writing() as work:
        await work.execute(f"UPDATE wish SET {altered} WHERE id = ?1", number)  # noqa: S608  our words
    await office.greet()
    assert await office.send() == 0
    assert await office.state(number) == "forged"


async def test_an_operator_s_word_of_yesterday_opens_nothing_today(
    office: Office,
) -> None:
    number = await office.wish()
    office.wait(86_400)
    async with office.database.writing() as work:
        await work.execute(
            "UPDATE wish SET until_ms = ?2 WHERE id = ?1",
            number,
            office.now_ms + 60_000,
        )
    await office.greet()
    assert await office.send() == 0
    assert await office.state(number) == "forged"
