# SPDX-License-Identifier: Apache-2.0
"""Requests and replies of the simulated GM65 module, held to the vectors."""

from __future__ import annotations

import random

import pytest

from firmware_sim.scanners.gm65_frames import (
    REQUEST_HEADER,
    Gm65Command,
    Gm65Requests,
    heartbeat_reply,
    reply,
    request,
)
from firmware_sim.scanners.gm65_zones import FACTORY_DUMP, Gm65Zones, Zone, ZoneValue
from firmware_sim.scanners.qr_style import Coding, Framing
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

FRAMES = frames("gm65")
REQUESTS = [v for v in vectors("gm65") if v.data.startswith(REQUEST_HEADER)]
CHECKED = [v for v in REQUESTS if v.is_sound and not v.data.endswith(b"\xab\xcd")]


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector.note)
def test_requests_are_those_of_the_vectors(vector: Vector) -> None:
    requests = Gm65Requests()
    assert len(requests.feed(vector.data)) == int(vector.is_sound)
    assert (requests.ignored_bytes == 0) is vector.is_sound


@pytest.mark.parametrize("index", range(len(CHECKED)))
def test_a_request_is_written_as_it_is_read(index: int) -> None:
    data = CHECKED[index].data
    [read] = Gm65Requests().feed(data)
    assert request(read.command, read.address, read.data) == data


def test_replies_are_those_of_the_vectors() -> None:
    assert reply(b"\x00") == FRAMES["ok"]
    assert reply(b"\x01") == FRAMES["zone value 01"]
    assert reply(bytes.fromhex("3901")) == FRAMES["baud zone 9600"]
    assert heartbeat_reply() == FRAMES["heartbeat reply"]
    assert reply(FACTORY_DUMP) == FRAMES["factory zones 0000 to 0061"]


def test_requests_are_found_byte_by_byte_and_behind_noise() -> None:
    requests = Gm65Requests()
    noise = bytes.fromhex("7E7E000FFF007E01")
    stream = noise + FRAMES["trigger"] + noise + FRAMES["heartbeat"]
    found = [one for byte in stream for one in requests.feed(bytes((byte,)))]
    assert [one.command for one in found] == [Gm65Command.WRITE, Gm65Command.HEARTBEAT]
    assert requests.ignored_bytes == 2 * len(noise)


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_is_stepped_over_and_what_waits_is_bounded(seed: int) -> None:
    chance = random.Random(seed)
    requests = Gm65Requests()
    good = list(FRAMES.values())
    for _ in range(5_000):
        frame = bytearray(chance.choice(good))
        frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        requests.feed(bytes(frame) + chance.randbytes(chance.randrange(9)))
        assert len(requests._buffer) < 8 + 255
    requests.forget()
    assert not requests.is_waiting
    assert len(requests.feed(FRAMES["heartbeat"])) == 1


@pytest.mark.parametrize(
    ("zone", "value", "framing"),
    [
        (Zone.TAIL, 0x01, Framing.CR),
        (Zone.TAIL, 0x21, Framing.CRLF),
        (Zone.TAIL, 0x41, Framing.TABULATOR),
        (Zone.TAIL, 0x61, Framing.NONE),
        (Zone.TAIL, 0x00, Framing.NONE),
        (Zone.TAIL, 0x81, Framing.LENGTH_PREFIXED),
    ],
)
def test_the_tail_zone_rules_the_framing(
    zone: Zone, value: int, framing: Framing
) -> None:
    zones = Gm65Zones([ZoneValue(address=zone, value=value)])
    assert zones.style(eci_prefix=False).framing is framing


def test_output_and_prefix_zones_rule_coding_and_line() -> None:
    zones = Gm65Zones()
    assert zones.style(eci_prefix=False).coding is Coding.GB18030
    assert not zones.style(eci_prefix=False).aim_prefix
    on_line = [zones.prints_on_line]
    zones.write(Zone.OUTPUT, b"\xa4")
    on_line.append(zones.prints_on_line)
    assert on_line == [False, True]
    assert zones.style(eci_prefix=False).coding is Coding.UTF_8
    zones.write(Zone.AIM_PREFIX, b"\x80")
    assert zones.style(eci_prefix=True).aim_prefix
    assert zones.style(eci_prefix=True).eci_prefix


@pytest.mark.parametrize(
    ("value", "baud"),
    [("3901", 9_600), ("1A00", 115_200), ("9C00", 19_200), ("4E00", 38_400)],
)
def test_the_baud_zone_divides_three_megahertz(value: str, baud: int) -> None:
    zones = Gm65Zones()
    zones.write(Zone.BAUD, bytes.fromhex(value))
    assert zones.baud == baud


def test_a_rate_that_no_line_has_is_none() -> None:
    zones = Gm65Zones()
    zones.write(Zone.BAUD, b"\x00\x00")
    assert zones.baud is None
    zones.write(Zone.BAUD, b"\xff\xff")
    assert zones.baud is None


def test_the_same_code_zone_counts_by_its_unit_when_it_is_on() -> None:
    zones = Gm65Zones()
    assert zones.same_code_delay_s(0.1) == 0.0
    zones.write(Zone.SAME_CODE, b"\x85")
    assert zones.same_code_delay_s(0.1) == pytest.approx(0.5)
    assert zones.same_code_delay_s(1.0) == pytest.approx(5.0)


def test_beyond_the_memory_nothing_is_kept_and_zeros_are_read() -> None:
    zones = Gm65Zones()
    zones.write(0x013F, b"\x11\x22")
    assert zones.read(0x013E, 4) == bytes.fromhex("00110000")
    assert zones.read(0xFFFF, 2) == bytes(2)
