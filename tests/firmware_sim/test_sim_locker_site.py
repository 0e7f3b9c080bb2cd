# SPDX-License-Identifier: Apache-2.0
"""Lockers as part of a site: its file, hands, pseudo-terminal and control socket."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.control import ControlServer
from firmware_sim.errors import SimulationError
from firmware_sim.hand import Hand
from firmware_sim.happening import Happening, What
from firmware_sim.lockers.locker_bank import Feedback
from firmware_sim.lockers.locker_frames import ReplyKind
from firmware_sim.lockers.locker_settings import LockerBoardSettings, LockerFault
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import LockerBusPort, Site
from firmware_sim.world import World
from tests.firmware_sim.sim_gateway import PATIENCE_S, LineEnd
from tests.firmware_sim.sim_vectors import frames

if TYPE_CHECKING:
    from pathlib import Path

WIRE = frames("locker_8a")
OPEN, OPENED = WIRE["asked: open 1/1"], WIRE["told: kind 8A, state 00"]
QUERY_ALL = WIRE["asked: query all of 1"]
ALL_CLOSED = WIRE["told: 12 channels, all bits 1"]
SITE: dict[str, Any] = {
    "ports": {
        "bank": {
            "kind": "locker_bus",
            "boards": {
                "lockers": {"address": 1, "channels": 12, "closed_is": 1},
                "fridge": {"address": 2, "channels": 8, "reply_kind": "81"},
            },
        },
        "bus": {"kind": "relay_bus", "boards": {"one": {}}},
    },
}


def world_of() -> tuple[World, Hand]:
    world = World(Site.from_mapping(SITE))
    return world, Hand(world)


def open_at(world: World, channel: int, now: float) -> None:
    content = bytes((0x8A, 1, channel, 0x11))
    check = content[0] ^ content[1] ^ content[2] ^ content[3]
    world.receive("bank", content + bytes((check,)), now)


def tell(happening: Happening) -> tuple[float, What, str, int | None]:
    return (happening.at, happening.what, happening.name, happening.channel)


# -- the site file -----------------------------------------------------------------


def test_a_locker_bus_is_read_from_json() -> None:
    given = copy.deepcopy(SITE)
    given["ports"]["bank"]["bus"] = {"local_echo": True, "min_gap_s": 0}
    given["ports"]["bank"]["boards"]["fridge"]["feedback"] = "leaf"
    port = Site.from_mapping(json.loads(json.dumps(given))).ports["bank"]
    assert isinstance(port, LockerBusPort)
    assert (port.bus.local_echo, port.bus.min_gap_s) == (True, 0.0)
    assert port.boards["lockers"].channels == 12
    fridge = port.boards["fridge"]
    assert isinstance(fridge, LockerBoardSettings)
    assert (fridge.reply_kind, fridge.feedback) == (ReplyKind.REPORT, Feedback.LEAF)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("bank.boards.lockers.address", 65, "lockers: address 65 is not 1 to 64"),
        ("bank.boards.lockers.reply_kind", "8B", "write one of '8A', '80', '81'"),
        ("bank.boards.lockers.colour", 1, "no field 'colour'; known are: address,"),
        ("bank.colour", "red", r"no \['colour'\]; known: boards, bus"),
        ("bank.bus.min_gap_s", -1, "bank.bus: a gap of -1.0 s is negative"),
        ("bus.boards.lockers", {}, r"port bus: board \['lockers'\] stands twice"),
    ],
)
def test_nonsense_is_refused_with_what_to_write_instead(
    path: str, value: object, complaint: str
) -> None:
    given = copy.deepcopy(SITE)
    given["ports"]["bank"]["bus"] = {}
    *folders, name = path.split(".")
    place = given["ports"]
    for folder in folders:
        place = place[folder]
    place[name] = value
    with pytest.raises(SimulationError, match=complaint):
        Site.from_mapping(given)


def test_a_door_cannot_hang_on_a_locker_board() -> None:
    doors = {"front": {"board": "lockers", "relay": 1}}
    with pytest.raises(SimulationError, match="no board 'lockers'; known: one"):
        Site.from_mapping({**SITE, "doors": doors})


# -- hands -------------------------------------------------------------------------


def test_a_parcel_is_deposited_and_collected() -> None:
    world, hand = world_of()
    assert not hand.put_in("lockers", 3, "rice", 0.5)
    open_at(world, 3, 1.0)
    assert hand.put_in("lockers", 3, "rice", 2.0)
    assert hand.shut("lockers", 3, 3.0)
    assert hand.take_out("lockers", 3, 4.0) == ()
    open_at(world, 3, 5.0)
    assert hand.take_out("lockers", 3, 6.0) == ("rice",)
    assert [tell(one) for one in world.take_happenings()] == [
        (1.0, What.COMPARTMENT_OPENED, "lockers", 3),
        (3.0, What.COMPARTMENT_CLOSED, "lockers", 3),
        (5.0, What.COMPARTMENT_OPENED, "lockers", 3),
    ]


def test_jammed_held_and_pried() -> None:
    world, hand = world_of()
    hand.jam("lockers", 1, 0.5)
    hand.hold_shut("lockers", 2, 0.5)
    open_at(world, 1, 1.0)
    world.tick(1.5)
    open_at(world, 2, 2.0)
    world.tick(2.5)
    assert hand.pry("fridge", 8, 3.0)
    hand.jam("lockers", 1, 3.5, is_jammed=False)
    hand.hold_shut("lockers", 2, 3.5, is_held=False)
    assert [tell(one) for one in world.take_happenings()] == [
        (1.0, What.COMPARTMENT_JAMMED, "lockers", 1),
        (3.0, What.COMPARTMENT_OPENED, "fridge", 8),
    ]
    lockers = world.snapshot().lockers["lockers"].compartments
    assert [one.pulses for one in lockers[:3]] == [1, 1, 0]


def test_what_a_hand_does_was_done_before_a_late_pulse_ends() -> None:
    world, hand = world_of()
    open_at(world, 1, 1.0)
    assert not hand.shut("lockers", 1, 1.2)
    assert hand.shut("lockers", 1, 1.3)


def test_a_brown_out_and_spoiled_replies_reach_locker_boards() -> None:
    world, hand = world_of()
    hand.spoil_locker("lockers", LockerFault.DROPPED)
    open_at(world, 1, 1.0)
    assert world.take_outgoing("bank", 1.1) == b""
    hand.brown_out("lockers", 2.0, 0.5)
    hand.brown_out("one", 2.0, 0.5)
    assert world.snapshot().lockers["lockers"].is_dark
    assert world.deadline() == 2.5
    world.tick(2.5)
    assert not world.snapshot().lockers["lockers"].is_dark
    assert not world.snapshot().boards["one"].is_dark


def test_unknown_boards_and_channels_are_told_the_known_ones() -> None:
    world, hand = world_of()
    with pytest.raises(SimulationError, match="this world has: lockers, fridge"):
        hand.pry("one", 1, 1.0)
    with pytest.raises(SimulationError, match="no compartment 9; this board has 1 to"):
        hand.shut("fridge", 9, 1.0)
    with pytest.raises(SimulationError, match="this world has: one, lockers, fridge"):
        hand.brown_out("x", 1.0)
    assert world.take_happenings() == ()


# -- through the pseudo-terminal ---------------------------------------------------


async def test_an_opening_and_a_query_run_over_the_line(tmp_path: Path) -> None:
    told: list[Happening] = []
    async with PtyHost(World(Site.from_mapping(SITE)), tmp_path) as host:
        host.watch(told.extend)
        with LineEnd(host.path("bank")) as line:
            assert await line.ask(QUERY_ALL, 6) == ALL_CLOSED
            assert await line.ask(OPEN, 5) == OPENED
            assert (await line.ask(QUERY_ALL, 6))[2:4].hex() == "0ffe"
            await asyncio.sleep(0.35)
            host.act(lambda now: host.hand.shut("lockers", 1, now))
            assert await line.ask(QUERY_ALL, 6) == ALL_CLOSED
    seen = [(one.what, one.name, one.channel) for one in told]
    assert seen == [
        (What.COMPARTMENT_OPENED, "lockers", 1),
        (What.COMPARTMENT_CLOSED, "lockers", 1),
    ]


async def test_a_report_is_said_though_nobody_asked(tmp_path: Path) -> None:
    site = copy.deepcopy(SITE)
    site["ports"]["bank"]["boards"]["lockers"]["reports_changes"] = True
    async with PtyHost(World(Site.from_mapping(site)), tmp_path) as host:
        with LineEnd(host.path("bank")) as line:
            host.act(lambda now: host.hand.pry("lockers", 1, now))
            assert await line.read(5) == WIRE["told: report, state 00"]


async def test_two_boards_share_the_line_if_the_gateway_keeps_the_gap(
    tmp_path: Path,
) -> None:
    second = bytes.fromhex("80020033B1")
    async with PtyHost(World(Site.from_mapping(SITE)), tmp_path) as host:
        with LineEnd(host.path("bank")) as line:
            for _ in range(5):
                assert await line.ask(QUERY_ALL, 6) == ALL_CLOSED
                await asyncio.sleep(0.005)
                assert (await line.ask(second, 5)).hex() == "8002ff334e"
                await asyncio.sleep(0.005)


# -- through the control socket ----------------------------------------------------

ACTS: list[tuple[str, dict[str, object], dict[str, object]]] = [
    ("put_in", {"thing": "rice"}, {"is_in": False}),
    ("pry", {}, {"is_open": True}),
    ("put_in", {"thing": "米"}, {"is_in": True}),
    ("take_out", {}, {"things": ["米"]}),
    ("take_out", {}, {"things": []}),
    ("shut", {}, {"is_shut": True}),
    ("jam", {"is_jammed": True}, {}),
    ("jam", {"is_jammed": False}, {}),
    ("hold_shut", {}, {}),
    ("hold_shut", {"is_held": False}, {}),
]
WRONG: list[tuple[dict[str, object], str]] = [
    ({"do": "pry", "board": "one", "channel": 1}, "this world has: lockers, fridge"),
    ({"do": "pry", "board": "fridge", "channel": 0}, "this board has 1 to 8"),
    ({"do": "pry", "board": "fridge"}, "'channel' is missing; write it"),
    ({"do": "jam", "board": "fridge", "channel": 1, "is_jammed": 1}, "1 is no bool"),
    (
        {"do": "spoil_locker", "board": "fridge", "fault": "x"},
        "write one of 'wrong_bcc'",
    ),
]


async def converse(
    path: Path, requests: list[dict[str, object]], lines: int
) -> list[dict[str, Any]]:
    """Send the requests on one connection; return the first ``lines`` answers."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_unix_connection(str(path))
        for request in requests:
            writer.write(json.dumps(request).encode() + b"\n")
        heard = [json.loads(await reader.readline()) for _ in range(lines)]
        writer.close()
        await writer.wait_closed()
    return heard


