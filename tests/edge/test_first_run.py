# SPDX-License-Identifier: Apache-2.0
"""A new box: its certificate, the code on its label, and the words of its panel."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from edge.accounts.codes import typed
from edge.accounts.people import Role
from edge.cli.load_site import load_site
from edge.cli.panel.first_run import run_init
from edge.cli.panel.opening import open_book
from edge.cli.panel.starting import (
    KEPT_WORDS,
    keep_words,
    kept_words,
    panel_words,
)
from edge.cli.state_folder import StateFolderError, own_folder
from edge.settings.errors import SettingsError
from tests.accounts.hand import Hand
from tests.edge.panel_site import DESK
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from edge.accounts.book import Book
    from edge.settings.site import Settings

PANEL = """
[panel]
host = "192.168.8.10"
names = ["menshen.local"]
help_phone = "020-81234567"
"""


def settings_of(folder: Path, panel: str = PANEL) -> Settings:
    path = folder / "site.toml"
    path.write_text(TEXT + DESK + panel, "utf-8")
    return load_site(path)


async def _book(state: Path, settings: Settings, stack: AsyncExitStack) -> Book:
    now = Hand().now()
    book, fault = await open_book(stack, state, settings.plan(), now)
    assert fault == ""
    return book


def code_in(text: str) -> str:
    found = re.search(r"^  ([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$", text, re.MULTILINE)
    return typed(found.group(1)) if found else ""


def test_init_prints_a_code_that_the_box_knows_until_there_is_a_manager(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, state = settings_of(tmp_path), tmp_path / "state"
    assert run_init(settings, state) == 0
    first = capsys.readouterr().out
    assert run_init(settings, state) == 0
    second = capsys.readouterr().out
    assert "https://192.168.8.10:8443/" in first
    marks = [
        re.findall(r"^  [0-9A-F ]{79}$", text, re.MULTILINE) for text in (first, second)
    ]
    assert len(marks[0]) == 1
    assert marks[0] == marks[1], "the certificate stays"

    async def become_manager() -> list[bool]:
        async with AsyncExitStack() as stack:
            book = await _book(state, settings, stack)
            known = [book.is_first_code(code_in(text)) for text in (first, second)]
            await book.add(name="李站长", role=Role.MANAGER, pin="274916")
            return known

    assert asyncio.run(become_manager()) == [False, True]
    assert run_init(settings, state) == 0
    assert code_in(capsys.readouterr().out) == ""


def test_init_waits_for_a_gateway_to_end(tmp_path: Path) -> None:
    settings, state = settings_of(tmp_path), tmp_path / "state"
    with own_folder(state, "gateway.lock"), pytest.raises(StateFolderError):
        run_init(settings, state)


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (PANEL, ["--tls", "--name", "menshen.local", "--help-phone"]),
        (PANEL + "plain_http = true\n", ["--plain-http"]),
        ("", ["127.0.0.1"]),
        ('[panel]\nlanguage = "yue"\n', ["yue"]),
        ("[panel]\nsignpost = 80\n", ["--signpost", "80"]),
    ],
)
def test_the_panel_is_started_as_the_site_file_says(
    tmp_path: Path, panel: str, words: list[str]
) -> None:
    told = panel_words(settings_of(tmp_path, panel), tmp_path)
    assert [word for word in words if word not in told] == []
    assert ("--tls" in told) is (panel == PANEL)


def test_the_panel_starts_as_it_last_did_while_the_file_is_wrong(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path)
    assert kept_words(tmp_path) is None
    keep_words(settings, tmp_path)
    assert kept_words(tmp_path) == panel_words(settings, tmp_path)
    (tmp_path / KEPT_WORDS).write_text('{"torn":', "utf-8")
    assert kept_words(tmp_path) is None


@pytest.mark.parametrize(
    ("panel", "why"),
    [
        ('host = "0.0.0.0"', "one address of this box"),
        ('host = "panel"', "one address of this box"),
        ('desk = "outside"', "there is no desk 'outside', known: desk"),
        ('names = ["Menshen Local"]', "small letters"),
        ('language = "en"', "use one of"),
        ("colour = 1", "colour"),
        ("signpost = 8443", "the panel itself answers there"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, panel: str, why: str) -> None:
    with pytest.raises(SettingsError) as told:
        settings_of(tmp_path, f"[panel]\n{panel}\n")
    assert why in str(told.value)
