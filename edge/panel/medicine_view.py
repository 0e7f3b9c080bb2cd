# SPDX-License-Identifier: Apache-2.0
"""The medicine boxes as pages show them: what is inside, what ends, what is missing.

The law of the module: pure. The seven things that a first-aid box has are known by the
name under which the journal has them, and have pictures and words of their own; what
else stands on a list is shown by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.panel.calendar import day_and_time
from edge.panel.cell_view import Cell, cell
from edge.panel.view import Shape, Tone
from edge.panel.words import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.panel.cupboard_report import BoxReport, ItemReport
    from edge.panel.words import Words

#: What a first-aid box has, by its picture; and its name in the journal, which is the
#: same whatever language the site's pages are in.
THINGS: dict[str, str] = {
    "plaster": "创可贴",
    "gauze": "纱布",
    "swab": "碘伏棉签",
    "thermometer": "体温计",
    "pressure": "血压计",
    "ice": "冰袋",
    "other": "其他",
}
_PICTURES = {name: picture for picture, name in THINGS.items()}
#: Of these one is enough, and after use it is put back: they are not counted down.
KEPT = frozenset({"thermometer", "pressure"})
#: So many or fewer of what is used up: somebody buys more.
FEW = 2
DAY_MS = 86_400_000
SOON_MS = 30 * DAY_MS
#: The end of what has none: the first day of the last year of the calendar.
NO_END_MS = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1000
#: How many years ahead a count may name.
YEARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to know of an item: with a colour and a shape where it is a worry."""

    words: Phrase
    tone: Tone | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a list; ``is_kept``: it is put back and not counted down."""

    key: str
    picture: str
    name: Phrase
    tone: Tone
    lines: tuple[Line, ...]
    is_kept: bool
    is_gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A bank's medicine box; ``unlisted`` are the pictures of what nobody counted."""

    bank: str
    name: str
    cells: tuple[Cell, ...]
    items: tuple[Item, ...]
    unlisted: tuple[str, ...]


def box(
    told: BoxReport,
    words: Words,
    *,
    names: Mapping[str, str],
    now_ms: int | None,
    offset_hours: int,
) -> Box:
    """Return a box; without a time nothing is said to expire."""
    name = names.get(told.bank) or told.bank
    items = [item(each, words, now_ms, offset_hours) for each in told.items]
    worries = (Tone.BAD, Tone.WARN)
    items.sort(key=lambda each: worries.index(each.tone) if each.tone in worries else 2)
    listed = {each.picture for each in items if each.picture != "other"}
    listed |= {"other"} & {_PICTURES.get(each.item, "") for each in told.items}
    return Box(
        bank=told.bank,
        name=name,
        cells=tuple(
            cell(each, words, bank=name, offset_hours=offset_hours)
            for each in told.cells
        ),
        items=tuple(items),
        unlisted=tuple(each for each in THINGS if each not in listed),
    )


def item(told: ItemReport, words: Words, now_ms: int | None, offset_hours: int) -> Item:
    """Return one item with all that is to be known of it."""
    picture = _PICTURES.get(told.item, "other")
    is_named = told.item in _PICTURES
    is_kept = picture in KEPT
    lines = [Line(words=words.say("medicine.left", count=told.count))]
    worry = _worry(told, words, now_ms)
    if worry is not None:
        lines.append(worry)
    if told.count <= (0 if is_kept else FEW):
        few = words.say("medicine.few")
        lines.append(Line(words=few, tone=Tone.WARN, shape=Shape.ALERT))
    lines.append(Line(words=_until(told, words, offset_hours)))
    tones = {line.tone for line in lines}
    worst = next((tone for tone in (Tone.BAD, Tone.WARN) if tone in tones), Tone.OK)
    return Item(
        key=told.key,
        picture=picture,
        name=_named(picture, words) if is_named else Phrase(told.item, ""),
        tone=worst,
        lines=tuple(lines),
        is_kept=is_kept,
        is_gone=told.count == 0,
    )


def _named(picture: str, words: Words) -> Phrase:
    return words.say(f"medicine_things.{picture}")


def _worry(told: ItemReport, words: Words, now_ms: int | None) -> Line | None:
    """Say that an item has expired, or soon will; nothing of what is used up."""
    if now_ms is None or told.expires_ms is None or told.count == 0:
        return None
    if now_ms >= told.expires_ms:
        over = words.say("medicine.expired")
        return Line(words=over, tone=Tone.BAD, shape=Shape.CROSS)
    if now_ms >= told.expires_ms - SOON_MS:
        days = -(-(told.expires_ms - now_ms) // DAY_MS)
        soon = words.say("medicine.soon", count=days)
        return Line(words=soon, tone=Tone.WARN, shape=Shape.CLOCK)
    return None


def _until(told: ItemReport, words: Words, offset_hours: int) -> Phrase:
    """Return until when an item is good, by the last day on which it is."""
    if told.expires_ms is None or told.expires_ms >= NO_END_MS:
        return words.say("medicine.endless")
    last_ms = max(0, told.expires_ms - 1)
    year = datetime.fromtimestamp(last_ms / 1000 + offset_hours * 3600, tz=UTC).year
    shown = day_and_time(last_ms, offset_hours)
    day = shown.partition(" ")[0] if shown else None
    return words.say("medicine.until", day=f"{year}-{day}" if day else None)


def end_of_month_ms(year: int, month: int, offset_hours: int) -> int:
    """Return the first millisecond (UTC) after a month at the site."""
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    first = datetime(*after, 1, tzinfo=UTC)
    return int(first.timestamp() * 1000) - offset_hours * 3_600_000


def year_of(now_ms: int | None, offset_hours: int) -> int:
    """Return the year at the site, from which a count's choices begin."""
    at_s = 0 if now_ms is None else now_ms / 1000 + offset_hours * 3600
    return datetime.fromtimestamp(at_s, tz=UTC).year
