# SPDX-License-Identifier: Apache-2.0
"""PC/SC: which cards are believed, and which numbers."""

from __future__ import annotations

import pytest

from drivers.device import LASTING, Cue, Technology, UnreadableCause
from drivers.pcsc import apdu as pcsc_apdu
from tests.drivers.vectors import Vector, frames

A, B = Technology.ISO14443A, Technology.ISO14443B


@pytest.mark.parametrize("vector", frames("pcsc_atr"), ids=lambda v: v.note)
def test_an_atr_tells_how_a_card_speaks(vector: Vector) -> None:
    found = pcsc_apdu.technology_of(vector.frame)
    letters = {"A": A, "B": B}
    assert found == (letters[vector.note.split()[0]] if vector.is_good else None)


def test_an_empty_atr_is_none() -> None:
    assert pcsc_apdu.technology_of(b"") is None


@pytest.mark.parametrize("vector", frames("pcsc_number"), ids=lambda v: v.note)
def test_a_number_is_taken_or_refused(vector: Vector) -> None:
    found = pcsc_apdu.number_in(vector.frame, A, allow_random_uid=False)
    if vector.is_good:
        assert found == vector.frame[:-2]
    else:
        assert found == UnreadableCause(vector.note.split()[0])


def test_a_random_number_may_be_allowed() -> None:
    answer = bytes.fromhex("081234569000")
    found = pcsc_apdu.number_in(answer, A, allow_random_uid=True)
    assert found == bytes.fromhex("08123456")


def test_type_b_knows_neither_tags_nor_random_marks_but_zeros() -> None:
    for number in ("08123456", "8804A1B2"):
        answer = bytes.fromhex(number) + b"\x90\x00"
        found = pcsc_apdu.number_in(answer, B, allow_random_uid=False)
        assert found == bytes.fromhex(number)
    for number in ("00000000", "04A1B2C3D4E5F6"):
        answer = bytes.fromhex(number) + b"\x90\x00"
        found = pcsc_apdu.number_in(answer, B, allow_random_uid=True)
        assert found is UnreadableCause.CARD_TYPE_UNKNOWN


def test_what_lasts_is_not_for_a_reader_that_answers_when_it_is_done() -> None:
    assert set(Cue) - set(pcsc_apdu.CUES) == LASTING


@pytest.mark.parametrize("cue", list(pcsc_apdu.CUES))
def test_each_cue_is_one_short_command_to_the_reader(cue: Cue) -> None:
    apdu = pcsc_apdu.CUES[cue]
    assert pcsc_apdu.is_for_reader(apdu)
    assert len(apdu) == 9
    assert apdu[:3] == b"\xff\x00\x40"
    assert apdu[4] == 4
    on, off, times, beep = apdu[5:]
    assert (on + off) * times <= 6
    assert (beep == 1) == (cue is not Cue.READING)


def test_the_other_commands_are_those_of_the_sources() -> None:
    assert pcsc_apdu.GET_NUMBER.hex().upper() == "FFCA000000"
    assert not pcsc_apdu.is_for_reader(pcsc_apdu.GET_NUMBER)
    assert pcsc_apdu.BUZZER_OFF_ON_DETECT.hex().upper() == "FF00520000"
    assert pcsc_apdu.is_for_reader(pcsc_apdu.BUZZER_OFF_ON_DETECT)


def test_only_an_acr122_has_cues() -> None:
    assert pcsc_apdu.has_cues("ACS ACR122U PICC Interface 00 00")
    assert not pcsc_apdu.has_cues("ACS ACR1252 Dual Reader [PICC] 00 00")
    assert not pcsc_apdu.has_cues("Virtual PCD 00 00")