async def test_every_verb_of_lockers_is_answered_and_watched(tmp_path: Path) -> None:
    control = tmp_path / "control.sock"
    place = {"board": "lockers", "channel": 3}
    acts: list[dict[str, object]] = [
        {"do": do, **place, **fields} for do, fields, _ in ACTS
    ]
    others: list[dict[str, object]] = [
        {"do": "spoil_locker", "board": "lockers", "fault": "wrong_bcc"},
        {"do": "snapshot"},
    ]
    host = PtyHost(World(Site.from_mapping(SITE)), tmp_path / "ports")
    async with host, ControlServer(host, control):
        requests: list[dict[str, object]] = [{"do": "watch"}, *acts, *others]
        heard = await converse(control, requests, len(requests) + 2)
    happened = [line for line in heard if "what" in line]
    answers = [line for line in heard if "what" not in line][1:]
    for (do, _, told), answer in zip(ACTS, answers, strict=False):
        assert isinstance(answer.pop("at"), float), do
        assert answer == {"ok": True, **told}, do
    assert [one["what"] for one in happened] == [
        "compartment_opened",
        "compartment_closed",
    ]
    assert (happened[0]["board"], happened[0]["channel"]) == ("lockers", 3)
    compartment = answers[-1]["lockers"]["lockers"]["compartments"][2]
    assert (compartment["channel"], compartment["openings"]) == (3, 1)
    assert compartment["things"] == []


async def test_wrong_lines_are_answered_with_what_to_write(tmp_path: Path) -> None:
    control = tmp_path / "control.sock"
    host = PtyHost(World(Site.from_mapping(SITE)), tmp_path / "ports")
    async with host, ControlServer(host, control):
        answers = await converse(control, [line for line, _ in WRONG], len(WRONG))
    for (line, complaint), answer in zip(WRONG, answers, strict=True):
        assert answer["ok"] is False, line
        assert complaint in answer["error"], line
