# SPDX-License-Identifier: Apache-2.0
"""What a door's poster says, in three languages, from what the gateway says.

The law of the module: hours become words of people; what is not known is not printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.panel.fields import rows, text

if TYPE_CHECKING:
    from edge.panel.words import Words

MAX_DOORS = 32
MAX_HOURS, MAX_URL = 200, 240
ENTRIES = frozenset({"booking", "walk_in", "staffed"})
_URL = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/-]*)?")
_ZH = dict(
    zip(
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        strict=True,
    )
)
_TIME = re.compile(r"\b(\d\d):(\d\d)\b")
_DAY = re.compile(r"\b(" + "|".join(_ZH) + r")\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """One door's; ``number`` counts from 1, ``url`` is "" where there is no code."""

    number: int
    name: str
    space: str
    entry: str
    hours: str
    url: str

    def lines(
        self, words: Words, others: Words, phone: str
    ) -> list[tuple[str, str, str]]:
        """Return each sentence in the first, another and the third language."""
        keys: list[tuple[str, dict[str, str | None]]] = [
            (f"poster_entry.{self.entry or 'booking'}", {}),
            *([("poster.scan", {})] if self.url else []),
            ("poster.hours", {"hours": self.hours or None}),
            ("poster.out", {}),
            ("poster.help", {"phone": phone or None}),
            ("poster.fire", {}),
        ]
        said = []
        for key, values in keys:
            zh = {k: v and hours_zh(v) for k, v in values.items()}
            en = {k: v and hours_en(v) for k, v in values.items()}
            first, second = words.say(key, **zh).zh, others.say(key, **zh).zh
            said.append((first, second, words.say(key, **en).en))
        return said


def read_posters(value: dict[str, Any]) -> tuple[Poster, ...]:
    """Read the answer to ``posters``."""
    found = []
    for number, row in enumerate(rows(value.get("doors"), MAX_DOORS), 1):
        entry, url = text(row.get("entry")), text(row.get("url"), MAX_URL)
        found.append(
            Poster(
                number=number,
                name=text(row.get("name")),
                space=text(row.get("space")),
                entry=entry if entry in ENTRIES else "",
                hours=text(row.get("hours"), MAX_HOURS),
                url=url if _URL.fullmatch(url) else "",
            )
        )
    return tuple(found)


def hours_zh(hours: str) -> str:
    """Return hours as a notice has them: ``周一至周五 08:00–22:00；…``."""
    said = _DAY.sub(lambda day: _ZH[day[1]], hours)
    said = re.sub(r"(周.)-(周.)", r"\1至\2", said).replace(",", "、")
    return _late(said, "次日").replace("; ", "；")


def hours_en(hours: str) -> str:
    """Return hours for readers of English: ``Mon-Fri 08:00-22:00; …``."""
    said = _DAY.sub(lambda day: day[1].title(), hours)
    return _late(said, "next day ")


def _late(hours: str, word: str) -> str:
    """Write 26:00 as people do."""

    def shown(time: re.Match[str]) -> str:
        hour = int(time[1])
        return time[0] if hour <= 24 else f"{word}{hour - 24:02d}:{time[2]}"

    return _TIME.sub(shown, hours)
