# SPDX-License-Identifier: Apache-2.0
"""The secure channel: recorded sessions byte for byte, and forgers."""

from __future__ import annotations

import pytest

from drivers.osdp.messages import Colour, light, pulse, set_key, sound
from drivers.osdp.secure_channel import (
    DEFAULT_KEY,
    Handshake,
    ReaderProof,
    SecureChannel,
    encryption,
    key_of_master,
    session_keys,
    weakness,
)
from drivers.osdp.wire import Packet, decode
from tests.drivers.osdp_wire import KEY, NOTES, cbc, crc, flipped, packet, uncbc

TEST_KEY = bytes(range(0x10, 0x20))
PANEL_NONCE = bytes.fromhex("D764C8CCE93255C4")
READER_NONCE = bytes.fromhex("478D7AA05D83F3EA")
UID = bytes.fromhex("BEBA0100AFBEADDE")
DATA_KEY, MAC1, MAC2 = (
    bytes.fromhex(text)
    for text in (
        "3DB7C6425B3698FFA39A3174A1C6A8A7",
        "1B13E8BD1922FE4AAABEF2148C8565DB",
        "E1E464105D1DC21EF9303C997F5F3A75",
    )
)
FIRST_MAC = bytes.fromhex("3F6DF39B7C12FCFAB43E811FCDFE74C5")


def reply(note: str) -> Packet:
    found = decode(NOTES[note])
    assert isinstance(found, Packet)
    return found


def handshake() -> Handshake:
    return Handshake(encrypt=encryption(TEST_KEY), nonce=PANEL_NONCE)


def proof() -> ReaderProof:
    data = reply("CCRYPT").data
    return ReaderProof(uid=data[:8], nonce=data[8:16], cryptogram=data[16:])


def channel() -> SecureChannel:
    attempt = handshake()
    assert attempt.answered(proof()) is not None
    found = attempt.agreed(reply("RMAC_I").data)
    assert found is not None
    return found


def continued(first_mac: bytes) -> SecureChannel:
    """The recorded session at a point whose last reply had this full MAC."""
    return SecureChannel(
        encrypt=encryption(DATA_KEY),
        decrypt=lambda data: uncbc(DATA_KEY, bytes(16), data),
        mac_of_block=encryption(MAC1),
        mac_of_last_block=encryption(MAC2),
        first_mac=first_mac,
    )


def test_session_keys_and_key_of_a_master() -> None:
    encrypt = encryption(TEST_KEY)
    assert session_keys(encrypt, PANEL_NONCE) == (DATA_KEY, MAC1, MAC2)
    derived = key_of_master(bytes(range(0x80, 0x90)), UID)
    assert derived.hex().upper() == "822A9BC571C7F95951D8F0C15B115B54"


def test_the_recorded_handshake() -> None:
    attempt = handshake()
    assert proof().uid == UID
    assert proof().nonce == READER_NONCE
    cryptogram = attempt.answered(proof())
    assert cryptogram is not None
    assert NOTES["SCRYPT"][10:26] == cryptogram
    assert reply("RMAC_I").data == FIRST_MAC
    assert attempt.agreed(FIRST_MAC) is not None


