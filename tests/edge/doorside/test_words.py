# SPDX-License-Identifier: Apache-2.0
"""Every refusal has its word in every language, and no word tells what is delicate."""

from __future__ import annotations

import string
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import pytest

from edge.cli.doorside.language import PLACES, LanguageError, places, read_language
from edge.cli.doorside.languages import Ear, open_library
from edge.cli.doorside.sign import SCREEN_COLUMNS, Sign, Signs
from edge.cli.doorside.word import REFUSALS, Word, word_of
from edge.cli.files import config_folder
from edge.core.access.answers import DenyReason
from edge.core.command import Indicate, Indication
from tests.edge.doorside.hall import NOON_MS, settings

if TYPE_CHECKING:
    from pathlib import Path

VOICE = config_folder() / "voice"
LANGUAGES = ("zh-CN", "yue", "en")
DELICATE = (
    DenyReason.PAYMENT_DUE,
    DenyReason.CREDENTIAL_NOT_ENABLED,
    DenyReason.CREDENTIAL_REVOKED,
    DenyReason.CREDENTIAL_EXPIRED,
    DenyReason.ALREADY_INSIDE,
    DenyReason.ALREADY_REDEEMED,
    DenyReason.PARTY_FULL,
)


@cache
def signs_in(language: str) -> Signs:
    library = open_library((language,), (VOICE,))
    return Signs(settings(), library, Ear(library))


def told(wish: Indicate, language: str = "zh-CN") -> Sign:
    """Return the sign of a wish; a site of one language has no other to go on to."""
    return signs_in(language).of(wish, 100.0, NOON_MS)


def refusal(reason: DenyReason, **facts: int | str) -> Indicate:
    return Indicate(
        access_point="outside",
        indication=Indication.DENIED,
        reason=reason.value,
        facts=tuple(facts.items()),
    )


def test_every_reason_has_one_word_and_every_word_stands_in_every_language() -> None:
    assert set(REFUSALS) == set(DenyReason)
    for reason in DenyReason:
        assert word_of(refusal(reason)) is REFUSALS[reason]
        for language in LANGUAGES:
            sign = told(refusal(reason), language)
            assert sign.language == language
            assert sign.text
            assert sign.is_spoken, f"{reason} is silent in {language}"


def test_every_indication_has_a_word() -> None:
    for indication in Indication:
        assert told(Indicate(access_point="outside", indication=indication)).text


@pytest.mark.parametrize("name", [*LANGUAGES, "readers"])
def test_a_file_has_exactly_the_words_and_places_that_there_are(name: str) -> None:
    path = VOICE / f"{name}.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(tables) == {"language", *Word}
    language = read_language([path])
    assert language.missing == ()
    for word, entry in language.entries.items():
        wanted = places(entry.text)
        assert wanted <= PLACES.get(word, frozenset())
        assert ("plain" in tables[word]) is bool(wanted), word
        assert not places(entry.plain + entry.spoken)


def test_the_languages_speak_of_the_same_and_record_the_same_words() -> None:
    first, *others = (read_language([VOICE / f"{each}.toml"]) for each in LANGUAGES)
    for other in others:
        for word in Word:
            mine, yours = first.entries[word], other.entries[word]
            assert places(mine.text) == places(yours.text), word
            assert bool(mine.spoken) is bool(yours.spoken), word


def test_no_word_scolds_and_no_reader_shows_half_a_line() -> None:
    for language in LANGUAGES:
        text = (VOICE / f"{language}.toml").read_text(encoding="utf-8")
        for bad in ("非法", "无效", "拒绝", "denied", "invalid", "refused"):
            assert bad not in text.lower().split("[language]")[1]
    for word, entry in read_language([VOICE / "readers.toml"]).entries.items():
        assert entry.plain.isascii()
        assert len(entry.plain) <= SCREEN_COLUMNS, word


@pytest.mark.parametrize("language", LANGUAGES)
def test_delicate_causes_cannot_be_told_apart(language: str) -> None:
    facts: dict[str, int | str] = {
        "due_fen": 500,
        "space": "hall",
        "from_ms": NOON_MS,
        "to_ms": NOON_MS,
    }
    signs = {told(refusal(reason, **facts), language) for reason in DELICATE}
    signs |= {told(refusal(reason), language) for reason in DELICATE}
    assert len(signs) == 1
    [sign] = signs
    assert sign.word is Word.NEEDS_PERSON
    assert not any(digit in sign.text + sign.short for digit in string.digits)


