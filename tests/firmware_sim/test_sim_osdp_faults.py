# SPDX-License-Identifier: Apache-2.0
"""What can go wrong at a simulated OSDP reader and on its pair, and random bytes."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from firmware_sim.osdp.bus import OsdpBus, OsdpBusSettings
from firmware_sim.osdp.cards import CardFormat
from firmware_sim.osdp.frames import MAX_PACKET_BYTES, CommandFramer
from firmware_sim.osdp.settings import OsdpFault
from tests.firmware_sim.osdp_bench import (
    ACK,
    BUSY,
    ID,
    KEY,
    NAK,
    ON,
    OUT,
    POLL,
    reader_of,
    secure,
)
from tests.firmware_sim.osdp_panel import Panel, Told, parsed
from tests.firmware_sim.sim_vectors import vectors

if TYPE_CHECKING:
    from firmware_sim.osdp.reader import OsdpReader


def wire_of(panel: Panel) -> bytes:
    """Ask for the first output inside the channel; return the bare reply."""
    caught = []
    original = panel.exchange

    def listening(frame: bytes) -> bytes:
        caught.append(original(frame))
        return caught[0]

    panel.exchange = listening  # type: ignore[method-assign]
    panel.try_ask_secretly(OUT, ON)
    panel.exchange = original  # type: ignore[method-assign]
    return caught[0]


@pytest.mark.parametrize(
    "fault",
    [
        OsdpFault.WRONG_CHECK,
        OsdpFault.WRONG_MAC,
        OsdpFault.OLD_SEQUENCE,
        OsdpFault.TRUNCATED,
        OsdpFault.DROPPED,
    ],
)
def test_after_a_spoiled_reply_the_repetition_is_right(fault: OsdpFault) -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.spoil(fault)
    mac = panel._mac
    spoiled = wire_of(panel)
    panel._mac = mac  # what was spoiled does not count for the panel
    assert reader.snapshot().outputs[0], "the order was carried out"
    told = panel.opened(panel.repeat())
    assert told is not None
    assert (told.code, told.mac_is_right) == (ACK, True)
    assert spoiled != panel.repeat()
    assert panel.ask_secretly(POLL).mac_is_right


def test_each_spoiled_reply_is_spoiled_in_its_own_way() -> None:
    def told(fault: OsdpFault) -> tuple[bytes, Told | None, Panel]:
        reader = reader_of()
        panel = secure(reader)
        reader.spoil(fault)
        wire = wire_of(panel)
        return wire, parsed(wire), panel

    wire, reply, _ = told(OsdpFault.WRONG_CHECK)
    assert (len(wire), reply) == (14, None)
    wire, reply, _ = told(OsdpFault.TRUNCATED)
    assert (len(wire), reply) == (7, None)
    wire, _, _ = told(OsdpFault.DROPPED)
    assert wire == b""
    _, reply, panel = told(OsdpFault.WRONG_MAC)
    assert reply is not None
    assert (reply.code, reply.block, reply.sequence) == (ACK, 0x16, 1)
    _, reply, panel = told(OsdpFault.OLD_SEQUENCE)
    assert reply is not None
    assert (reply.code, reply.sequence, panel.sequence) == (ACK, 3, 2)


def test_a_reply_with_an_old_number_has_a_right_mac_all_the_same() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.spoil(OsdpFault.OLD_SEQUENCE)
    told = panel.try_ask_secretly(POLL)
    assert told is not None
    assert (told.sequence, told.mac_is_right) == (3, True)


def test_a_replayed_reply_is_the_one_before() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.swipe(CardFormat.WIEGAND_26, 7, panel.now)
    panel.ask_secretly(POLL)
    recorded = panel.repeat()
    reader.spoil(OsdpFault.REPLAYED)
    assert wire_of(panel) == recorded
    assert not reader.snapshot().outputs[0]
    assert panel.repeat() != recorded, "asked again, it answers"
    assert reader.snapshot().outputs[0]


def test_busy_costs_nothing_but_time() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.spoil(OsdpFault.BUSY, 3)
    for _ in range(3):
        told = parsed(wire_of(panel))
        assert told is not None
        assert (told.code, told.sequence, told.block) == (BUSY, 0, 0)
        panel.sequence = (panel.sequence - 2) % 3 + 1  # the same number again
    assert not reader.snapshot().outputs[0]
    assert panel.ask_secretly(OUT, ON).mac_is_right


@pytest.mark.parametrize("code", [1, 3, 6, 9, 0xFF])
def test_any_nak_can_be_asked_for(code: int) -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.spoil(OsdpFault.REFUSED, nak_code=code)
    told = panel.ask_secretly(OUT, ON)
    assert (told.code, told.data, told.mac_is_right) == (NAK, bytes((code,)), True)
    assert told.block == 0x16, "a NAK's code stays in clear"
    assert not reader.snapshot().outputs[0]
    assert panel.ask_secretly(OUT, ON).code == ACK


def test_an_unheard_command_is_not_carried_out() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.spoil(OsdpFault.UNHEARD)
    assert wire_of(panel) == b""
    assert not reader.snapshot().outputs[0]
    told = panel.opened(panel.repeat())
    assert told is not None
    assert told.code == ACK


def test_a_stale_mac_waits_for_the_end_of_a_handshake() -> None:
    reader = reader_of()
    reader.spoil(OsdpFault.STALE_MAC)
    panel = Panel(reader)
    panel.ask(ID)
    assert not panel.shake_hands(KEY), "zeros: there was no channel before"
    first = panel._mac
    reader.spoil(OsdpFault.STALE_MAC)
    told = panel.challenge()
    assert not panel.prove(KEY, told)
    assert parsed(panel.repeat()) is not None
    assert panel._mac != first
    assert panel.ask_secretly(POLL).mac_is_right, (
        "the reader itself knows the right one"
    )


def test_every_third_reply_is_lost() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.settings = replace(reader.settings, lose_every=3)
    heard = []
    for _ in range(9):
        told = panel.try_ask_secretly(POLL)
        if told is None:
            told = panel.opened(panel.repeat())
            heard.append("lost")
        assert told is not None
        assert told.mac_is_right
        heard.append("heard")
    assert heard.count("lost") == 4


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.25])
def test_the_reply_waits_for_its_delay(delay_s: float) -> None:
    reader = reader_of(reply_delay_s=delay_s)
    reader.receive(bytes.fromhex("53000900046100") + b"\x18\xcd", 1.0)
    assert reader.deadline() is None, "a wrong check is met with silence"
    assert Panel(reader, patience_s=delay_s).ask(ID).code == 0x45
    hasty = Panel(reader, patience_s=delay_s * 0.9, now=200.0)
    assert (hasty.try_ask(ID) is None) == (delay_s > 0)


def test_a_broken_frame_is_refused_where_the_firmware_does() -> None:
    reader = reader_of(answers_bad_check=True)
    panel = Panel(reader)
    told = parsed(panel.exchange(bytes.fromhex("5300080004600000")))
    assert told is not None
    assert (told.code, told.data) == (NAK, b"\x01")


def test_a_mark_stands_in_front_where_the_firmware_sends_one() -> None:
    reader = reader_of(sends_mark=True)
    panel = Panel(reader)
    assert panel.ask(ID).code == 0x45
    panel.sequence = 0
    reader.receive(panel.last_frame, panel.now)
    assert reader.take_outgoing(panel.now + 1)[:2] == b"\xff\x53"


def test_a_silent_reader_is_not_there() -> None:
    reader = reader_of(is_silent=True)
    assert Panel(reader).try_ask(ID) is None


# -- the pair ----------------------------------------------------------------------


def test_readers_of_one_pair_answer_to_their_own_addresses() -> None:
    bus = OsdpBus([reader_of(address=1), reader_of(address=2)])
    for address in (1, 2):
        panel = Panel(bus, address, now=100.0 * address)
        assert panel.ask(ID).address == 0x80 | address
        assert panel.shake_hands(KEY)
        assert panel.ask_secretly(POLL).code == ACK
    assert Panel(bus, 3, now=300.0).try_ask(ID) is None
    assert bus.baud == 9_600


def test_two_readers_of_one_address_garble_each_other() -> None:
    ids = bytes.fromhex("BEBAFE0101AFBEADDEADDEAD"), bytes.fromhex("A0" * 12)
    readers = [reader_of(address=1, device_id=one) for one in ids]
    bus = OsdpBus(readers)
    assert Panel(bus, 1).try_ask(ID) is None
    assert bus.collisions == 1


def test_two_readers_of_one_address_may_answer_one_behind_the_other() -> None:
    readers = [reader_of(address=1, reply_delay_s=delay) for delay in (0.01, 0.05)]
    bus = OsdpBus(readers)
    panel = Panel(bus, 1, patience_s=0.02)
    assert panel.ask(ID).code == 0x45
    panel.now += 0.1
    assert parsed(bus.take_outgoing(panel.now)) is not None


def test_a_cut_pair_carries_nothing_and_an_echo_comes_first() -> None:
    bus = OsdpBus([reader_of()], OsdpBusSettings(is_cut=True))
    assert Panel(bus).try_ask(ID) is None
    bus.settings = OsdpBusSettings(local_echo=True)
    panel = Panel(bus, now=200.0)
    panel.try_ask(ID)
    heard = panel.repeat()
    assert heard.startswith(panel.last_frame)
    assert parsed(heard[len(panel.last_frame) :]) is not None


# -- random bytes ------------------------------------------------------------------


def fuzz(frames: int, seed: int) -> OsdpReader:
    """Feed bent and random frames; the reader must answer a sound one afterwards."""
    chance = random.Random(seed)
    known = [one.data for one in vectors("osdp")]
    reader = reader_of(demands_secure_channel=False, answers_bad_check=True)
    now = 0.0
    for _ in range(frames):
        data = bytearray(chance.choice(known))
        for _ in range(chance.randrange(3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        now += chance.choice((0.0, 0.001, 0.03))
        reader.receive(bytes(data), now)
        if chance.random() < 0.1:
            reader.take_outgoing(now)
    reader.take_outgoing(now + 10)
    return reader


@pytest.mark.parametrize("seed", [1, 20_261_122])
def test_random_bytes_neither_raise_nor_confuse(seed: int) -> None:
    reader = fuzz(50_000, seed)
    panel = Panel(reader, reader.address, now=10_000.0)
    assert panel.ask(ID).code == 0x45
    assert panel.shake_hands(KEY)
    assert panel.ask_secretly(POLL).mac_is_right


def test_the_framer_keeps_no_more_than_a_packet() -> None:
    framer = CommandFramer(0.02)
    chance = random.Random(7)
    for step in range(2_000):
        framer.feed(bytes((0x53, 0, 0xFF, 0)) + chance.randbytes(40), step * 0.001)
        assert len(framer._buffer) < MAX_PACKET_BYTES


def test_frames_in_pieces_and_behind_noise_are_found() -> None:
    poll = bytes.fromhex("530008000460EBAA")
    framer = CommandFramer(0.02)
    found = []
    for byte in b"\xff\x53\x00" + bytes((9, 9)) + poll + b"\x53" + poll:
        found += framer.feed(bytes((byte,)), 1.0)
    assert len([one for one in found if one.is_sound]) == 2
    assert framer.feed(poll[:4], 2.0) == []
    assert len(framer.feed(poll, 2.1)) == 1, "silence ends half a frame"
