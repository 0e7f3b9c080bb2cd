# SPDX-License-Identifier: Apache-2.0
"""The side of a door that people meet: readers, lamps and loudspeakers together.

The law of the module: it decides nothing, and what it cannot show or sound costs no
door a moment: readers are told first, then lamps, then loudspeakers. What stands
(a fire, a lock-down, a fault) is looked up again and again, so that a reader that was
away shows it as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.device import CALM, Cue
from edge.cli.doorside.lamps import Lamps
from edge.cli.doorside.quiet import Volume, volume
from edge.cli.doorside.sign import IN_ALL, LOOKS, Signs
from edge.cli.doorside.speaker import Sound, Speaker
from edge.cli.doorside.standing import Standing, is_left_open
from edge.cli.doorside.word import Word
from edge.core.command import Indicate, Indication
from edge.core.stimulus import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from drivers.device import Order
    from edge.bindings.bindings import Bindings
    from edge.bindings.wiring import Wire
    from edge.cli.doorside.lamps import Clock, Timer
    from edge.cli.doorside.languages import Ear, Library
    from edge.cli.doorside.sign import Sign
    from edge.core.controller import Controller
    from edge.core.moment import Moment
    from edge.core.stimulus import Unreadable
    from edge.settings.site import Settings

#: What passes without an answer for so long gets the reading signal meanwhile.
READING_AFTER_S = 0.08
#: A call to leave, and a leaf that stands open, are told again so often.
REPEAT_S = 5.0
#: A rehearsal is told in all languages again and again, and leaves room for verdicts.
DRILL_EVERY_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What it stands on: the loop's clock, the time, the wires, the files of words.

    ``folders``: those that come with Menshen first, the site's own last. ``is_lost``:
    the box has no disk or keys and lets nobody in.
    """

    clock: Clock
    monotonic_s: Callable[[], float]
    now: Callable[[], Moment]
    local: Callable[[], datetime | None]
    send: Callable[[str, Order], None]
    tell_fault: Callable[[str], None]
    library: Library
    folders: tuple[Path, ...]
    is_lost: bool = False


