# SPDX-License-Identifier: Apache-2.0
"""The simulated platform's commands: what it signs, and what it hears of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.platform.commands import LIFE_S, MAXIMUM_REMEMBERED
from tests.firmware_sim.platform_stub import GATEWAY, NONCE, Journal, envelope, up
from tests.firmware_sim.test_platform_session import NOW_MS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JTI = "ab" * 16


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.say("hello", Journal(3).hello())
    with closing(made.ledger), closing(made.store):
        yield made


def command(world: World, **wish: Any) -> dict[str, Any]:
    return world.body(world.session.command(GATEWAY, wish, NOW_MS))


def hear(world: World, jti: str, state: str, **more: Any) -> None:
    data = {"jti": jti, "state": state} | more
    assert world.say("res", envelope("res", f"{jti}:{state}", data)) == []


def test_a_command_is_signed_for_the_connection_that_greeted_last(world: World) -> None:
    body = command(world, action="open", door="front")
    assert body == {
        "jti": world.session.desk.last,
        "gw": GATEWAY,
        "nonce": NONCE,
        "iat": NOW_MS // 1000,
        "exp": NOW_MS // 1000 + LIFE_S,
        "by": "op-1",
        "reason": "asked for by telephone",
        "action": "open",
        "door": "front",
    }
    world.say("hello", Journal(3).hello("cd" * 16))
    later = command(world, action="open")
    assert later["nonce"] == "cd" * 16
    assert later["jti"] != body["jti"]


def test_what_a_wish_holds_goes_before(world: World) -> None:
    body = command(world, action="open", jti=JTI, nonce="00", exp=0)
    assert (body["jti"], body["nonce"], body["exp"]) == (JTI, "00", 0)


def test_nobody_is_commanded_who_never_said_hello(world: World) -> None:
    with pytest.raises(ValueError, match="gw-attic"):
        world.session.command("gw-attic", {"action": "open"}, NOW_MS)


def test_states_are_told_in_their_order_with_the_reason_of_the_last(
    world: World,
) -> None:
    command(world, action="open", jti=JTI)
    done: list[bool] = []
    world.session.desk.watch(JTI, lambda: done.append(True))
    for state in ("received", "accepted"):
        hear(world, JTI, state)
    assert done == []
    hear(world, JTI, "rejected", reason="RATE_DOOR", why="too often", seq=12)
    assert done == [True]
    assert world.session.desk.told(JTI) == {
        "state": "rejected",
        "states": ["received", "accepted", "rejected"],
        "reason": "RATE_DOOR",
        "why": "too often",
    }


def test_no_word_means_offline_and_tells_what_to_do(world: World) -> None:
    command(world, action="resident_open", jti=JTI)
    told = world.session.desk.told(JTI)
    assert (told["state"], told["states"]) == ("offline", [])
    assert "show card or code" in told["say"]


def test_word_of_a_command_nobody_gave_is_nothing(world: World) -> None:
    hear(world, "cd" * 16, "actuated")
    assert world.session.desk.told("cd" * 16)["state"] == "offline"


@pytest.mark.parametrize(
    "data",
    [
        {"jti": JTI, "state": "flown"},
        {"jti": "x", "state": "actuated"},
        {"state": "actuated"},
        {"jti": JTI, "state": "actuated", "seq": -1},
        {"jti": JTI, "state": "actuated", "reason": 7},
    ],
)
def test_word_outside_the_contract_is_kept_as_garbled(
    world: World, data: dict[str, Any]
) -> None:
    command(world, action="open", jti=JTI)
    world.session.receive(
        up("res"), envelope("res", f"{JTI}:{data['state']}", data), NOW_MS
    )
    assert world.session.desk.told(JTI)["states"] == []


def test_what_is_remembered_is_bounded(world: World) -> None:
    command(world, action="open", jti=JTI)
    for number in range(MAXIMUM_REMEMBERED):
        world.session.desk.draw(GATEWAY, NONCE, {"jti": f"{number:032x}"}, NOW_MS)
    hear(world, JTI, "actuated")
    assert world.session.desk.told(JTI)["state"] == "offline"
