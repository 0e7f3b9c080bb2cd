# SPDX-License-Identifier: Apache-2.0
"""Writes docs/decision.md: ``python -m tests.core.access.render_cases``.

The law of the module: the page says what the table says, in the table's order; nothing
of it is written by hand but ``cases/introduction.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.access.answers import NEXT_STEP
from tests.core.access.case_table import CASES, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.core.access.case_table import Answer, Case, Theme

PAGE = Path(__file__).parents[3] / "docs" / "decision.md"

#: How a field of the scene is told, where its name and value would not do.
WORDS = {
    "who": "card of {}",
    "kind": "shown as {}",
    "at": "at {}",
    "door": "at the {}",
    "mode": "mode {}",
    "first": "first person: {}",
    "interlocked_by": "{} is open",
    "entry": "entry by {}",
    "lead_min": "lead {} min",
    "grace_min": "grace {} min",
    "capacity": "capacity {}",
    "shelter_capacity": "shelter capacity {}",
    "passback": "passback {}",
    "roster_age": "the list is {} old",
    "awaited": "{} booked persons are not there yet",
    "used": "let in so far: {}",
    "left": "of them gone again, or perhaps: {}",
    "unverified_by_policy": "let in on an unsure clock by policy: {}",
    "barred": "all cards revoked of: {}",
    "vouched": "two persons here vouched for {}",
    "slow": "walks slowly: {}",
    "emergencies": "stands: {}",
}
#: Claims, as they are told when they hold and when they do not.
CLAIMS = {
    "reader_sound": ("the reader's wire is secure", "the reader's wire is not secure"),
    "strike_sound": ("the lock answers", "the lock does not answer"),
    "staff": ("a volunteer is on duty", "nobody is on duty"),
    "two_persons": ("a door for two persons", "one person is enough"),
    "confirmed": ("confirmed", "not confirmed"),
    "exit": ("the way out", "the way in"),
}


def render() -> str:
    """Return the whole page."""
    table = read_table()
    count = sum(len(theme.cases) for theme in table)
    parts = [
        (CASES / "introduction.md").read_text(encoding="utf-8"),
        _next_steps(),
        f"# The {count} cases\n",
        *(_theme(theme) for theme in table),
    ]
    return "\n".join(parts)


def _next_steps() -> str:
    rows = [(f"`{reason}`", f"`{step}`") for reason, step in NEXT_STEP.items()]
    lead = "## What comes next\nEvery refusal says what one can do now. A case tells"
    lead += " the step where it is another than this one.\n"
    return lead + "\n" + _grid(("refusal", "next step"), rows)


def _theme(theme: Theme) -> str:
    shared = _scene(theme.shared)
    lead = f"## {theme.title}\n{theme.about}\n"
    if shared:
        lead += f"\nHere the usual scene is: {shared}.\n"
    rows = [_row(case) for case in theme.cases]
    return lead + "\n" + _grid(("case", "scene", "answer", "because"), rows)


def _row(case: Case) -> tuple[str, ...]:
    return case.name, _scene(case.told), _answer(case.answer), _why(case)


def _why(case: Case) -> str:
    if not case.rules:
        return case.why
    earlier, later = case.rules
    order = (
        f"Rule {earlier} before {later}"
        if earlier != later
        else f"Within rule {earlier}"
    )
    order += f"; `{case.also}` with: {_scene(case.without)}."
    return f"{case.why} {order}".strip()


def _answer(answer: Answer) -> str:
    first = f"**{answer.reason}**" if answer.reason else _opening(answer.opens)
    more = [
        word if value == "yes" else f"{word} {value}" for word, value in answer.details
    ]
    return ", ".join((first, *more))


def _opening(by: str) -> str:
    match by:
        case "free":
            return "is free"
        case "exit":
            return "opens"
        case _:
            return f"opens: {by}"


def _scene(told: Iterable[tuple[str, object]]) -> str:
    return "; ".join(_field(name, value) for name, value in told)


def _field(name: str, value: object) -> str:
    if name == "until":
        return _bound(str(value))
    if isinstance(value, bool):
        return CLAIMS[name][not value]
    if value != 0 and not value:
        return f"no {_plain(name)}"
    if (name, value) == ("roster_age", "never"):
        return "the platform was never heard"
    return WORDS.get(name, f"{_plain(name)}: {{}}").format(_value(value))


def _bound(told: str) -> str:
    match told:
        case "":
            return "the clock is sure"
        case "?":
            return "perhaps any time later"
        case _:
            return f"perhaps as late as {told}"


def _value(value: object) -> str:
    match value:
        case list():
            return ", ".join(str(each) for each in value)
        case dict():
            return _pairs(value)
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _pairs(told: Mapping[str, object]) -> str:
    pairs = ((_plain(name), value) for name, value in told.items())
    return ", ".join(
        f"no {name}" if value in ("", []) else f"{name} {_value(value)}"
        for name, value in pairs
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _grid(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
