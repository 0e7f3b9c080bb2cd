# SPDX-License-Identifier: Apache-2.0
"""Published packets of UHPPOTE controllers, read and built."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from firmware_sim.uhppote import packets as wire
from firmware_sim.uhppote.cards import Card, Profile
from firmware_sim.uhppote.events import LOST, Event, Kind, Reason
from firmware_sim.uhppote.packets import Function, Packet, parse
from tests.firmware_sim.sim_vectors import Vector, vectors
from tests.firmware_sim.uhppote_host import PACKETS


def parsed(name: str) -> Packet:
    packet = parse(PACKETS[name])
    assert packet is not None
    return packet


@pytest.mark.parametrize("vector", vectors("uhppote"), ids=lambda one: one.note)
def test_published_packets(vector: Vector) -> None:
    packet = parse(vector.data)
    assert (packet is not None) is vector.is_sound
    assert packet is None or packet.function in tuple(Function)


def test_a_card_as_published() -> None:
    card = Card.read(parsed("asked: put card with profile and PIN"))
    assert card == Card(
        number=10_058_400,
        begins=date(2026, 1, 1),
        ends=date(2026, 12, 31),
        doors=(2, 0, 1, 0),
        pin=7531,
    )
    name = "asked: put card with profile and PIN"
    assert wire.build(0x50, 405_419_896, card.fields()) == PACKETS[name]


def test_a_profile_as_published() -> None:
    profile = Profile.read(parsed("asked: profile 2"))
    assert profile is not None
    assert profile.weekdays == (True,) * 5 + (False,) * 2
    nothing = (time(0, 0), time(0, 0))
    assert profile.segments == (
        (time(8, 30), time(12, 0)),
        (time(13, 0), time(18, 0)),
        nothing,
    )
    built = wire.build(0x88, 405_419_896, profile.fields())
    assert built == PACKETS["asked: profile 2"]


def test_an_event_as_published() -> None:
    event = Event(
        index=57,
        kind=Kind.DOOR,
        is_granted=True,
        door=3,
        direction=1,
        card=6_154_410,
        at=datetime.fromisoformat("2019-04-19 17:00:09"),
        reason=Reason.NO_PRIVILEGE,
    )
    built = wire.build(0x20, 423_187_757, event.fields())
    assert built[:28] == PACKETS["told: event 57"][:28]
    lost = wire.build(0xB0, 423_187_757, LOST.fields())
    assert lost == PACKETS["told: overwritten"]


def test_the_time_as_published() -> None:
    assert parsed("asked: set time").moment(8) == datetime.fromisoformat(
        "2026-03-01 08:15:30"
    )


@pytest.mark.parametrize(
    "digits", ["00000000", "20261301", "20260230", "2026010A", "FFFFFFFF", "00010101"]
)
def test_what_is_no_date_is_none(digits: str) -> None:
    raw = bytes(8) + bytes.fromhex(digits) + bytes(52)
    packet = Packet(function=0, serial=0, raw=raw)
    assert packet.day(8) is None
    assert packet.moment(8) is None


@pytest.mark.parametrize("digits", ["240000", "126000", "0A0000", "FFFFFF"])
def test_what_is_no_time_is_none(digits: str) -> None:
    raw = bytes(8) + bytes.fromhex("20260101" + digits) + bytes(49)
    packet = Packet(function=0, serial=0, raw=raw)
    assert packet.moment(8) is None
    assert packet.day(8) == date(2026, 1, 1)
