# SPDX-License-Identifier: Apache-2.0
"""OSDP packets: every recorded one passes, and nothing else does."""

from __future__ import annotations

import random

import pytest

from drivers.osdp.wire import Fault, Packet, decode, encode, explain, find_reply
from tests.drivers.osdp_wire import NOTES, crc, packet
from tests.drivers.vectors import Vector, frames


def bare(frame: bytes) -> bytes:
    return frame.removeprefix(b"\xff")


@pytest.mark.parametrize("vector", frames("osdp"), ids=lambda vector: vector.note)
def test_recorded_packets(vector: Vector) -> None:
    found = decode(bare(vector.frame))
    assert isinstance(found, Packet) is vector.is_good
    if isinstance(found, Packet):
        assert found.is_reply is bool(bare(vector.frame)[1] & 0x80)
        assert found.signed == bare(vector.frame)[: len(found.signed)]
    else:
        assert found is Fault.CHECKSUM


@pytest.mark.parametrize("vector", frames("osdp"), ids=lambda vector: vector.note)
def test_the_tests_own_crc_is_the_recorded_one(vector: Vector) -> None:
    frame = bare(vector.frame)
    if frame[4] & 4:
        assert crc(frame[:-2]) == frame[-2:]


def test_commands_are_written_as_recorded() -> None:
    assert encode(5, 0, 0x61, b"\x00") == NOTES["ID request to 05 (with mark)"]
    assert encode(5, 1, 0x62, b"\x00") == NOTES["CAP request"]
    nonce = bytes.fromhex("D764C8CCE93255C4")
    assert encode(5, 2, 0x76, nonce, b"\x11\x01") == NOTES["CHLNG"]


def test_a_packet_is_taken_apart() -> None:
    found = decode(NOTES["RAW sealed 26"])
    assert isinstance(found, Packet)
    assert (found.address, found.is_reply, found.sequence) == (5, True, 1)
    assert (found.security, found.code, found.has_crc) == (b"\x18", 0x50, True)
    assert (len(found.data), found.mac.hex()) == (16, "5b24add0")
    assert "6ea303" not in repr(found)


def test_each_flipped_bit_is_noticed() -> None:
    for at in range(8 * len(packet(0x85, 5, b"\x40"))):
        broken = bytearray(packet(0x85, 5, b"\x40"))
        broken[at // 8] ^= 1 << at % 8
        found = decode(bytes(broken))
        # Without its CRC bit the packet must add up to nothing, which it does not.
        assert isinstance(found, Fault), at


@pytest.mark.parametrize(
    ("inside", "control"),
    [
        (b"\x02\x16\x40" + bytes(3), 0x0D),
        (b"\x02\x16" + bytes(4), 0x0D),
        (b"\x00\x16\x40" + bytes(4), 0x0D),
        (b"\x01\x40", 0x0D),
        (b"\x03\x16\x00\x40" + bytes(4), 0x0D),
        (b"\x02\x12\x76", 0x0D),
        (b"\x02\x19\x40" + bytes(4), 0x0D),
        (b"\xff\x16\x40" + bytes(4), 0x0D),
        (b"\x40", 0x85),
    ],
)
def test_impossible_structures_are_refused(inside: bytes, control: int) -> None:
    assert decode(packet(0x85, control, inside)) is Fault.STRUCTURE


def test_a_reply_is_found_behind_noise_echo_neighbours_and_false_starts() -> None:
    reply = packet(0x85, 5, b"\x40")
    before = [
        b"",
        b"\xff\xff\xff",
        b"\x00\x53\x17",
        b"\x53\x85",
        b"\x53\x85\xff\x00",
        b"\x53\x85\x0e\x00\x0d\x02\x16",
        NOTES["POLL seq 1"],
        NOTES["ACK seq 1"],
        bytes.fromhex("FF53050900046100C125"),
        packet(0x85, 5, b"\x40")[:-1] + b"\x00",
    ]
    for noise in before:
        found = find_reply(noise + reply + b"\x53", 5)
        assert found is not None, noise
        assert (found[0].code, found[1]) == (0x40, len(noise) + len(reply))
        assert find_reply(noise + reply[:-1], 5) is None


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("00", Fault.NOISE),
        ("538008", Fault.NOISE),
        ("538508", Fault.TRUNCATED),
        ("5385080005406C", Fault.TRUNCATED),
        ("53850000054000", Fault.LENGTH),
        ("5385FFFF054000", Fault.LENGTH),
        ("5385080005400000", Fault.CHECKSUM),
    ],
)
def test_what_is_no_reply_is_explained(digits: str, why: Fault) -> None:
    data = bytes.fromhex(digits)
    assert find_reply(data, 5) is None
    assert explain(data, 5) is why


@pytest.mark.parametrize("seed", [20240701])
def test_random_bytes_never_raise(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20_000):
        noise = chance.randbytes(chance.randrange(40))
        decode(noise)
        decode(b"\x53" + noise)
        explain(b"\x53\x85" + noise, 5)
        inside = noise or b"\x40"
        decode(packet(0x85, chance.randrange(256), inside))
