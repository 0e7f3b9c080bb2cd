# SPDX-License-Identifier: Apache-2.0
"""The simulated OSDP reader's secure channel and its sequence of numbers."""

from __future__ import annotations

from dataclasses import replace

from firmware_sim.happening import What
from firmware_sim.osdp.cards import CardFormat
from firmware_sim.osdp.channel import DEFAULT_KEY
from firmware_sim.osdp.reader import OsdpReader
from firmware_sim.osdp.settings import Capability
from tests.firmware_sim.osdp_bench import (
    ACK,
    CAP,
    COMSET,
    ID,
    ISTAT,
    KEY,
    KEYSET,
    LED,
    LSTAT,
    OUT,
    POLL,
    RAW,
    panel_at,
    reader_of,
    refusal,
    secure,
)
from tests.firmware_sim.osdp_panel import Panel

# -- the secure channel ------------------------------------------------------------


def test_each_handshake_has_a_nonce_of_its_own() -> None:
    reader = reader_of()
    panel = panel_at(reader)
    nonces = {panel.challenge().data[8:16] for _ in range(8)}
    assert len(nonces) == 8
    drawn = iter((b"ABCDEFGH", b"IJKLMNOP"))
    own = OsdpReader(reader.settings, nonce=lambda _size: next(drawn))
    panel = panel_at(own)
    assert [panel.challenge().data[8:16] for _ in range(2)] == [
        b"ABCDEFGH",
        b"IJKLMNOP",
    ]


def test_a_reader_that_demands_security_tells_a_stranger_only_who_it_is() -> None:
    reader = reader_of()
    reader.swipe(CardFormat.WIEGAND_26, 1, 1.0)
    panel = panel_at(reader)
    for code in (POLL, LSTAT, ISTAT, OUT, LED, COMSET, KEYSET):
        assert refusal(panel.ask(code, bytes(4))) == 6
    assert reader.snapshot().waiting == 1


def test_a_reader_that_does_not_tells_cards_to_anybody() -> None:
    reader = reader_of(demands_secure_channel=False)
    reader.swipe(CardFormat.WIEGAND_26, 1, 1.0)
    assert panel_at(reader).ask(POLL).code == RAW


def test_a_wrong_key_opens_no_channel() -> None:
    reader = reader_of()
    panel = panel_at(reader)
    told = panel.challenge()
    proof = panel.try_ask(0x77, bytes(16), b"\x03\x13\x01")
    assert refusal(proof) == 6
    assert told.data[:8] == reader.settings.client_id
    assert not reader.snapshot().is_secure
    assert refusal(panel.try_ask(0x77, bytes(16), b"\x03\x13\x01")) == 6, "used up"


def test_a_reader_with_its_own_key_refuses_the_default_key() -> None:
    assert refusal(panel_at(reader_of()).challenge(which=0)) == 6


def test_install_mode_says_default_key_whatever_was_asked() -> None:
    reader = reader_of(base_key=None)
    panel = panel_at(reader)
    told = panel.challenge(which=1)
    assert told.block_data == b"\x00"
    assert panel.prove(DEFAULT_KEY, told)


def test_a_new_key_comes_inside_the_channel_and_counts_from_the_next_one() -> None:
    reader = reader_of(base_key=None)
    panel = panel_at(reader)
    assert panel.shake_hands(DEFAULT_KEY, which=0)
    assert refusal(panel.ask_secretly(KEYSET, b"\x01\x08" + KEY)) == 2
    assert panel.ask_secretly(KEYSET, b"\x01\x10" + KEY).code == ACK
    assert panel.ask_secretly(POLL).mac_is_right, "the old channel goes on"
    assert reader.snapshot().has_own_key
    assert panel_at(reader, panel.now).shake_hands(KEY)


def test_a_reader_without_aes_neither_promises_nor_shakes_hands() -> None:
    reader = reader_of(has_aes=False, demands_secure_channel=False)
    panel = Panel(reader)
    panel.ask(ID)
    told = panel.ask(CAP).data
    assert 9 not in told[::3]
    assert refusal(panel.challenge()) == 5
    with_aes = Panel(reader_of())
    with_aes.ask(ID)
    assert 9 in with_aes.ask(CAP).data[::3]


def test_capabilities_can_be_whatever_the_test_wants() -> None:
    told = Capability(function=9, level=0), Capability(function=14, level=1, number=7)
    reader = reader_of(capabilities=told)
    panel = Panel(reader)
    panel.ask(ID)
    assert panel.ask(CAP).data == bytes.fromhex("0900000E0107")


def test_inside_a_channel_nothing_in_clear_is_obeyed() -> None:
    reader = reader_of(demands_secure_channel=False)
    panel = secure(reader)
    assert refusal(panel.ask(OUT, b"\x00\x02\x00\x00")) == 6
    assert reader.snapshot().outputs == (False, False)
    assert panel.ask_secretly(POLL).code == ACK, "the channel outlives the try"


def test_a_command_with_a_wrong_mac_ends_the_channel() -> None:
    reader = reader_of()
    panel = secure(reader)
    panel._mac = bytes(16)
    told = panel.try_ask_secretly(OUT, b"\x00\x02\x00\x00")
    assert refusal(told) == 6
    assert told is not None
    assert told.block == 0
    assert not reader.snapshot().is_secure
    assert reader.snapshot().outputs == (False, False)
    assert refusal(panel.try_ask_secretly(POLL)) == 6


def test_a_channel_dies_of_eight_seconds_of_silence() -> None:
    reader = reader_of()
    panel = secure(reader)
    panel.now += 7.7
    assert panel.ask_secretly(POLL).code == ACK
    panel.now += 8.1
    assert refusal(panel.try_ask_secretly(POLL)) == 6
    assert secure(reader, panel.now).ask_secretly(POLL).code == ACK
    assert reader.snapshot().sessions == 2


# -- the sequence ------------------------------------------------------------------


def test_a_repeated_command_is_answered_again_and_not_carried_out_again() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.swipe(CardFormat.WIEGAND_26, 7, panel.now)
    told = panel.ask_secretly(POLL)
    again = panel.repeat()
    assert told.code == RAW
    assert panel.opened(again) == replace(told, mac_is_right=True)
    assert panel.ask_secretly(POLL).code == ACK
    assert [one.what for one in reader.diary.entries()].count(What.CARD_READ) == 1


def test_a_number_out_of_turn_is_refused_and_moves_nothing() -> None:
    reader = reader_of(demands_secure_channel=False)
    panel = panel_at(reader)
    panel.sequence = 3
    assert refusal(panel.ask(OUT, b"\x00\x02\x00\x00")) == 4
    assert reader.snapshot().outputs == (False, False)
    panel.sequence = 2
    assert panel.ask(POLL).code == ACK
    fresh = Panel(reader_of())
    fresh.sequence = 2
    assert refusal(fresh.ask(ID)) == 4, "nobody began with 0"


def test_number_0_forgets_the_channel() -> None:
    reader = reader_of()
    panel = secure(reader)
    panel.sequence = 0
    assert panel.ask(ID).code == 0x45
    assert not reader.snapshot().is_secure
