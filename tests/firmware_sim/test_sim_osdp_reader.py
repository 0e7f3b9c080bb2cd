# SPDX-License-Identifier: Apache-2.0
"""The simulated OSDP reader: what it feels and tells, shows and switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.osdp.cards import CardFormat, encoded
from firmware_sim.osdp.senses import MAX_WAITING
from firmware_sim.osdp.settings import Capability, OsdpReaderSettings
from tests.firmware_sim.osdp_bench import (
    ACK,
    BUZ,
    COMSET,
    ID,
    ISTAT,
    ISTATR,
    KEYPAD,
    LED,
    LSTAT,
    LSTATR,
    OSTAT,
    OUT,
    POLL,
    RAW,
    RSTAT,
    TEXT,
    reader_of,
    refusal,
    secure,
)

if TYPE_CHECKING:
    from firmware_sim.osdp.reader import OsdpReader


def lamp(temporary: str, lasting: str) -> bytes:
    return bytes.fromhex("0000" + temporary + lasting)


def signs(reader: OsdpReader) -> list[tuple[str, str]]:
    return [(one.what.value, one.detail) for one in reader.diary.entries()]


# -- cards, digits, inputs, tamper -------------------------------------------------


@pytest.mark.parametrize(
    ("card", "number", "told"),
    [
        (CardFormat.WIEGAND_26, 0x123456, "00011A00091A2B00"),
        (CardFormat.WIEGAND_26, 0, "00011A0000000040"),
        (CardFormat.WIEGAND_34, 0xDEADBEEF, "00012200EF56DF7780"),
        (CardFormat.RAW_64, 0x04A1B2C3D4E5F607, "0000400004A1B2C3D4E5F607"),
    ],
)
def test_cards_have_the_formats_of_the_trade(
    card: CardFormat, number: int, told: str
) -> None:
    reader = reader_of()
    panel = secure(reader)
    assert reader.swipe(card, number, panel.now)
    assert panel.ask_secretly(POLL).data == bytes.fromhex(told)


def test_parity_of_wiegand_cards_is_even_in_front_and_odd_behind() -> None:
    for card, half in ((CardFormat.WIEGAND_26, 13), (CardFormat.WIEGAND_34, 17)):
        for number in (0, 1, 0x1000, 0x123456, 0xFFFFFF):
            bits, data = encoded(card, number)
            value = int.from_bytes(data, "big") >> len(data) * 8 - bits
            assert (value >> half).bit_count() % 2 == 0
            assert (value & (1 << half) - 1).bit_count() % 2 == 1


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({}, ["00053132333" + "40D"]),
        ({"keys_are_ascii": True}, ["0005313233342" + "3"]),
        ({"keys_per_reply": 1}, ["000131", "000132", "000133", "000134", "00010D"]),
        ({"keys_per_reply": 3}, ["0003313233", "0002340D"]),
    ],
)
def test_digits_come_together_or_one_by_one(
    knobs: dict[str, Any], told: list[str]
) -> None:
    reader = reader_of(**knobs)
    panel = secure(reader)
    assert reader.type_keys("1234#", panel.now)
    for data in told:
        reply = panel.ask_secretly(POLL)
        assert (reply.code, reply.data) == (KEYPAD, bytes.fromhex(data))
    assert panel.ask_secretly(POLL).code == ACK
    assert "1234" not in repr(signs(reader))


def test_tamper_supply_and_inputs_are_told_in_their_order() -> None:
    reader = reader_of(active_inputs=(2,))
    panel = secure(reader)
    reader.tamper(panel.now)
    reader.fail_supply(panel.now)
    reader.press_exit(panel.now, hold_s=0.3)
    told = [panel.ask_secretly(POLL) for _ in range(5)]
    assert [(one.code, one.data) for one in told] == [
        (LSTATR, b"\x01\x00"),
        (LSTATR, b"\x01\x01"),
        (ISTATR, b"\x01\x01"),
        (ISTATR, b"\x00\x01"),
        (ACK, b""),
    ]
    assert panel.ask_secretly(LSTAT).data == b"\x01\x01"
    assert panel.ask_secretly(ISTAT).data == b"\x00\x01"
    assert panel.ask_secretly(RSTAT).data == b"\x00"
    reader.tamper(panel.now, is_tampered=False)
    assert panel.ask_secretly(POLL).data == b"\x00\x01"


def test_some_readers_tell_changes_only_when_asked() -> None:
    reader = reader_of(reports_changes=False)
    panel = secure(reader)
    reader.tamper(panel.now)
    reader.set_input(1, panel.now, is_active=True)
    assert panel.ask_secretly(POLL).code == ACK
    assert panel.ask_secretly(LSTAT).data == b"\x01\x00"
    assert panel.ask_secretly(ISTAT).data == b"\x01\x00"


def test_what_comes_while_too_much_waits_is_lost() -> None:
    reader = reader_of()
    for number in range(MAX_WAITING + 3):
        reader.swipe(CardFormat.WIEGAND_26, number, 1.0)
    assert reader.snapshot().waiting == MAX_WAITING
    assert reader.senses.lost == 3


# -- the front ---------------------------------------------------------------------


def test_a_lamp_shows_what_passes_over_what_lasts() -> None:
    reader = reader_of()
    panel = secure(reader)
    red_for_good = lamp("00000000000000", "01 01 00 01 00".replace(" ", ""))
    green_for_2_s = lamp("02010002001400", "0000000000")
    assert panel.ask_secretly(LED, red_for_good).code == ACK
    assert panel.ask_secretly(LED, green_for_2_s).code == ACK
    assert reader.snapshot().lamps == ("green",)
    panel.now += 2
    assert panel.ask_secretly(POLL).code == ACK
    both = lamp("02020203001E00", "0101000400")
    assert panel.ask_secretly(LED, both).code == ACK
    cancel = lamp("01000000000000", "0000000000")
    assert panel.ask_secretly(LED, cancel).code == ACK
    shown = [detail for what, detail in signs(reader) if what == "lamp_shown"]
    assert shown == ["red", "green", "red", "blue", "amber/black 0.2/0.2 s", "blue"]


def test_the_end_of_a_passing_lamp_bears_its_own_time() -> None:
    reader = reader_of()
    panel = secure(reader)
    at = panel.now
    panel.ask_secretly(LED, lamp("02010002001400", "0000000000"))
    assert reader.deadline() == pytest.approx(at + 2.0)
    reader.tick(at + 60)
    assert reader.diary.entries()[-1].at == pytest.approx(at + 2.0)
    assert reader.deadline() is None


def test_buzzer_and_screen_are_seen_and_heard() -> None:
    reader = reader_of()
    panel = secure(reader)
    panel.ask_secretly(BUZ, b"\x00\x02\x01\x01\x03")
    panel.ask_secretly(TEXT, b"\x00\x01\x00\x01\x01\x05Hello")
    panel.now += 1
    panel.ask_secretly(TEXT, b"\x00\x03\x02\x01\x01\x04Wait")
    panel.now += 2
    panel.ask_secretly(BUZ, b"\x00\x02\x05\x05\x00")
    panel.now += 60
    panel.ask_secretly(POLL)
    panel.now += 3
    assert reader.snapshot().is_buzzing
    secure(reader, panel.now).ask_secretly(BUZ, b"\x00\x01\x00\x00\x00")
    assert not reader.snapshot().is_buzzing
    assert signs(reader) == [
        ("buzzer_sounded", "0.1 s on, 0.1 s off, 3 times"),
        ("text_shown", "Hello"),
        ("buzzer_silent", ""),
        ("text_shown", "Wait"),
        ("text_shown", "Hello"),
        ("buzzer_sounded", "0.5 s on, 0.5 s off, on and on"),
        ("buzzer_silent", ""),
    ]


def test_outputs_keep_the_six_ways_of_the_standard() -> None:
    reader = reader_of(outputs=1)
    panel = secure(reader)

    def level(control: int, tenths: int = 0) -> bool:
        data = bytes((0, control)) + tenths.to_bytes(2, "little")
        assert panel.ask_secretly(OUT, data).code == ACK
        return panel.ask_secretly(OSTAT).data == b"\x01"

    assert level(2), "on for good"
    assert level(0), "nothing"
    assert not level(6, 20), "off for 2 s"
    assert not level(4), "on for good, once the 2 s are over"
    panel.now += 2
    assert level(0)
    assert not level(1), "off for good"
    assert level(5, 300), "on for 30 s, more than one byte can say"
    assert level(3), "off for good, once the 30 s are over"
    for _ in range(6):
        panel.now += 5
        still = level(0)
    assert not still
    assert [one.what for one in reader.diary.entries()] == [
        What.RELAY_ON,
        What.RELAY_OFF,
        What.RELAY_ON,
        What.RELAY_OFF,
        What.RELAY_ON,
        What.RELAY_OFF,
    ]


@pytest.mark.parametrize(
    ("code", "data", "why"),
    [
        (OUT, "", 2),
        (OUT, "000200", 2),
        (OUT, "02020000", 9),
        (OUT, "00070000", 9),
        (OUT, "0002000005020000", 9),
        (LED, "00" * 13, 2),
        (LED, "01" + "00" * 13, 9),
        (LED, "0001" + "00" * 12, 9),
        (LED, "0000020101080 00000000000000000".replace(" ", "")[:28], 9),
        (BUZ, "0002010103FF", 2),
        (BUZ, "0102010103", 9),
        (BUZ, "0003010103", 9),
        (TEXT, "00010001010541", 2),
        (TEXT, "0005000101" + "0141", 9),
        (COMSET, "0080250000FF", 2),
        (COMSET, "7F80250000", 9),
        (COMSET, "0001000000", 9),
        (0x80, "BEBAFE", 3),
        (0x74, "00", 3),
    ],
)
def test_what_does_not_fit_is_refused_and_moves_nothing(
    code: int, data: str, why: int
) -> None:
    reader = reader_of()
    panel = secure(reader)
    assert refusal(panel.ask_secretly(code, bytes.fromhex(data))) == why
    assert reader.diary.entries() == ()
    assert reader.snapshot().outputs == (False, False)


def test_a_reader_without_a_screen_does_not_know_text() -> None:
    panel = secure(reader_of(has_screen=False))
    assert refusal(panel.ask_secretly(TEXT, b"\x00\x01\x00\x01\x01\x01A")) == 3


# -- power and wire ----------------------------------------------------------------


def test_a_dark_reader_forgets_its_channel_and_shows_nothing() -> None:
    reader = reader_of()
    panel = secure(reader)
    panel.ask_secretly(LED, lamp("00000000000000", "0101000100"))
    panel.ask_secretly(OUT, b"\x00\x02\x00\x00")
    reader.swipe(CardFormat.WIEGAND_26, 7, panel.now)
    reader.brown_out(panel.now, dark_s=10)
    assert not reader.swipe(CardFormat.WIEGAND_26, 8, panel.now)
    assert not reader.type_keys("1", panel.now)
    assert panel.try_ask_secretly(POLL) is None
    standing = reader.snapshot()
    assert (standing.is_dark, standing.lamps, standing.outputs) == (
        True,
        ("black",),
        (False, False),
    )
    panel.now += 10
    assert secure(reader, panel.now).ask_secretly(POLL).code == ACK, (
        "the card is forgotten"
    )
    kinds = [one.what for one in reader.diary.entries()]
    assert kinds[-1] is What.POWER_BACK
    assert What.LAMP_SHOWN in kinds


def test_a_reader_off_its_wire_keeps_what_it_felt() -> None:
    reader = reader_of()
    panel = secure(reader)
    reader.pull_wire(panel.now, off_s=10)
    reader.swipe(CardFormat.WIEGAND_26, 7, panel.now)
    panel.sequence = 0
    assert panel.try_ask(ID) is None
    panel.now += 10
    assert secure(reader, panel.now).ask_secretly(POLL).code == RAW


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": -1},
        {"address": 127},
        {"base_key": bytes(15)},
        {"client_id": bytes(7)},
        {"device_id": bytes(11)},
        {"inputs": 17},
        {"active_inputs": (3,)},
        {"reply_delay_s": 1.1},
        {"lose_every": -1},
        {"keys_per_reply": -1},
        {"session_s": 0.0},
        {"baud": 0},
    ],
    ids=str,
)
def test_impossible_readers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        OsdpReaderSettings(**wrong)


def test_impossible_hands_are_refused() -> None:
    reader = reader_of()
    for keys in ("", "12A"):
        with pytest.raises(SimulationError):
            reader.type_keys(keys, 1.0)
    for bits, data in ((0, b""), (26, bytes(3)), (8, bytes(2)), (1_601, bytes(201))):
        with pytest.raises(SimulationError):
            reader.present_card(bits, data, 1.0)
    with pytest.raises(SimulationError):
        reader.swipe(CardFormat.WIEGAND_26, 1 << 24, 1.0)
    with pytest.raises(SimulationError):
        reader.set_input(3, 1.0, is_active=True)
    with pytest.raises(SimulationError):
        Capability(function=256, level=0)