class DoorSide:
    """All access points of a site."""

    def __init__(
        self,
        settings: Settings,
        bindings: Bindings,
        controller: Controller,
        around: Around,
        ear: Ear,
    ) -> None:
        self._settings = settings
        self._bindings = bindings
        self._controller = controller
        self._around = around
        self._ear = ear
        self._standing = Standing(controller, is_lost=around.is_lost)
        self._signs = Signs(settings, around.library, ear)
        self._lamps = Lamps(bindings.wiring.lamps, self._switch, around.clock)
        self._doors = {point.id: point.door for point in settings.access_point}
        speakers = [
            (Speaker(one.device, around.tell_fault), one.doors)
            for one in settings.signals.speaker
        ]
        self._speakers = {door: each for each, doors in speakers for door in doors}
        self._heard = [each for each, _ in speakers]
        self._lasting: dict[str, Sign] = {}
        self._passing: dict[str, tuple[Sign, float]] = {}
        self._reading: dict[str, Timer] = {}
        self._repeat_s: dict[str, float] = {}
        self._online: frozenset[str] = frozenset()

    # ---- what happens -----------------------------------------------------------

    def heard(self, scan: Scan | Unreadable) -> None:
        """Take who holds something out; say that it is being looked at if it lasts."""
        point = scan.access_point
        token = scan.credential.token if isinstance(scan, Scan) else b""
        self._ear.hear(point, token)
        self._forget_reading(point)
        wish = Indicate(access_point=point, indication=Indication.READING)
        later = self._around.clock.call_later(READING_AFTER_S, self.indicate, wish)
        self._reading[point] = later

    def indicate(self, wish: Indicate) -> None:
        """Show and sound what the rules wish; a slip of ours costs the words alone."""
        self._forget_reading(wish.access_point)
        try:
            self._tell(wish)
        except Exception as slip:  # noqa: BLE001  told: the doors go on
            self._around.tell_fault(f"no words: {type(slip).__name__}")
            for port, shown in self._bindings.shown(wish):
                self._around.send(port, shown)

    def _tell(self, wish: Indicate) -> None:
        now_s, now = self._around.monotonic_s(), self._around.now()
        sign = self._signs.of(wish, now_s, now.earliest_ms)
        look = LOOKS[sign.cue]
        for port, shown in self._bindings.shown(wish, sign.short):
            self._around.send(port, shown)
        self._lamps.show(sign.point, look)
        before, until_s = self._passing.get(sign.point, (sign, 0.0))
        if look.seconds:
            self._passing[sign.point] = (sign, now_s + look.seconds)
        else:
            self._lasting[sign.point] = sign
            if sign.cue not in CALM:
                self._passing.pop(sign.point, None)
        is_asked_again = sign.cue is Cue.CLOSE_DOOR is before.cue and now_s < until_s
        self._sound(sign, is_spoken=sign.is_spoken and not is_asked_again)

    def look(self) -> None:
        """Show what stands wherever that has changed, or was not seen by a reader."""
        now_s, online = self._around.monotonic_s(), self._bindings.online
        now = self._around.now()
        returned = online - self._online
        self._online = online
        if returned & self._lamps.boards:
            self._lamps.refresh()
        for point, door in self._doors.items():
            wish = self._standing.at(point, door, now)
            shown = self._lasting.get(point)
            displays = self._bindings.wiring.displays.get(point, ())
            is_news = shown is None or shown.cue.value != wish.indication.value
            if is_news or returned.intersection(displays):
                self._repeat_s[point] = now_s + _every_s(wish)
                self.indicate(wish)
            elif now_s >= self._repeat_s.get(point, 0.0):
                self._again(point, door, wish, now_s)
        self._end_loops()

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return what each door's entrance shows, for a screen beside it."""
        now_s, told = self._around.monotonic_s(), {}
        for point in self._settings.access_point:
            if point.door is None or point.direction != "in" or point.door in told:
                continue
            sign, until_s = self._passing.get(point.id, (None, 0.0))
            if sign is None or now_s >= until_s:
                sign = self._lasting.get(point.id)
            if sign is not None:
                told[point.door] = {
                    "cue": sign.cue.value,
                    "word": sign.word.value,
                    "language": sign.language,
                    "text": sign.text,
                }
        return told

    async def close(self) -> None:
        """Fall silent."""
        for timer in self._reading.values():
            timer.cancel()
        for speaker in self._heard:
            await speaker.close()

    # ---- how --------------------------------------------------------------------

    def _again(
        self, point: str, door: str | None, wish: Indicate, now_s: float
    ) -> None:
        """Repeat what must be noticed: the way out, and a leaf that stands open."""
        if wish.indication in (Indication.EVACUATE, Indication.DRILL_EVACUATE):
            self._repeat_s[point] = now_s + _every_s(wish)
            self.indicate(wish)
        elif door is not None and is_left_open(door, self._controller):
            self._repeat_s[point] = now_s + REPEAT_S
            asked = Indication.CLOSE_DOOR
            self.indicate(Indicate(access_point=point, indication=asked))

    def _forget_reading(self, point: str) -> None:
        timer = self._reading.pop(point, None)
        if timer is not None:
            timer.cancel()

    def _switch(self, wire: Wire, is_lit: bool) -> None:  # noqa: FBT001
        self._around.send(*self._bindings.lamp(wire, is_lit=is_lit))

    def _sound(self, sign: Sign, *, is_spoken: bool) -> None:
        door = self._doors.get(sign.point)
        speaker = self._speakers.get(door) if door is not None else None
        if speaker is None:
            return
        tone = LOOKS[sign.cue].tone
        codes: tuple[str, ...] = (sign.language,) if is_spoken else ()
        if sign.word in IN_ALL:
            codes = self._around.library.order
        spoken = tuple(self._files(code, sign.word) for code in codes)
        if sign.word is Word.EVACUATE:
            speaker.loop(Sound(tone=tone, clips=spoken))
            return
        how = volume(self._settings.signals, self._around.local())
        if how is not Volume.SILENT and (spoken or tone is not None):
            sound = Sound(tone=tone, clips=spoken)
            speaker.play(sound, is_quiet=how is Volume.LOWER)

    def _files(self, code: str, word: Word) -> tuple[Path, ...]:
        """Return where a recording may be, the site's own first."""
        folders: Iterable[Path] = reversed(self._around.folders)
        return tuple(folder / code / f"{word.value}.wav" for folder in folders)

    def _end_loops(self) -> None:
        leaving = {
            self._speakers.get(self._doors[point] or "")
            for point, sign in self._lasting.items()
            if sign.word is Word.EVACUATE
        }
        for speaker in self._heard:
            if speaker not in leaving:
                speaker.stop()


def _every_s(wish: Indicate) -> float:
    is_drill = wish.indication is Indication.DRILL_EVACUATE
    return DRILL_EVERY_S if is_drill else REPEAT_S