def test_a_handshake_that_is_wrong_in_one_bit_is_refused() -> None:
    for at in range(128):
        bad = bytearray(proof().cryptogram)
        bad[at // 8] ^= 1 << at % 8
        wrong = ReaderProof(uid=UID, nonce=READER_NONCE, cryptogram=bytes(bad))
        assert handshake().answered(wrong) is None
        attempt = handshake()
        attempt.answered(proof())
        bad = bytearray(FIRST_MAC)
        bad[at // 8] ^= 1 << at % 8
        assert attempt.agreed(bytes(bad)) is None
    other = Handshake(encrypt=encryption(bytes.fromhex(KEY)), nonce=PANEL_NONCE)
    assert other.answered(proof()) is None


def test_transcript_of_commands() -> None:
    side = channel()
    out = pulse(1, 50)
    assert side.seal(5, 1, out.code, out.data) == NOTES["OUT 50"]
    assert side._ours.hex().upper() == "489230CD14BF8106A7F042DF47B9D52D"
    assert side.open(reply("ACK of OUT 50")) == b""
    assert side._theirs.hex().upper() == "523CDAB06F0127462A1DB787AB20EC7F"
    out = pulse(1, 44)
    assert side.seal(5, 2, out.code, out.data) == NOTES["OUT 44"]


def acked(side: SecureChannel, sequence: int) -> None:
    """Let a reader's plain ACK go by, which the recording left out."""
    signed = packet(0x85, 0x0C | sequence, b"\x02\x16\x40" + bytes(4))[:-6]
    mac = cbc(MAC2, side._ours, signed + b"\x80" + bytes(7))
    ack = decode(packet(0x85, 0x0C | sequence, b"\x02\x16\x40" + mac[:4]))
    assert isinstance(ack, Packet)
    assert side.open(ack) == b""


def test_transcript_goes_on_with_lamp_and_sounder() -> None:
    side = channel()
    for sequence, units in ((1, 50), (2, 44)):
        side.seal(5, sequence, 0x68, pulse(1, units).data)
        acked(side, sequence)
    lamp = light(Colour.GREEN, timer_units=30, on_units=2, off_units=2)
    assert side.seal(5, 3, lamp.code, lamp.data) == NOTES["LED sealed"]
    acked(side, 3)
    tones = sound(on_units=1, off_units=1, count=3)
    assert side.seal(5, 1, tones.code, tones.data) == NOTES["BUZ sealed"]


def test_transcript_of_events() -> None:
    side = channel()
    steps = [
        (1, "RAW sealed 26", "00011A0012345680"),
        (2, "RAW sealed 56", "0000380004A1B2C3D4E5F6"),
        (3, "KEYPAD sealed", "00053132333423"),
        (1, "ISTATR sealed", "0100"),
    ]
    for index, (sequence, note, digits) in enumerate(steps, start=1):
        assert side.seal(5, sequence, 0x60, b"") == NOTES[f"POLL sealed {index}"]
        assert side.open(reply(note)) == bytes.fromhex(digits)
    assert side._ours != side._theirs


def test_transcript_of_a_key_change() -> None:
    """What stood before it was not recorded; its chain follows from the known key."""
    command = set_key(bytes(range(0x40, 0x50)))
    recorded = NOTES["KEYSET sealed"]
    first = uncbc(DATA_KEY, bytes(16), recorded[9:25])
    plain = command.data[:16]
    before = flipped(bytes(a ^ b for a, b in zip(first, plain, strict=True)))
    side = continued(before)
    assert side.seal(5, 1, command.code, command.data) == recorded
    assert side.open(reply("ACK of KEYSET")) == b""


def test_what_is_not_authentic_changes_nothing() -> None:
    side = channel()
    side.seal(5, 1, 0x60, b"")
    before = (side._ours, side._theirs)
    good = NOTES["RAW sealed 26"]
    for at in range(1, len(good) - 2):
        body = bytearray(good[:-2])
        body[at] ^= 0x01
        bad = decode(bytes(body) + crc(bytes(body)))
        if isinstance(bad, Packet) and bad.security[:1] in (b"\x16", b"\x18"):
            assert side.open(bad) is None, at
            assert (side._ours, side._theirs) == before
    assert side.open(reply("RAW sealed 56")) is None
    assert side.open(reply("RAW sealed 26")) is not None
    assert side.open(reply("RAW sealed 26")) is not None


@pytest.mark.parametrize(
    "digits",
    [
        "00" * 16,
        "FF" * 16,
        DEFAULT_KEY.hex(),
        TEST_KEY.hex(),
        bytes(range(0x1F, 0x0F, -1)).hex(),
        bytes(range(0xF8, 0x100)).hex() + bytes(range(8)).hex(),
        "0123456789ABCDEF" * 2,
        "DEADBEEF" * 4,
        "00" * 15 + "01",
        "0011223344556677" * 2,
    ],
)
def test_keys_that_attackers_try_first(digits: str) -> None:
    assert weakness(bytes.fromhex(digits))


def test_other_keys_are_good() -> None:
    assert not weakness(bytes.fromhex(KEY))
    assert weakness(b"") == weakness(bytes(17)) == "a key has 16 bytes"
