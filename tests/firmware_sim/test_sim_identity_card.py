# SPDX-License-Identifier: Apache-2.0
"""The text block of simulated identity cards, field by field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.id_card.identity_card import CardLayout, IdentityCard, text_block
from firmware_sim.id_card.persons import PERSONS


def at(card: IdentityCard, offset: int, size: int) -> str:
    return text_block(card)[offset : offset + size].decode("utf-16-le").rstrip(" ")


@pytest.mark.parametrize("letter", "ABJIY")
def test_every_block_has_256_bytes_and_its_letter_at_248(letter: str) -> None:
    card = PERSONS[letter]
    assert len(text_block(card)) == 256
    assert text_block(card)[248:250].decode("utf-16-le") == card.layout.value


def test_fields_of_a_foreigner_stand_where_the_layout_of_2017_puts_them() -> None:
    card = PERSONS["I"]
    assert at(card, 0, 120) == "TESTPERSON, ALPHA"
    assert at(card, 122, 30) == card.number
    assert at(card, 152, 6) == "ZZZ"
    assert at(card, 158, 30) == card.name
    assert at(card, 220, 16) == "19900101"


def test_a_long_english_name_is_cut_in_two_in_the_layout_of_2023() -> None:
    card = PERSONS["Y"]
    assert at(card, 52, 70) == "TESTPERSON, BETA EXAMPLE OF A VERY"
    assert at(card, 220, 22) == "LONG NAME"
    seamless = replace(card, english_name="A" * 35 + "B" * 11)
    assert at(seamless, 52, 70) == "A" * 35
    assert at(seamless, 220, 22) == "B" * 11


def test_characters_outside_the_bmp_and_private_ones_are_carried() -> None:
    rare = replace(PERSONS["A"], name="测\U00020000\ue123")
    assert at(rare, 0, 30) == "测\U00020000\ue123"


def test_a_field_that_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(SimulationError, match="32 bytes where the card has 30"):
        replace(PERSONS["A"], name="测" * 16)
    with pytest.raises(SimulationError, match="photo has 1024 bytes, not 3"):
        replace(PERSONS["A"], photo=b"abc")


def test_neither_number_nor_name_shows_in_a_log() -> None:
    shown = repr(PERSONS["A"])
    assert "990105" not in shown
    assert "测试甲" not in shown


def test_layouts_are_told_by_one_letter() -> None:
    assert [layout.value for layout in CardLayout] == [" ", "J", "I", "Y"]
