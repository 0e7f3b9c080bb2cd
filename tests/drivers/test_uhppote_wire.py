# SPDX-License-Identifier: Apache-2.0
"""Packets of the UHPPOTE controllers, held to an encoder of other people's."""

from __future__ import annotations

from datetime import date, datetime
from ipaddress import IPv4Address

import pytest

from drivers.errors import LocalError
from drivers.uhppote import requests as uhppote_requests
from drivers.uhppote import wire as uhppote_wire
from drivers.uhppote.wire import (
    DoorControl,
    DoorMode,
    Event,
    Packet,
    Request,
    count_of,
    decode,
    door_of,
    encode,
    event_of,
    status_of,
    version_of,
)
from tests.drivers.uhppote_wire import SERIAL, event, status
from tests.drivers.vectors import Vector, frames

AT = datetime(2026, 3, 1, 8, 15, 30)  # noqa: DTZ001 the controller has no zone
ASKED: dict[str, Request] = {
    "find": uhppote_requests.find(),
    "status": uhppote_requests.get_status(),
    "time 2026-03-01 08:15:30": uhppote_requests.set_time(AT),
    "open door 1": uhppote_requests.open_door(1),
    "open door 4": uhppote_requests.open_door(4),
    "how is door 2 held": uhppote_requests.get_door(2),
    "door 1 controlled, 5 s": uhppote_requests.set_door(1, DoorMode.CONTROLLED, 5),
    "door 4 normally open, 255 s": uhppote_requests.set_door(
        4, DoorMode.NORMALLY_OPEN, 255
    ),
    "no passcodes at door 3": uhppote_requests.clear_passcodes(3),
    "record door and button events": uhppote_requests.record_special_events(),
    "events to 192.168.1.10:60001": uhppote_requests.set_listener(
        IPv4Address("192.168.1.10"), 60001
    ),
    "PC control on": uhppote_requests.pc_control(is_on=True),
    "PC control off": uhppote_requests.pc_control(is_on=False),
    "event 4711": uhppote_requests.get_event(4711),
    "how many cards": uhppote_requests.count_cards(),
    "card 10058400": uhppote_requests.get_card(10058400),
    "put card 10058400, 2026, door 1": uhppote_requests.put_card(
        10058400, date(2026, 1, 1), date(2026, 12, 31), [1]
    ),
}
WIRE = {vector.note: vector.frame for vector in frames("uhppote")}


def told(note: str) -> Packet:
    found = decode(WIRE[f"told: {note}"])
    assert isinstance(found, Packet)
    return found


def packet_of(digits: str) -> Packet:
    found = decode(bytes.fromhex(digits))
    assert isinstance(found, Packet)
    return found


@pytest.mark.parametrize("vector", frames("uhppote"), ids=str)
def test_packets_are_taken_and_others_are_not(vector: Vector) -> None:
    assert isinstance(decode(vector.frame), Packet) is vector.is_good


@pytest.mark.parametrize("note", ASKED)
def test_a_request_is_the_packet_of_the_other_encoder(note: str) -> None:
    assert encode(ASKED[note], SERIAL) == WIRE[f"asked: {note}"]


def test_every_request_of_the_vectors_is_tried() -> None:
    asked = {note for note in WIRE if note.startswith("asked")}
    anybody = "asked: find whoever hears it"
    assert asked == {anybody, *(f"asked: {note}" for note in ASKED)}
    assert encode(uhppote_requests.find(), 0) == WIRE[anybody]


@pytest.mark.parametrize("function", [0x54, 0xC8, 0x96])
def test_what_wipes_a_controller_can_not_even_be_named(function: int) -> None:
    assert function not in list(uhppote_wire.Function)


@pytest.mark.parametrize(
    "firmware",
    [
        "status of 423187757, event 57 of card 6154410 at door 3",
        "the same event by firmware 6.62",
    ],
)
def test_a_published_status_is_understood(firmware: str) -> None:
    found = told(firmware)
    assert found.serial == 423187757
    seen = status_of(found)
    assert seen.event == Event(
        index=57,
        kind=2,
        is_granted=True,
        door=3,
        direction=1,
        card=6154410,
        at=datetime(2019, 4, 19, 17, 0, 9),  # noqa: DTZ001
        reason=6,
    )
    assert seen.at == datetime(2019, 4, 20, 14, 37, 2)  # noqa: DTZ001
    assert seen.are_open == (True, False, True, True)
    assert seen.are_pressed == (False, False, True, True)
    assert seen.relays == (False, False, True, False)


def test_no_event_is_none() -> None:
    assert event_of(told("event overwritten, of 423187757")) is None
    assert status_of(packet_of(status())).event is None


@pytest.mark.parametrize(
    "clock", ["20260230081530", "20261301081530", "2026AA01081530", "00000000000000"]
)
def test_a_clock_that_can_not_be_is_none(clock: str) -> None:
    seen = status_of(packet_of(status(event(1, at=clock), clock="20" + clock[2:])))
    assert seen.event is not None
    assert seen.event.at is None
    assert seen.at is None


def test_the_other_replies_are_understood() -> None:
    assert version_of(told("found, version 8.92")) == "8.92"
    assert told("door opened").is_done
    assert door_of(told("door 2 controlled, 10 s")) == DoorControl(mode=3, delay_s=10)
    assert count_of(told("4711 cards")) == 4711


def test_a_reply_must_name_what_was_asked_for() -> None:
    asked = uhppote_requests.get_door(2)
    assert asked.is_answered_by(told("door 2 controlled, 10 s"))
    assert not uhppote_requests.get_door(1).is_answered_by(
        told("door 2 controlled, 10 s")
    )
    assert not asked.is_answered_by(told("door opened"))
    gone = told("event overwritten, of 423187757")
    assert uhppote_requests.get_event(4711).is_answered_by(gone)


@pytest.mark.parametrize("door", [0, 5, -1])
def test_doors_that_no_controller_has_are_refused(door: int) -> None:
    for request in (uhppote_requests.open_door, uhppote_requests.get_door):
        with pytest.raises(LocalError, match="doors 1 to 4"):
            request(door)


def test_a_delay_of_nothing_is_refused() -> None:
    with pytest.raises(LocalError, match="1 to 255 s"):
        uhppote_requests.set_door(1, DoorMode.CONTROLLED, 0)