@pytest.mark.parametrize(
    ("wish", "text", "short"),
    [
        (
            refusal(DenyReason.TOO_EARLY, from_ms=NOON_MS + 110 * 60_000),
            "还没到时间，13:50 起可以进",
            "COME 13:50",
        ),
        (
            refusal(DenyReason.TOO_EARLY, from_ms=NOON_MS + 24 * 3_600_000),
            "还没到时间，11月24日 12:00 起可以进",
            "COME 11-24 12:00",
        ),
        (
            refusal(DenyReason.TOO_EARLY),
            "还没到时间，请按预约的时间来",
            "TOO EARLY",
        ),
        (
            refusal(DenyReason.WRONG_SPACE, space="tea-room"),
            "您订的是茶室，请到那边刷",
            "OTHER ROOM",
        ),
        (
            refusal(DenyReason.WRONG_SPACE, space="elsewhere"),
            "您订的不是这一间，请到订的那间刷",
            "OTHER ROOM",
        ),
        (refusal(DenyReason.SPACE_FULL), "里面已满 20 人，请等一等", "FULL, WAIT"),
        (
            refusal(DenyReason.CLOSED, from_ms=NOON_MS + 3_600_000),
            "现在没有开放，13:00 开门",
            "OPENS 13:00",
        ),
        (
            Indicate(
                access_point="outside",
                indication=Indication.GRANTED,
                until_ms=NOON_MS + 2 * 3_600_000,
            ),
            "可以进，欢迎。大厅，到 14:00",
            "COME IN",
        ),
        (
            Indicate(
                access_point="outside", indication=Indication.GRANTED, is_slow=True
            ),
            "可以进，门开 12 秒，慢慢来",
            "TAKE YOUR TIME",
        ),
        (
            Indicate(
                access_point="outside",
                indication=Indication.GRANTED,
                facts=(("number", 3),),
            ),
            "3 号柜开了，用完请关好柜门",
            "LOCKER 3 OPEN",
        ),
    ],
)
def test_parameters_stand_in_their_sentence(
    wish: Indicate, text: str, short: str
) -> None:
    sign = told(wish)
    assert (sign.text, sign.short) == (text, short)


def test_a_site_changes_a_sentence_and_adds_a_language(tmp_path: Path) -> None:
    (tmp_path / "zh-CN.toml").write_text('[bell]\ntext = "马上来"\n', encoding="utf-8")
    own = (VOICE / "en.toml").read_text(encoding="utf-8")
    own = own.replace("Please close the door", "Tür bitte schließen")
    (tmp_path / "de.toml").write_text(own, encoding="utf-8")
    library = open_library(("zh-CN", "de"), (VOICE, tmp_path))
    assert library.faults == ()
    assert library.languages["zh-CN"].say(Word.BELL, {}) == "马上来"
    assert library.languages["zh-CN"].say(Word.DONE, {}) == "好了"
    assert library.languages["de"].say(Word.CLOSE_DOOR, {}) == "Tür bitte schließen"


@pytest.mark.parametrize(
    ("text", "told_of"),
    [
        ('[bell]\ntext = "{name}"\n', "may hold no value"),
        ('[full]\ntext = "{count} {name}"\nplain = "x"\n', "may hold {count}"),
        ('[full]\ntext = "{count}"\n', "plain and spoken hold none"),
        ('[full]\ntext = "{count"\n', "stray brace"),
        ('[bel]\ntext = "x"\n', "[bel]: no door says that"),
        ('[bell]\nwords = "x"\n', "words is unknown"),
        ("[bell]\ntext = 3\n", "[bell] is a table of texts"),
        ('bell = "x"\n', "[bell] is a table of texts"),
        ("[bell\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_done_without(
    tmp_path: Path, text: str, told_of: str
) -> None:
    (tmp_path / "en.toml").write_text(text, encoding="utf-8")
    library = open_library(("en",), (VOICE, tmp_path))
    [fault] = library.faults
    assert told_of in fault
    assert str(tmp_path / "en.toml") in fault
    assert library.languages["en"].say(Word.DONE, {}) == "Done"


def test_a_word_that_a_language_lacks_is_said_in_another(tmp_path: Path) -> None:
    head = '[language]\nname = "壮语"\nother_day = "{time}"\n'
    months = 'months = "1 2 3 4 5 6 7 8 9 10 11 12"\n'
    (tmp_path / "za.toml").write_text(
        head + months + '[done]\ntext = "Ndei"\n', encoding="utf-8"
    )
    library = open_library(("za", "yue"), (VOICE, tmp_path))
    assert library.having(Word.DONE, "za").code == "za"
    assert library.having(Word.FULL, "za").code == "yue"
    assert "said in another language" in library.faults[0]
    with pytest.raises(LanguageError, match=r"no language can be used.*xx\.toml"):
        open_library(("xx",), (VOICE, tmp_path))
