# SPDX-License-Identifier: Apache-2.0
"""One language at a time: his own, and the next when he holds the card out again."""

from __future__ import annotations

from datetime import datetime

import pytest

from edge.cli.doorside.languages import AGAIN_S, Ear, open_library
from edge.cli.doorside.quiet import Volume, volume
from edge.cli.files import config_folder
from edge.settings.signals import Signals

LI, WANG = b"l" * 16, b"w" * 16


@pytest.fixture
def ear() -> Ear:
    return Ear(open_library(("zh-CN", "yue", "en"), (config_folder() / "voice",)))


def test_the_same_card_hears_one_language_after_another(ear: Ear) -> None:
    heard = []
    for second in range(4):
        ear.hear("outside", LI)
        heard.append(ear.choose("outside", "", 100.0 + 5 * second))
    assert heard == ["zh-CN", "yue", "en", "zh-CN"]


def test_who_is_known_hears_his_own_first(ear: Ear) -> None:
    ear.hear("outside", LI)
    assert ear.choose("outside", "en", 100.0) == "en"
    ear.hear("outside", LI)
    assert ear.choose("outside", "en", 104.0) == "zh-CN"


def test_another_card_or_a_late_one_begins_anew(ear: Ear) -> None:
    ear.hear("outside", LI)
    ear.choose("outside", "", 100.0)
    ear.hear("outside", WANG)
    assert ear.choose("outside", "", 101.0) == "zh-CN"
    ear.hear("outside", WANG)
    assert ear.choose("outside", "", 101.0 + AGAIN_S) == "zh-CN"
    ear.hear("outside", WANG)
    assert ear.choose("outside", "", 100.9 + 2 * AGAIN_S) == "yue"
    ear.hear("inside", WANG)
    assert ear.choose("inside", "", 101.0 + 2 * AGAIN_S) == "zh-CN"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("yue", "yue"),
        ("zh", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("en-GB", "en"),
        ("fr", "zh-CN"),
        ("", "zh-CN"),
    ],
)
def test_the_closest_language_is_spoken(ear: Ear, asked: str, spoken: str) -> None:
    ear.hear("outside", LI)
    assert ear.choose("outside", asked, 100.0) == spoken


@pytest.mark.parametrize(
    ("hours", "quiet", "at", "expected"),
    [
        ("22:00-07:00", "lower", "21:59", Volume.FULL),
        ("22:00-07:00", "lower", "22:00", Volume.LOWER),
        ("22:00-07:00", "silent", "06:59", Volume.SILENT),
        ("22:00-07:00", "silent", "07:00", Volume.FULL),
        ("12:00-14:00", "silent", "13:00", Volume.SILENT),
        ("12:00-14:00", "silent", "23:00", Volume.FULL),
        ("", "silent", "23:00", Volume.FULL),
        ("22:00-07:00", "silent", "", Volume.LOWER),
    ],
)
def test_quiet_hours_cross_midnight_and_an_unknown_time_is_lower(
    hours: str, quiet: str, at: str, expected: Volume
) -> None:
    signals = Signals(
        quiet_hours=hours, quiet="silent" if quiet == "silent" else "lower"
    )
    local = datetime.fromisoformat(f"2026-11-23T{at}") if at else None
    assert volume(signals, local) is expected
