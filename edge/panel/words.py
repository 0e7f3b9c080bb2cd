# SPDX-License-Identifier: Apache-2.0
"""The panel's words, one file a language, read once from ``locales``.

The law of the module: no sentence stands in code or template; a value that is not
known chooses the sentence that does without it, never an empty place in a sentence.
The site's language stands first, English small beneath it; Chinese beneath English.
Source: the elder norm of MIIT and WCAG 2.2 ask for plain words; names of causes and
devices never appear on their own.
"""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("locales")
FIRST, SECOND = "zh-CN", "en"
#: What a tablet may have first.
LANGUAGES = ("zh-CN", "yue", "en")
#: Files that are kept as they were read: the languages, and one of the site's own.
MAX_FILES = 4


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same said twice: ``zh`` is the first language, ``en`` stands beneath it."""

    zh: str
    en: str


#: What stands in a sentence's place; None: not known.
Value = str | int | Phrase | None


class Words:
    """All phrases in one language, with their English."""

    def __init__(self, language: str = FIRST, folder: Path = FOLDER) -> None:
        self.language = language
        #: What stands beneath: English, or Chinese where English is first.
        self.second = FIRST if language == SECOND else SECOND
        names = (language, self.second)
        # As they were read: a phrase is put together where it is said.
        self._first, self._under = (read(folder / f"{name}.toml") for name in names)

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def __getitem__(self, key: str) -> Phrase:
        """Return a phrase with its places empty."""
        return Phrase(self._first[key], self._under[key])

    @property
    def keys(self) -> frozenset[str]:
        """Every key, for whoever checks that none is missing."""
        return frozenset(self._first)

    def say(self, key: str, **values: Value) -> Phrase:
        """Return the phrase with its values; its ``_plain`` form if one is None.

        A value that is a phrase itself is said in each language in its own words.
        """
        phrase = self[key]
        known = {name: value for name, value in values.items() if value is not None}
        if not places(phrase) <= known.keys():
            phrase = self[f"{key}_plain"]
        first = {n: v.zh if isinstance(v, Phrase) else v for n, v in known.items()}
        second = {n: v.en if isinstance(v, Phrase) else v for n, v in known.items()}
        return Phrase(phrase.zh.format(**first), phrase.en.format(**second))

    def say_or(self, key: str, fallback: str, **values: Value) -> Phrase:
        """Say ``key``, or ``fallback`` where the gateway used a word unknown here."""
        return self.say(key if key in self else fallback, **values)


@lru_cache(maxsize=MAX_FILES)
def read(path: Path) -> Mapping[str, str]:
    """Read the phrases of one file, by ``table.name``; each file once in a process."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        intern(f"{table}.{name}"): text  # one key for all languages
        for table, entries in tables.items()
        for name, text in entries.items()
    }


def places(phrase: Phrase) -> set[str]:
    """Return the names of the values that a phrase wants."""
    parsed = string.Formatter().parse(phrase.zh + phrase.en)
    return {name for _, name, _, _ in parsed if name}
