# SPDX-License-Identifier: Apache-2.0
"""``menshen what-if``: kept decisions anew, under a site file that is not in force.

The law of the module: it reads and changes nothing. What cannot be judged is counted
beside what can, so that a short list of changes is not taken for a complete one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.exits import GOOD
from edge.cli.why import DAY_MS, Shelf, kept_events, roster_of_today
from edge.core.explain.comparison import Comparison
from edge.core.explain.telling import interval, reason_words, rule_words

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.explain.comparison import Change, Example
    from edge.core.plan import SitePlan

#: What no kept event can tell, whatever the file says.
BLIND_SPOTS = (
    "how old the list was: it is taken as fresh unless the refusal says otherwise",
    "hours in which doors unlock by themselves: modes are those that were",
    "what people would have done next: everybody came in and left as they did",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfOptions:
    """What the command line asked for."""

    state: Path
    now_ms: int
    days: float = 30.0
    is_json: bool = False


async def what_if(before: SitePlan, after: SitePlan, options: WhatIfOptions) -> int:
    """Print what the file ``after`` would have changed."""
    shelf, state = Shelf(), options.state
    spaces = frozenset((*before.spaces, *after.spaces))
    roster = await roster_of_today(state / "roster.db", spaces)
    from_ms = options.now_ms - round(options.days * DAY_MS)
    comparison = Comparison(before, after, roster, from_ms=from_ms)
    async for kept in kept_events(state / "journal.db", shelf):
        comparison.follow(kept)
    if options.is_json:
        print(json.dumps(_told(comparison, shelf), ensure_ascii=False))
    else:
        _tell(comparison, shelf, before)
    return GOOD


def _tell(comparison: Comparison, shelf: Shelf, site: SitePlan) -> None:
    changed = comparison.changes.total()
    print(
        f"{comparison.decisions} decisions: {changed} would have come out otherwise, "
        f"{comparison.same} the same, {comparison.unjudged.total()} not judged"
    )
    if comparison.of_other_settings:
        print(
            f"BEWARE: {comparison.of_other_settings} of them were made under another "
            f"file than {site.settings_revision}, the one taken as that of then"
        )
    if not shelf.is_whole:
        print(
            "BEWARE: the journal's beginning was trimmed away, and what stood with it"
        )
    for change, count in comparison.changes.most_common():
        print(f"{count:>7}  {_change(change)}")
        for example in comparison.examples[change]:
            print(f"         {_example(example, site.utc_offset_ms)}")
    if comparison.unjudged:
        print("not judged:")
    for why, count in comparison.unjudged.most_common():
        print(f"{count:>7}  {why.value}")
    if comparison.counted:
        print(f"         ({comparison.counted} refusals in those that were counted)")
    print("not seen by this:")
    for blind in BLIND_SPOTS:
        print(f"         {blind}")


def _change(change: Change) -> str:
    before, after = reason_words(change.before), reason_words(change.after)
    return f"{change.door}: {before} -> {after}"


def _example(example: Example, utc_offset_ms: int) -> str:
    kept = example.kept
    when = interval(kept.event.moment, utc_offset_ms)
    rules = f"{example.rule_before} -> {example.rule_after}"
    number = f"{kept.epoch}/{kept.seq}"
    return f"{number}  {when}  {rules} ({rule_words(example.rule_after)})"


def _told(comparison: Comparison, shelf: Shelf) -> dict[str, Any]:
    return {
        "decisions": comparison.decisions,
        "same": comparison.same,
        "changed": comparison.changes.total(),
        "changes": [
            {
                "door": change.door,
                "before": change.before,
                "after": change.after,
                "count": count,
                "examples": [_told_example(e) for e in comparison.examples[change]],
            }
            for change, count in comparison.changes.most_common()
        ],
        "unjudged": {why.name: n for why, n in comparison.unjudged.most_common()},
        "counted_refusals": comparison.counted,
        "of_other_settings": comparison.of_other_settings,
        "journal_is_whole": shelf.is_whole,
        "unread": shelf.unread,
        "blind_spots": BLIND_SPOTS,
    }


def _told_example(example: Example) -> dict[str, Any]:
    kept = example.kept
    return {
        "epoch": kept.epoch,
        "seq": kept.seq,
        "at": kept.event.subject,
        "earliest_ms": kept.event.moment.earliest_ms,
        "rule_before": example.rule_before,
        "rule_after": example.rule_after,
    }
