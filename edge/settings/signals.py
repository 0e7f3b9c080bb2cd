# SPDX-License-Identifier: Apache-2.0
"""The part of a site file that speaks of what people see and hear at a door.

The law of the module: without it readers show what they can and nothing is spoken.
Which words there are is known to the language files, not to this one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Len, Predicate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.settings.check import Finding
    from edge.settings.site import Settings

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_WINDOW = re.compile(r"(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?")


def is_language(text: str) -> bool:
    """Say whether a text names a language, as its file is called."""
    return _LANGUAGE.fullmatch(text) is not None


def is_quiet_time(text: str) -> bool:
    """Say whether a text is a window of a day, "" for none; it may cross midnight."""
    return _WINDOW.fullmatch(text) is not None


Language = Annotated[str, Predicate(is_language)]


class _Part:
    """A table of the file, in which an unknown key is a fault."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp(_Part):
    """A lamp beside a reader, of one colour, on an output of a relay board."""

    access_point: str
    colour: Literal["white", "green", "amber", "red", "blue"]
    device: str
    output: Annotated[int, Ge(1), Le(64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker(_Part):
    """A loudspeaker of the box, and the doors at which it is heard.

    ``device`` is what ``aplay -L`` calls it.
    """

    doors: Annotated[list[str], Len(1, 8)]
    device: Annotated[str, Len(1, 64)] = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals(_Part):
    """How doors speak: languages in their order, quiet hours, lamps, loudspeakers.

    The first language is spoken to whom nobody knows, the others one after another
    to who holds the same card out again. In ``quiet_hours`` it is ``lower`` or
    ``silent``; the call to leave is always loud.
    """

    languages: Annotated[list[Language], Len(1, 8)] = field(
        default_factory=lambda: ["zh-CN", "yue", "en"]
    )
    quiet_hours: Annotated[str, Predicate(is_quiet_time)] = "22:00-07:00"
    quiet: Literal["lower", "silent"] = "lower"
    lamp: Annotated[list[Lamp], Len(0, 64)] = field(default_factory=list)
    speaker: Annotated[list[Speaker], Len(0, 8)] = field(default_factory=list)


def check_signals(
    settings: Settings, outputs: set[tuple[str, int]]
) -> Iterator[Finding]:
    """Yield what ``[signals]`` must not say; ``outputs`` are wired already."""
    signals, taken = settings.signals, set(outputs)
    points = [point.id for point in settings.access_point]
    devices = [device.id for device in settings.device]
    for index, lamp in enumerate(signals.lamp):
        where = ("signals", "lamp", index)
        if lamp.access_point not in points:
            what = f"there is no access point {lamp.access_point!r}, {_one_of(points)}"
            yield (*where, "access_point"), what
        if lamp.device not in devices:
            what = f"there is no device {lamp.device!r}, {_one_of(devices)}"
            yield (*where, "device"), what
        if (lamp.device, lamp.output) in taken:
            what = f"output {lamp.output} of {lamp.device!r} is wired already"
            yield (*where, "output"), f"{what}, use another"
        taken.add((lamp.device, lamp.output))
    for index, colour in _twice(signals.lamp):
        what = f"this access point has a {colour} lamp already, leave one out"
        yield ("signals", "lamp", index, "colour"), what
    doors, heard = [door.id for door in settings.door], set[str]()
    for index, speaker in enumerate(signals.speaker):
        for door in speaker.doors:
            if door not in doors:
                what = f"there is no door {door!r}, {_one_of(doors)}"
                yield ("signals", "speaker", index, "doors"), what
            elif door in heard:
                what = f"{door!r} has a loudspeaker already, name it once"
                yield ("signals", "speaker", index, "doors"), what
            heard.add(door)
    if len(set(signals.languages)) < len(signals.languages):
        what = "a language stands there twice, name it once"
        yield ("signals", "languages"), what


def _twice(lamps: list[Lamp]) -> Iterator[tuple[int, str]]:
    seen: set[tuple[str, str]] = set()
    for index, lamp in enumerate(lamps):
        if (lamp.access_point, lamp.colour) in seen:
            yield index, lamp.colour
        seen.add((lamp.access_point, lamp.colour))


def _one_of(names: list[str]) -> str:
    return "use one of " + ", ".join(sorted(names))
