# SPDX-License-Identifier: Apache-2.0
"""The page of the doors, written by asking the machine itself.

The law of the module: every cell comes from the table or from a door on the bench;
prose explains and claims nothing that is not asked. Run it to write ``docs/doors.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command import Release
from edge.core.doors.door import TABLE, DoorEffect, DoorInput, DoorMode, DoorPhase
from edge.core.doors.leaves import MAX_WAITING, RELEASE_SLACK_S
from edge.core.doors.relay import REST_WITHIN_S, RETRIES
from edge.core.doors.strikes import UNLOCKED_PULSE_S, UNLOCKED_RENEW_S
from edge.core.doors.unlocking import YIELDING_MODES
from tests.core.doors.bench import HELD_S, Bench, plan, site

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[3] / "docs" / "doors.md"
WRITE_WITH = "python -m tests.core.doors.page"

_MEANING = {
    DoorMode.LOCKED: "a card, a code or the panel releases it for a moment",
    DoorMode.UNLOCKED: "anyone may come in; a dead gateway locks it within a pulse",
    DoorMode.BLOCKED: "out of use",
    DoorMode.LOCKED_DOWN: "danger outside: nobody comes in, everybody gets out",
    DoorMode.LOCKED_OPEN: "held open until somebody ends it (fire, moving house)",
}
_INPUTS = {
    DoorInput.RELEASE: "a grant, the exit button or the panel",
    DoorInput.OPENED: "the leaf opens in a mode that locks",
    DoorInput.OPENED_FREELY: "the leaf opens in a free mode, or to somebody who may be "
    "leaving by a handle that nobody sees",
    DoorInput.CLOSED: "the leaf closes",
    DoorInput.RELEASE_OVER: "the release is over",
    DoorInput.RELEASE_OVER_UNSENSED: "the release is over and the door has no contact",
    DoorInput.WARN_OVER: "the leaf has stood open until the warning",
    DoorInput.HELD_OVER: "the leaf has stood open too long",
}
_EFFECTS = {
    DoorEffect.OPENED: "DOOR_OPENED",
    DoorEffect.CLOSED: "DOOR_CLOSED",
    DoorEffect.TAKEN: "ACCESS_TAKEN of each grant that waited",
    DoorEffect.NOT_TAKEN: "ACCESS_NOT_TAKEN of each grant that waited",
    DoorEffect.FORCED: "DOOR_FORCED_OPEN",
    DoorEffect.WARN: "DOOR_HELD_WARNING, and the reader asks to close",
    DoorEffect.TOO_LONG: "DOOR_OPEN_TOO_LONG",
    DoorEffect.RELOCK: "the strike locks, unless the mode is free",
}


def render() -> str:
    """Return the whole page."""
    parts = (_HEAD, _modes(), _LAYERS, _phases(), _legend(), _strikes())
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _modes() -> str:
    what = ("mode", "what it is for", "strike at rest")
    then = ("opened without a release", "left open", "exit button")
    return _table(what + then, [_mode(mode) for mode in DoorMode])


def _mode(mode: DoorMode) -> tuple[str, ...]:
    """Ask a door on the bench what it does in a mode."""
    pressed, pushed = _at_rest(mode), _at_rest(mode)
    strike = "held on" if pressed.free_until_s["front"] == float("inf") else "off"
    if any(isinstance(command, Release) for command in pushed.commands):
        strike = f"on by pulses of {UNLOCKED_PULSE_S:g} s"
    let_out = "releases" if len(pressed.press()) > 1 else "noted, it is open already"
    told = pushed.swing(is_open=True)
    opened = "forced alarm" if "DOOR_FORCED_OPEN" in told else "no alarm"
    held = _at_rest(mode)
    held.press()
    held.swing(is_open=True)
    alarms = [kind for kind in held.wait(2 * HELD_S) if kind.startswith("DOOR_")]
    left = "warning, then alarm" if len(alarms) == 2 else "no alarm"
    return (f"`{mode}`", _MEANING[mode], strike, opened, left, let_out)


def _at_rest(mode: DoorMode) -> Bench:
    bench = Bench(site(plan()))
    bench.order(mode)
    bench.tick()
    return bench


def _phases() -> str:
    rows = []
    for phase in DoorPhase:
        for happened in DoorInput:
            after, effects = TABLE[phase].get(happened, (None, ()))
            if after is not None:
                told = ", ".join(effects) or "·"
                rows.append((f"`{phase}`", f"`{happened}`", f"`{after}`", told))
    head = ("phase", "what happens", "phase after", "what follows, in this order")
    return f"{_PHASES}\n{_table(head, rows)}\n"


def _legend() -> str:
    inputs = [(f"`{happened}`", _INPUTS[happened]) for happened in DoorInput]
    effects = [(effect.value, _EFFECTS[effect]) for effect in DoorEffect]
    happens = _table(("what happens", "that is"), inputs)
    return f"{happens}\n\n{_table(('what follows', 'that is'), effects)}\n"


def _strikes() -> str:
    ending = sorted(set(DoorMode) - YIELDING_MODES)
    return _STRIKES.format(
        by_hand=", ".join(f"`{mode}`" for mode in ending),
        pulse_s=UNLOCKED_PULSE_S,
        renew_s=UNLOCKED_RENEW_S,
        slack_s=RELEASE_SLACK_S,
        rest_s=REST_WITHIN_S,
        retries=RETRIES,
        waiting=MAX_WAITING,
    )


_HEAD = f"""
<!-- written by `{WRITE_WITH}`; a test compares it with the door machine -->

