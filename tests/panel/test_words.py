# SPDX-License-Identifier: Apache-2.0
"""The words: none missing, none cold, and no empty place in a sentence."""

from __future__ import annotations

import re

import pytest

from edge.core.access.answers import DenyReason, NextStep
from edge.core.doors.door import DoorMode, DoorPhase
from edge.panel.ground import TOLD
from edge.panel.words import FOLDER, Phrase, Words, places, read

WORDS = Words()
#: Phrases whose values the code always knows, so that no plain form is needed.
ALWAYS_KNOWN = {
    *("told.wrong", "told.waits", "told.rest", "tablets.scan", "page.help"),
    "page.more",
    *("danger.called_of", "danger.awaited_of", "danger.since"),
    *("danger.shelter_room", "danger.care_days", "danger.care_tail"),
    *("danger.unseen", "danger.drill_due", "called.reached", "called.no_answer"),
    *("drill.runs", "drill.within", "drill.led_by", "drill.to_mend", "drill.by_whom"),
    "verdict.granted_end",
    "verdict.times",
    *("link.waiting_plain", "lasting.days", "days.agreed", "days.differs"),
    "step.COME_AT",
    *("rooms.free", "rooms.inside_plain"),
    "trouble.device_plain",
    "trouble.device_last",
    "trouble.old_roster",
    *("lockers.receiver_plain", "lockers.days", "medicine.left", "medicine.soon"),
    "told_medicine.noted",
    *(f"hours.{key}" for key in ("points", "confirmed", "minutes", "hours", "both")),
    *(f"hours.by_{key}" for key in ("DUTY_CORRECTED", "DUTY_CONFIRMED", "panel")),
    *(f"hours.word_DUTY_{k}" for k in ("QUESTIONED", "CORRECTED", "CONFIRMED")),
    *(f"weekday.{number}" for number in range(1, 8)),
    *("hours.nameless", "because.reason", "roster.over", "roster.earlier"),
    *("plan.today", "plan.open_over", "stars.first", "stars.level", "stars.top"),
    "backup.restored",
    *("bags.waiting", "bags.in_log", "bags.origin_plain"),
    *("screens.inside", "count.was", "count.do"),
    *("screens.inside", "count.was", "count.do", "count.less", "count.more"),
}


@pytest.mark.parametrize("reason", DenyReason)
def test_every_refusal_has_words_of_its_own(reason: DenyReason) -> None:
    assert f"reason.{reason}" in WORDS


@pytest.mark.parametrize("step", NextStep)
def test_every_next_step_has_words_of_its_own(step: NextStep) -> None:
    assert f"step.{step}" in WORDS


@pytest.mark.parametrize(
    "state", [*DoorPhase, *sorted(set(DoorMode) - {DoorMode.LOCKED})]
)
def test_every_state_of_a_door_has_words(state: str) -> None:
    assert f"door.{state}" in WORDS


@pytest.mark.parametrize("told", sorted(TOLD))
def test_every_outcome_of_a_press_has_words(told: str) -> None:
    assert f"told.{told}" in WORDS


def test_a_phrase_with_a_place_has_a_plain_form_or_a_value_always() -> None:
    for key in WORDS.keys:
        phrase = WORDS[key]
        if places(phrase) and key not in ALWAYS_KNOWN:
            assert f"{key}_plain" in WORDS, key


#: Files of every language, and tables whose keys are put together at run time.
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))
COMPOSED = {
    *("stands", "began", "shut", "drill_kind", "stage", "outcome", "mend", "todo"),
    "verdict",
    "reason",
    "step",
    "door",
    "trouble",
    "why",
    "told",
    "error",
    "role",
    "menu",
    *("lockers_why", "medicine_things", "medicine_for", "needs"),
    "hours",
    "weekday",
    "because",
    "sheet",
    "notices",
    *("by_hand", "box", "column", "log", "log_kind", "way", "weekday"),
    "health",
    *("letin", "doors", "display", "bell"),
    "backup_waits",
    *("backup_waits", "poster_entry", "door_until", "parts"),
    *("backup_waits", "poster_entry", "first_step", "first_fault"),
}


def test_every_language_says_everything_with_the_same_values() -> None:
    assert set(LANGUAGES) >= {"zh-CN", "en"}
    wanted = read(FOLDER / "zh-CN.toml")
    for language in LANGUAGES:
        found = read(FOLDER / f"{language}.toml")
        assert found.keys() == wanted.keys(), language
        for key, text in found.items():
            assert text.strip(), (language, key)
            is_wider = places(Phrase(text, "")) <= places(Phrase(wanted[key], ""))
            assert is_wider or language == "en", (language, key)


def test_no_word_is_left_over() -> None:
    folder = FOLDER.parent
    files = [*folder.glob("*.py"), *folder.glob("templates/*.html")]
    used = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for key in WORDS.keys:
        table = key.partition(".")[0]
        plain = key.removesuffix("_plain")
        is_composed = table in COMPOSED or key.startswith(("emergency.n1", "told_"))
        is_composed = is_composed or f"heading %}}{key}{{%" in used
        is_composed = is_composed or f"%}}{key}{{%" in used  # a page's heading
        assert is_composed or f'"{plain}"' in used or f'"{key}"' in used, key
        is_heading = f"heading %}}{key}{{%" in used
        assert (
            is_composed or is_heading or f'"{plain}"' in used or f'"{key}"' in used
        ), key


def test_chinese_is_chinese_and_english_is_english() -> None:
    for key in WORDS.keys:
        phrase = WORDS[key]
        assert re.search("[\u4e00-\u9fff]", phrase.zh), key
        assert phrase.en.isascii(), key


def test_no_word_is_cold_or_technical() -> None:
    banned = re.compile("非法|无效|拒绝|授权|凭证|鉴权|离线|同步|网关")
    for key in WORDS.keys:
        assert not banned.search(WORDS[key].zh), key


def test_an_unknown_value_takes_the_sentence_without_it() -> None:
    known = WORDS.say("link.cut", time=WORDS.say("hours.minutes", minutes=12))
    assert known == Phrase(
        "网络断了 12 分钟，照常用", "No network for 12 min, all goes on"
    )
    assert WORDS.say("link.cut", time=None).zh == "网络断了，照常用"


def test_an_unknown_word_of_a_newer_gateway_takes_the_fallback() -> None:
    assert WORDS.say_or("reason.NEW_RULE", "reason.other").zh == "需要值班员帮忙看看"


def test_a_value_cannot_bring_places_of_its_own() -> None:
    assert WORDS.say("trouble.device_plain", name="{minutes}").zh == "{minutes}没有回应"


def test_a_phrase_within_a_sentence_is_said_in_each_language() -> None:
    fire = WORDS.say("drill_kind.fire")
    assert WORDS.say("drill.runs", what=fire) == Phrase(
        "演练中：火灾", "A drill runs: Fire"
    )
