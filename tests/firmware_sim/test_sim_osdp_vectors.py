# SPDX-License-Identifier: Apache-2.0
"""The simulated OSDP reader against libosdp's own frames, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim.osdp.channel import Handshake, SecureChannel
from firmware_sim.osdp.frames import CommandFramer
from firmware_sim.osdp.reader import OsdpReader
from firmware_sim.osdp.settings import OsdpFault, OsdpReaderSettings
from tests.firmware_sim.sim_vectors import frames, vectors

WIRE = frames("osdp")
KEY = bytes(range(0x10, 0x20))
PANEL_NONCE = bytes.fromhex("D764C8CCE93255C4")
NONCES = (bytes.fromhex("478D7AA05D83F3EA"), bytes.fromhex("A2B7249B043E23CD"))
NOW, LATER = 50.0, 50.1


def reader_of(*, nonce: bytes = NONCES[0], **knobs: Any) -> OsdpReader:
    settings = OsdpReaderSettings(**{"keys_are_ascii": True, **knobs})
    return OsdpReader(settings, nonce=lambda _: nonce)


def provisioned() -> OsdpReader:
    return reader_of(address=5, base_key=KEY)


def open_reader(**knobs: Any) -> OsdpReader:
    """A reader at address 0 that talks in clear and has heard number 0."""
    reader = reader_of(demands_secure_channel=False, **knobs)
    assert say(reader, "asked: poll 0")
    return reader


def say(reader: OsdpReader, name: str) -> bytes:
    reader.receive(WIRE[name], NOW)
    return reader.take_outgoing(LATER)


def play(reader: OsdpReader, *names: str) -> None:
    """Let the panel's and the reader's frames of a transcript follow each other."""
    for name in names:
        if name.startswith("told: "):
            assert reader.take_outgoing(LATER) == WIRE[name], name
        else:
            assert reader.take_outgoing(LATER) == b""
            reader.receive(WIRE[name], NOW)


INTRODUCTION = (
    "asked: id 0",
    "told: id 0",
    "asked: capabilities 1",
    "told: capabilities 1",
)
HANDSHAKE = (
    *INTRODUCTION,
    "asked: challenge 2",
    "told: cryptogram 2",
    "asked: proof 3",
    "told: first mac 3",
)


def test_the_handshake_and_its_orders_have_libosdps_bytes() -> None:
    reader = provisioned()
    play(reader, *HANDSHAKE, "asked: secret output 1", "told: secret ack 1")
    assert reader.snapshot().is_secure
    assert reader.snapshot().outputs == (True, False)
    play(reader, "asked: secret output 2")
    assert reader.take_outgoing(LATER)[5:8] == b"\x02\x16\x40", "an ACK with a MAC"


def test_a_second_order_carries_its_own_time() -> None:
    reader = provisioned()
    play(reader, *HANDSHAKE, "asked: secret output 1", "told: secret ack 1")
    reader.receive(WIRE["asked: secret output 2"], LATER)
    assert reader.front.next_change() == pytest.approx(LATER + 4.4)


def test_cards_digits_and_inputs_have_libosdps_bytes() -> None:
    reader = provisioned()
    play(reader, *HANDSHAKE)
    reader.present_card(26, bytes.fromhex("12345680"), NOW)
    reader.present_card(56, bytes.fromhex("04A1B2C3D4E5F6"), NOW, is_wiegand=False)
    reader.type_keys("1234#", NOW)
    reader.set_input(1, NOW, is_active=True)
    play(
        reader,
        "asked: secret poll 1",
        "told: secret card of 26 bits 1",
        "asked: secret poll 2",
        "told: secret card of 56 bits 2",
        "asked: secret poll 3",
        "told: secret keys 1234# 3",
        "asked: secret poll 1 again",
        "told: secret inputs 1",
    )


def test_install_mode_answers_with_the_default_key() -> None:
    reader = reader_of(address=5, nonce=NONCES[1], demands_secure_channel=False)
    reader.receive(WIRE["asked: id 0"], NOW)
    for number in (1, 2):
        poll = f"530508000{4 + number}60"
        raw = bytes.fromhex(poll)
        reader.receive(raw + crc(raw), NOW)
    reader.take_outgoing(LATER)
    told = say(reader, "asked: challenge with default key 3")
    assert told == WIRE["told: cryptogram with default key 3"]


def crc(content: bytes) -> bytes:
    """Return the CRC, one bit at a time."""
    value = 0x1D0F
    for byte in content:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value.to_bytes(2, "little")


def test_a_challenge_with_number_0_begins_anew() -> None:
    reader = provisioned()
    play(reader, *HANDSHAKE)
    told = say(reader, "asked: challenge 0")
    assert told[5:9] == b"\x03\x12\x01\x76"
    assert not reader.snapshot().is_secure


def test_session_keys_are_the_published_ones() -> None:
    shake = Handshake.begun(KEY, PANEL_NONCE, NONCES[0])
    assert shake.encryption_key.hex().upper() == "3DB7C6425B3698FFA39A3174A1C6A8A7"
    assert shake.mac_key.hex().upper() == "1B13E8BD1922FE4AAABEF2148C8565DB"
    assert shake.last_mac_key.hex().upper() == "E1E464105D1DC21EF9303C997F5F3A75"
    proof = WIRE["asked: proof 3"][10:26]
    mac = shake.initial_mac(proof)
    assert mac == WIRE["told: first mac 3"][9:25]
    assert shake.initial_mac(bytes(16)) is None
    channel = SecureChannel(shake, mac)
    signed = WIRE["asked: secret output 1"][1:-6]
    assert not channel.takes(signed, bytes(4))
    assert channel.takes(signed, bytes.fromhex("489230CD"))
    ack = channel.reply_mac(WIRE["told: secret ack 1"][:-6])
    assert ack.hex().upper() == "523CDAB06F0127462A1DB787AB20EC7F"


def test_polls_in_clear_are_answered_in_the_way_they_were_asked() -> None:
    reader = open_reader()
    play(reader, "asked: poll 1", "told: ack 1")
    told = say(reader, "asked: poll 0, checksum")
    assert told.hex() == "538007000040e6", "a checksum for a checksum"


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (
            lambda one: one.present_card(26, bytes.fromhex("12345680"), NOW),
            "told: card of 26 bits, 3",
        ),
        (lambda one: one.type_keys("1234#", NOW), "told: keys 1234#, 1"),
        (lambda one: one.tamper(NOW), "told: tampered, 2"),
    ],
)
def test_what_is_told_in_clear_has_the_published_bytes(act: Any, name: str) -> None:
    reader = open_reader()
    sequence = int(name[-1])
    for number in range(1, sequence + 1):
        if number == sequence:
            act(reader)
        raw = bytes.fromhex(f"530008000{4 + number}60")
        reader.receive(raw + crc(raw), NOW)
        told = reader.take_outgoing(LATER)
    assert told == WIRE[name]


def test_orders_in_clear_do_what_the_published_bytes_say() -> None:
    reader = open_reader()
    say(reader, "asked: buzzer three times, 1")
    assert reader.snapshot().is_buzzing
    say(reader, "asked: output 1 on for 5 s, 2")
    say(reader, "asked: lamp green/black for 3 s, 3")
    assert reader.snapshot().lamps == ("green/black 0.2/0.2 s",)
    assert reader.snapshot().outputs == (True, False)
    reader.tick(NOW + 5)
    assert reader.snapshot().lamps == ("black",)
    assert reader.snapshot().outputs == (False, False)
    assert not reader.snapshot().is_buzzing


def test_busy_and_a_nak_have_the_published_bytes() -> None:
    reader = open_reader()
    reader.spoil(OsdpFault.BUSY)
    assert say(reader, "asked: poll 1") == WIRE["told: busy"]
    play(reader, "asked: poll 1", "told: ack 1")
    reader.spoil(OsdpFault.REFUSED)
    assert say(reader, "asked: output 1 on for 5 s, 2") == WIRE["told: nak 3, 2"]
    assert reader.snapshot().outputs == (False, False)


def test_address_and_rate_change_behind_the_reply() -> None:
    reader = open_reader()
    say(reader, "asked: poll 1")
    say(reader, "asked: output 1 on for 5 s, 2")
    reader.receive(WIRE["asked: address 5 and 115200 baud, 3"], NOW)
    assert (reader.address, reader.baud) == (0, 9_600)
    told = reader.take_outgoing(LATER)
    assert told[1] == 0x80
    assert told[5:11] == bytes.fromhex("540500C20100")
    assert (reader.address, reader.baud) == (5, 115_200)
    assert say(reader, "asked: id 0")[1] == 0x85


def test_a_broadcast_is_answered_from_ff() -> None:
    reader = open_reader()
    told = say(reader, "asked: address 5 and 9600 baud, broadcast")
    assert told[1] == 0xFF
    assert reader.address == 5


def test_a_key_in_clear_is_refused() -> None:
    reader = open_reader()
    told = say(reader, "asked: key in clear, 1")
    assert told[5:7] == b"\x41\x06"
    assert not reader.snapshot().has_own_key


@pytest.mark.parametrize("vector", vectors("osdp"), ids=lambda one: one.note)
def test_only_sound_commands_are_commands(vector: Any) -> None:
    found = CommandFramer(0.02).feed(vector.data, NOW)
    is_command = vector.is_sound and vector.note.startswith("asked: ")
    assert [frame.is_sound for frame in found] == [True] * is_command
