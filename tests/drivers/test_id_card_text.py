# SPDX-License-Identifier: Apache-2.0
"""Text blocks: four layouts, the number and the validity alone."""

from __future__ import annotations

import pytest

from drivers.device import UnreadableCause
from drivers.id_card.text import CardText, read_card, read_text
from tests.drivers.vectors import persons

PERSONS = persons()


@pytest.mark.parametrize(
    ("name", "number", "valid_from", "valid_to"),
    [
        ("A", b"990105198002290017", "20200101", "20400101"),
        ("B", b"990105194901010025", "20150601", ""),
        ("J", b"810000209901010010", "20250101", "20300101"),
        ("I", b"ZZZ990105010100", "20170101", "20270101"),
        ("Y", b"911156209901010012", "20240101", "20340101"),
    ],
)
def test_every_layout(name: str, number: bytes, valid_from: str, valid_to: str) -> None:
    assert read_text(PERSONS[name].text) == CardText(
        number=bytearray(number), valid_from=valid_from, valid_to=valid_to
    )


def test_the_whole_data_of_a_reply_is_read_by_its_own_lengths() -> None:
    data = bytearray(PERSONS["A"].reply[10:-1])
    text = read_card(data)
    assert isinstance(text, CardText)
    assert text.number == b"990105198002290017"
    for at, value in ((0, 2), (1, 1), (2, 5), (3, 1)):
        wrong = bytearray(data)
        wrong[at] = value
        assert read_card(wrong) is UnreadableCause.TRY_AGAIN
    assert read_card(bytearray()) is UnreadableCause.TRY_AGAIN


@pytest.mark.parametrize("mark", [b"Z\0", b"A\0", b"\0\0", b" \x01", b"\xff\xff"])
def test_an_unknown_layout_is_an_unknown_card_type(mark: bytes) -> None:
    text = bytearray(PERSONS["A"].text)
    text[248:250] = mark
    assert read_text(text) is UnreadableCause.CARD_TYPE_UNKNOWN


@pytest.mark.parametrize("at", range(122, 158))
def test_any_bit_of_the_number_that_is_wrong_refuses_the_card(at: int) -> None:
    text = bytearray(PERSONS["A"].text)
    text[at] ^= 1
    assert read_text(text) is UnreadableCause.TRY_AGAIN


@pytest.mark.parametrize("at", [0, 30, 32, 36, 52, 158, 220])
def test_nothing_but_number_and_validity_matters(at: int) -> None:
    text = bytearray(PERSONS["A"].text)
    text[at : at + 2] = b"\xff\xdf"
    assert read_text(text) == read_text(PERSONS["A"].text)


def test_a_validity_that_is_no_date_is_none() -> None:
    text = bytearray(PERSONS["A"].text)
    text[204:206] = b"x\0"
    card = read_text(text)
    assert isinstance(card, CardText)
    assert (card.valid_from, card.valid_to) == ("20200101", "")


def test_the_number_is_not_printed() -> None:
    assert "9901" not in repr(read_text(PERSONS["A"].text))