# Doors

A door has a **mode**, which is what it is meant to do, and a **phase**, which is what
its leaf and its strike are doing. Nothing moves from one mode to another because
somebody goes through: after every passage the door is what it was meant to be.

Who may come in is another matter and is decided at the reader. The way out asks
nobody: the exit button releases in every mode.

## Modes
"""

_LAYERS = """
Three may speak at once; the first of them counts, and what is taken away gives back
what lies beneath:

1. what an **emergency** imposes (fire: `LOCKED_OPEN` on escape doors; lock-down:
   `LOCKED_DOWN`);
2. the door's **schedule**: `UNLOCKED` within its hours, if it has any;
3. what somebody in charge has **ordered**.

An order given meanwhile changes its own layer and shows when the others end.
"""

_PHASES = """
## Phases

What is not in this table changes nothing.
"""

_STRIKES = """
## Strikes, schedules, interlocks

- Boards time their pulses themselves. An unlocked door is kept so by pulses of
  {pulse_s:g} s, renewed every {renew_s:g} s. After a pulse a leaf may still open for
  {slack_s:g} s without an alarm, since a contact tells a moment late.
- A door is never relocked while its contact says that the leaf is open. A door without
  a contact counts a grant as taken when its release ends and says so (`unsensed` 1).
- An output that is still on {rest_s:g} s after it should be at rest, in a mode that
  locks, is told (DOOR_RELAY_STUCK) and ordered to rest up to {retries} times, a second
  apart; once its board says that it rests, DOOR_RELAY_FREED is told.
- A schedule unlocks only while the clock is surely inside its hours, and with "first
  person in" only once a volunteer or manager came in by that door within these hours.
  An order for `LOCKED` or `UNLOCKED` goes before the schedule until its next change;
  {by_hand} end by hand alone.
- An order for `UNLOCKED` may have an end, within a day (`timed` 1, `until`): it goes
  before the schedule until then, and gives the door back to it, or to `LOCKED`, as soon
  as that time may be over. After a start without a sure clock that is at once.
  Somebody who is just being let through delays the end of the hours until his release
  is over.
- Where people leave by a handle that nobody sees, an opening without a release is an
  alarm only outside the open hours with nobody inside.
- Of interlocked doors one stays shut while a partner is released, free or open. That
  is void for the exit button, and for all doors while a fire holds doors open.
- At most {waiting} grants wait for one leaf; beyond that the oldest counts as not used.
"""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
