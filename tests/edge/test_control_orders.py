# SPDX-License-Identifier: Apache-2.0
"""Orders over the control socket: every verb read, every misfit told by its field."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest

from edge.cli.control_orders import BOUNDS, VERBS, carry_out, read_order
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.order import (
    DutyConfirmed,
    EmergencyOrdered,
    EntryConfirmed,
    LocalHolderOrdered,
    LoginAwaited,
    ModeOrdered,
    Order,
    PanelOpenOrdered,
    ParcelOrdered,
    ShelterOrdered,
)
from tests.edge.stage import Stage, roster, settle, token

#: Something that fits each field, whichever order holds it.
FITTING: dict[str, Any] = {
    "roles": ["VOLUNTEER"],
    "is_on": True,
    "is_extended": False,
    "is_start": True,
    "is_lifted": False,
    "with_doors": False,
    "mode": "BLOCKED",
    "state": "SHELTER",
    "size": "M",
    **{name: (low + high) // 2 for name, (low, high) in BOUNDS.items()},
}


def request_for(verb: str) -> dict[str, Any]:
    """Return a request of that verb with every field said."""
    fields = dataclasses.fields(VERBS[verb])
    said = {field.name: FITTING.get(field.name, "somewhere") for field in fields}
    return {"verb": verb, **said}


def test_every_order_but_the_platforms_has_a_verb() -> None:
    of_the_house = {DutyConfirmed, LoginAwaited, ShelterOrdered}
    assert set(get_args(Order)) - set(VERBS.values()) == of_the_house


@pytest.mark.parametrize("verb", VERBS)
def test_a_request_with_all_its_fields_is_that_order(verb: str) -> None:
    order = read_order(verb, request_for(verb))
    assert type(order) is VERBS[verb]
    told = dataclasses.asdict(order)
    for name, value in request_for(verb).items():
        if name != "verb":
            kept = told[name]
            assert (list(kept) if isinstance(kept, tuple) else kept) == value


@pytest.mark.parametrize("verb", VERBS)
def test_a_field_that_is_missing_is_told_with_what_it_wants(verb: str) -> None:
    for field in dataclasses.fields(VERBS[verb]):
        said = request_for(verb)
        del said[field.name]
        if field.default is dataclasses.MISSING:
            with pytest.raises(ValueError, match=f"^{field.name}: missing, say "):
                read_order(verb, said)
        else:
            assert getattr(read_order(verb, said), field.name) == field.default


HOSTILE: tuple[Any, ...] = (
    None,
    [],
    {},
    [[]],
    "\n",
    "x" * 65,
    "\ud800",
    -(1 << 60),
    1 << 60,
    1.5,
    float("nan"),
    {"a": 1},
    ["x" * 65],
    [""],
)


@pytest.mark.parametrize("verb", VERBS)
def test_what_does_not_fit_is_told_by_its_field_and_never_in_its_own_words(
    verb: str,
) -> None:
    for field in dataclasses.fields(VERBS[verb]):
        for value in HOSTILE:
            with pytest.raises(
                ValueError, match=f"^{field.name}: does not fit"
            ) as said:
                read_order(verb, request_for(verb) | {field.name: value})
            assert "xxxx" not in str(said.value)


def test_an_unknown_field_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"^colour: no such field, use door, mode,"):
        read_order("mode", request_for("mode") | {"colour": "red"})


@pytest.mark.parametrize(("number", "fits"), [(0, True), (720, True), (721, False)])
def test_bounds_are_inclusive(number: int, *, fits: bool) -> None:
    said = request_for("duty-correct") | {"minutes": number}
    if fits:
        assert read_order("duty-correct", said)
    else:
        with pytest.raises(ValueError, match="from 0 to 720"):
            read_order("duty-correct", said)


def test_true_is_no_number_and_one_is_not_true() -> None:
    with pytest.raises(ValueError, match="count"):
        read_order("open", request_for("open") | {"count": True})
    with pytest.raises(ValueError, match=r"is_start: .* true or false"):
        read_order("duty", request_for("duty") | {"is_start": 1})


def test_values_arrive_as_what_they_are() -> None:
    mode = read_order("mode", request_for("mode"))
    assert isinstance(mode, ModeOrdered)
    assert mode.mode is DoorMode.BLOCKED
    begun = read_order("emergency", request_for("emergency"))
    assert isinstance(begun, EmergencyOrdered)
    assert begun.state is EmergencyState.SHELTER
    parcel = read_order("parcel", request_for("parcel"))
    assert isinstance(parcel, ParcelOrdered)
    assert parcel.size == "M"
    held = read_order("local-holder", request_for("local-holder"))
    assert isinstance(held, LocalHolderOrdered)
    assert held.roles == ("VOLUNTEER",)


async def test_what_was_done_is_answered_with_its_events(stage: Stage) -> None:
    order = PanelOpenOrdered(door="hall-door", actor="chen", reason="deaf")
    answer = carry_out(stage.gateway, order)
    assert [event["k"] for event in answer["events"]] == ["MANUAL_ENTRY"]
    assert answer["seq"] == answer["events"][0]["seq"]
    await settle()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (PanelOpenOrdered(door="gone", actor="c", reason="r"), "there is no door"),
        (
            EmergencyOrdered(state=EmergencyState.FIRE, actor="c", reason="r"),
            "",
        ),
    ],
)
async def test_what_cannot_be_done_is_answered_with_why(
    stage: Stage, order: Order, why: str
) -> None:
    if why:
        with pytest.raises(ValueError, match=why):
            carry_out(stage.gateway, order)
    else:
        assert carry_out(stage.gateway, order)["events"]
    await settle()


async def test_a_door_whose_mode_is_closed_stays_shut_and_says_so(stage: Stage) -> None:
    closed = ModeOrdered(door="hall-door", mode=DoorMode.BLOCKED, actor="c", reason="r")
    carry_out(stage.gateway, closed)
    with pytest.raises(ValueError, match="stays shut"):
        carry_out(
            stage.gateway, PanelOpenOrdered(door="hall-door", actor="c", reason="r")
        )
    await settle()


async def test_it_says_so_each_time_even_when_refusals_are_only_counted(
    stage: Stage,
) -> None:
    closed = ModeOrdered(door="hall-door", mode=DoorMode.BLOCKED, actor="c", reason="r")
    carry_out(stage.gateway, closed)
    knock = PanelOpenOrdered(door="hall-door", actor="c", reason="r")
    said = []
    for _ in range(20):
        with pytest.raises(ValueError, match="stays shut") as refused:
            carry_out(stage.gateway, knock)
        said.append(str(refused.value))
    assert said[0].endswith("its mode does not let anybody in")
    assert said[-1].endswith("refused as before"), "counted by now"
    await settle()


async def test_whom_the_word_does_not_help_is_answered_with_his_reason(
    stage: Stage,
) -> None:
    standing = EmergencyState.CHECKPOINT
    order = EmergencyOrdered(state=standing, actor="chen", reason="fever")
    carry_out(stage.gateway, order)
    stage.scan(3)
    await settle()
    renewed = roster({3: token(1000)})
    stage.gateway.do(lambda controller, now: controller.adopt(renewed, now))
    confirmed = EntryConfirmed(access_point="front", actor="chen")
    with pytest.raises(ValueError, match="stays shut: CREDENTIAL_NOT_FOUND"):
        carry_out(stage.gateway, confirmed)
    await settle()
