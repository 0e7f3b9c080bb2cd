# SPDX-License-Identifier: Apache-2.0
"""Who may have something done, how often, and what two of them seal."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.platform.commanding import (
    operators,
    sealing,
    wishes,
)
from cloud_sync.platform.commanding.operators import OperatorError, Role
from cloud_sync.platform.commanding.wishes import OPENS_A_SITE, WishError
from cloud_sync.platform.keys import Signer
from cloud_sync.seals import Witnesses
from cloud_sync.signing import PlatformKeys
from edge.core.chain import canonical
from edge.core.remote.command import Action
from tests.cloud_sync.operators import SITE, public_keys
from tests.cloud_sync.platform.office import CHEN, LUO, Office, operator
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED


async def test_limits_hold_for_site_door_and_operator(office: Office) -> None:
    for number in range(OPENS_A_SITE):
        await office.wish(by=(CHEN, LUO)[number % 2], door=f"door-{number}")
    with pytest.raises(WishError, match="10 openings an hour for this site"):
        await office.wish(by=LUO, door="another")
    await office.wish(Action.MESSAGE, text="台风")
    office.wait(3601.0)
    await office.wish()


async def test_an_operators_own_limits_hold(office: Office) -> None:
    seed = bytes(range(128, 160))
    signer = Signer("op-new", seed)
    [key] = signer.public_keys.values()
    office.signers["op-new"] = signer
    async with office.database.writing() as work:
        slow = operator("op-new", key, role=Role.DESK, opens_hour=2, door_hour=1)
        await operators.add(work, slow, office.now_ms)
    await office.wish(by="op-new")
    with pytest.raises(WishError, match="1 openings an hour for kitchen-door"):
        await office.wish(by="op-new")
    await office.wish(by="op-new", door="store-door")
    with pytest.raises(WishError, match="2 openings an hour for op-new"):
        await office.wish(by="op-new", door="a-third")
    with pytest.raises(WishError, match="is of the desk"):
        await office.wish(Action.ERASE, by="op-new", holder="h-1")


async def test_a_wish_that_its_operator_did_not_sign_is_not_signed(
    office: Office,
) -> None:
    await office.greet()
    office.signers[LUO] = office.signers[CHEN]
    with pytest.raises(WishError, match="not the key of op-luo"):
        await office.wish(by=LUO)
    number = await office.wish()
    async with office.database.writing() as work:  # who holds the database alone
        await work.execute("UPDATE wish SET operator = ?1", LUO)
    assert await office.due() == []
    assert await office.state(number) == "forged"


async def test_one_who_is_retired_has_nothing_done(office: Office) -> None:
    await office.greet()
    first = await office.wish()
    async with office.database.writing() as work:
        await operators.retire(work, CHEN, office.now_ms)
    assert await office.due() == []
    assert await office.state(first) == "cancelled"
    with pytest.raises(WishError, match="no operator op-chen at work"):
        await office.wish()
    again = operator("op-again", public_keys()[CHEN])
    async with office.database.writing() as work:
        with pytest.raises(OperatorError, match="another operator has this key"):
            await operators.add(work, again, office.now_ms)


@pytest.mark.parametrize(
    ("action", "fields", "why"),
    [
        (Action.OPEN, {"door": ""}, "'door'"),
        (Action.MODE, {"door": "d", "mode": "LOCKED_OPEN"}, "'mode'"),
        (Action.MESSAGE, {"text": "x" * 141}, "'text'"),
        (Action.ERASE, {"holder": "telephone"}, "name the person nowhere"),
        (Action.RESIDENT_OPEN, {"door": "d"}, "is of the manager"),
    ],
)
async def test_what_a_gateway_would_refuse_is_refused_here(
    office: Office, action: Action, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(WishError, match=why):
        await office.wish(action, **fields)


async def test_a_cancelled_wish_is_not_signed(office: Office) -> None:
    number = await office.wish()
    async with office.database.writing() as work:
        await wishes.cancel(work, number)
    await office.greet()
    assert await office.send() == 0
    assert await office.state(number) == "cancelled"


async def test_a_shelter_goes_out_with_two_seals_and_no_less(office: Office) -> None:
    await office.greet()
    number = await office.wish(Action.SHELTER, site=SITE, reason="typhoon")

    async def stand_by(*names: str) -> str:
        async with office.database.writing() as work:
            for name in names:
                order = await sealing.stand_by(work, number, name, office.now_ms)
        return order

    async def put(name: str, order: str) -> None:
        async with office.database.writing() as work:
            await sealing.put_seal(work, number, name, order, office.signers[name])

    await stand_by(CHEN)
    assert await office.due() == []
    assert await stand_by(CHEN) == "", "one alone has nothing to seal"
    await stand_by(LUO)
    assert await office.due() == []
    order = await stand_by(CHEN)
    assert sealing.is_meant(order, gateway=GATEWAY, site=SITE)
    assert not sealing.is_meant(order, gateway=GATEWAY, site="hall-8")
    await put(CHEN, order)
    assert await office.due() == [], "one seal is not two"
    office.wait(31.0)
    await stand_by(CHEN, LUO)
    await put(LUO, order)
    assert await office.due() == [], "an order that is over is drawn anew"
    fresh = await stand_by(CHEN, LUO)
    assert fresh != order
    await put(CHEN, fresh)
    await put(LUO, fresh)
    [sent] = await office.due()
    body = PlatformKeys(Signer(KID, SEED).public_keys).open(
        sent.payload, "mn.cmd.v1", GATEWAY
    )
    assert isinstance(body, dict)
    witnesses = Witnesses(public_keys(), site=SITE, gateway=GATEWAY)
    seals = body.pop("seals")
    assert witnesses.of(canonical(body), seals) == (CHEN, LUO)
    assert await office.state(number) == "sent"
