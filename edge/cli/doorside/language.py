# SPDX-License-Identifier: Apache-2.0
"""The words of one language, out of its file.

The law of the module: no sentence stands in code. A value that is not known chooses
the sentence that does without it, never an empty place in a sentence. A file that
cannot be used says where and what to do, and the others go on.
"""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.cli.doorside.word import Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: What the sentences of a word may speak of; none may name a person.
PLACES: Mapping[Word, frozenset[str]] = {
    Word.GRANTED: frozenset({"room", "time"}),
    Word.GRANTED_SLOW: frozenset({"room", "time", "seconds"}),
    Word.COMPARTMENT: frozenset({"number"}),
    Word.COMPARTMENT_DONE: frozenset({"number"}),
    Word.TOO_EARLY: frozenset({"time"}),
    Word.TOO_LATE: frozenset({"time"}),
    Word.WRONG_ROOM: frozenset({"room"}),
    Word.FULL: frozenset({"count"}),
    Word.CLOSED: frozenset({"time"}),
}
_DATE_PLACES = frozenset({"month", "day", "time"})
_MONTHS = 12


class LanguageError(Exception):
    """A file of words that cannot be used: where, what, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One word: for screens, for screens without a value, and for a recording."""

    text: str
    plain: str
    spoken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language; ``missing`` are the words that its file leaves out."""

    code: str
    name: str
    espeak: str
    other_day: str
    months: tuple[str, ...]
    entries: Mapping[Word, Entry] = field(repr=False)

    @property
    def missing(self) -> tuple[Word, ...]:
        """The words that it does not have."""
        return tuple(word for word in Word if word not in self.entries)

    def say(self, word: Word, values: Mapping[str, str]) -> str:
        """Return the sentence with its values, or the one that needs none."""
        entry = self.entries[word]
        if places(entry.text) <= values.keys():
            return entry.text.format(**values)
        return entry.plain

    def when(self, at_ms: int, now_ms: int | None, offset_hours: int) -> str:
        """Return a time of day, with its date unless that is today; UTC ms."""
        offset = timedelta(hours=offset_hours)
        at = datetime.fromtimestamp(at_ms / 1000, UTC) + offset
        time = f"{at.hour:02}:{at.minute:02}"
        if now_ms is not None:
            today = datetime.fromtimestamp(now_ms / 1000, UTC) + offset
            if today.date() == at.date():
                return time
        month = self.months[at.month - 1]
        return self.other_day.format(month=month, day=at.day, time=time)


def places(text: str) -> set[str]:
    """Return the names of the values that a sentence wants."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def read_language(paths: Iterable[Path]) -> Language:
    """Read a language from its files, what a later one says over the earlier.

    Raises LanguageError.
    """
    found = list(paths)
    tables: dict[str, dict[str, str]] = {}
    for path in found:
        for name, table in _tables(path).items():
            tables.setdefault(name, {}).update(table)
            if name != "language" and "text" in table and "plain" not in table:
                tables[name].pop("plain", None)  # of a sentence that is gone
    last, head = found[-1], tables.pop("language", {})
    months = tuple(head.get("months", "").split())
    other_day = head.get("other_day", "")
    if len(months) != _MONTHS or not places(other_day) <= _DATE_PLACES:
        what = "wants name, other_day with {month} {day} {time}, and twelve months"
        raise LanguageError(f"{last}: [language] {what}")
    return Language(
        code=last.stem,
        name=head.get("name", last.stem),
        espeak=head.get("espeak", ""),
        other_day=other_day,
        months=months,
        entries={Word(name): _entry(last, name, tables[name]) for name in tables},
    )


def _tables(path: Path) -> dict[str, dict[str, str]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LanguageError(f"{path}: cannot be read: {error}") from error
    for name, table in tables.items():
        if name != "language" and name not in list(Word):
            what = f"[{name}]: no door says that; the words are those of zh-CN.toml"
            raise LanguageError(f"{path}: {what}")
        is_words = isinstance(table, dict) and all(
            isinstance(text, str) for text in table.values()
        )
        if not is_words:
            raise LanguageError(f"{path}: [{name}] is a table of texts in quotes")
    return tables


def _entry(path: Path, name: str, table: dict[str, str]) -> Entry:
    if unknown := table.keys() - {"text", "plain", "spoken"}:
        what = f"{', '.join(sorted(unknown))} is unknown, use text, plain, spoken"
        raise LanguageError(f"{path}: [{name}] {what}")
    text = table.get("text", "")
    plain, spoken = table.get("plain", text), table.get("spoken", "")
    allowed = PLACES.get(Word(name), frozenset())
    try:
        wanted, bare = places(text), places(plain + spoken)
    except ValueError as error:
        raise LanguageError(f"{path}: [{name}] has a stray brace: {error}") from error
    if not text or not wanted <= allowed or bare:
        may = ", ".join(f"{{{place}}}" for place in sorted(allowed)) or "no value"
        what = f"text is wanted and may hold {may}; plain and spoken hold none"
        raise LanguageError(f"{path}: [{name}] {what}")
    return Entry(text=text, plain=plain, spoken=spoken)
