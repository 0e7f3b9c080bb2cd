# SPDX-License-Identifier: Apache-2.0
"""The panel's words, Chinese and English, read once from ``words.toml``.

The law of the module: no sentence stands in code or template; a value that is not
known chooses the sentence that does without it, never an empty place in a sentence.
Source: the elder norm of MIIT and WCAG 2.2 ask for plain words; names of causes and
devices never appear on their own.
"""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("words.toml")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same said twice: Chinese, and English to stand small beneath it."""

    zh: str
    en: str


class Words:
    """All phrases of one file."""

    def __init__(self, path: Path = _FILE) -> None:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        self._phrases = {
            f"{table}.{name}": Phrase(entry["zh"], entry["en"])
            for table, entries in tables.items()
            for name, entry in entries.items()
        }

    def __contains__(self, key: str) -> bool:
        return key in self._phrases

    @property
    def keys(self) -> frozenset[str]:
        """Every key, for whoever checks that none is missing."""
        return frozenset(self._phrases)

    def say(self, key: str, **values: str | int | None) -> Phrase:
        """Return the phrase with its values; its ``_plain`` form if one is None."""
        phrase = self._phrases[key]
        known = {name: value for name, value in values.items() if value is not None}
        if not places(phrase) <= known.keys():
            phrase = self._phrases[f"{key}_plain"]
        return Phrase(phrase.zh.format(**known), phrase.en.format(**known))

    def say_or(self, key: str, fallback: str, **values: str | int | None) -> Phrase:
        """Say ``key``, or ``fallback`` where the gateway used a word unknown here."""
        return self.say(key if key in self else fallback, **values)


def places(phrase: Phrase) -> set[str]:
    """Return the names of the values that a phrase wants."""
    parsed = string.Formatter().parse(phrase.zh + phrase.en)
    return {name for _, name, _, _ in parsed if name}
