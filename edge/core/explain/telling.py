# SPDX-License-Identifier: Apache-2.0
"""Explanations in lines that somebody at a panel or a shell can read.

The law of the module: it tells what it is given and finds out nothing; times are the
site's local ones. What is uncertain is said before what follows from it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.access.answers import NEXT_STEP
from edge.core.explain.explanation import Ending
from edge.core.explain.retelling import Unknown
from edge.core.explain.words import REASONS, RULES, STEPS
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.access.answers import DenyReason
    from edge.core.explain.explanation import Explanation, Told
    from edge.core.explain.kept import Kept
    from edge.core.explain.openers import Openers
    from edge.core.explain.scene import Answer
    from edge.core.moment import Moment

_ANOTHER_RULE = "a rule of another version of the program"
#: Details whose value is a time (UTC ms).
_TIMES = frozenset({"end", "exp", "from_ms", "to_ms", "until"})


def rule_words(rule: str) -> str:
    """Return what a rule looks at."""
    return RULES.get(rule, _ANOTHER_RULE)


def answer_words(answer: Answer | Unknown) -> str:
    """Return an answer in words."""
    if isinstance(answer, Unknown):
        return f"not to be said: {answer.value}"
    if answer.reason is None:
        return f"yes, by rule {answer.rule} ({rule_words(answer.rule)})"
    what = f"{answer.reason.value}: {REASONS[answer.reason]}"
    return f"no, {what}; {STEPS[NEXT_STEP[answer.reason]]} (rule {answer.rule})"


def reason_words(reason: DenyReason | None) -> str:
    """Return an answer by its reason alone."""
    return "granted" if reason is None else f"refused ({reason.value})"


def local(utc_ms: int, utc_offset_ms: int) -> str:
    """Return a time as the site's clock on the wall would show it."""
    utc = datetime(1970, 1, 1, tzinfo=UTC)
    shown = utc + timedelta(milliseconds=utc_ms + utc_offset_ms)
    return shown.strftime("%Y-%m-%d %H:%M:%S")


def interval(moment: Moment, utc_offset_ms: int) -> str:
    """Return a moment and how sure it is."""
    earliest = local(moment.earliest_ms, utc_offset_ms)
    if moment.latest_ms >= UNBOUNDED_MS:
        return f"{earliest} or later (the clock had no upper bound)"
    spread_s = (moment.latest_ms - moment.earliest_ms) / 1000
    if spread_s < 1:
        return earliest
    return f"{earliest}, at most {spread_s:,.0f} s later (the clock was unsure)"


def explained(
    each: Explanation, utc_offset_ms: int, settings_revision: str
) -> Iterator[str]:
    """Yield a decision's lines; ``settings_revision`` is the given site file's."""
    told = each.told
    who = _who(told)
    yield f"{interval(told.moment, utc_offset_ms)}  {told.at}  {told.epoch}/{told.seq}"
    if told.reason is None:
        yield f"  GRANTED to {who}"
    else:
        yield f"  REFUSED {who}: {told.reason.value}, {REASONS[told.reason]}"
    if told.step is not None:
        yield f"  next step    {STEPS[told.step]}"
    yield f"  rule         {told.rule}: {rule_words(told.rule)}"
    if told.details:
        shown = (f"{n}={_shown(n, v, utc_offset_ms)}" for n, v in told.details)
        yield f"  details      {', '.join(shown)}"
    if told.is_flagged:
        yield "  clock        let in although it could not tell if the time was now"
    if each.mode:
        stood = f"mode {each.mode}, {', '.join(each.standing) or 'no emergency'}"
        yield f"  stood        {stood}"
    if each.ending is not Ending.REFUSED:
        late = ", released before its commit was known (slow disk)"
        yield f"  came of it   {each.ending.value}{late if each.is_late else ''}"
    age_s = told.roster_age_s
    age = "" if age_s is None else f" (confirmed {age_s // 60} min before)"
    by = f"list {told.roster_revision}{age}, settings {told.settings_revision}"
    yield f"  decided by   {by}"
    if told.settings_revision != settings_revision:
        yield f"  BEWARE       the site file given here is {settings_revision}"
    yield from _anew(each)
    if each.openers is not None:
        yield from opened(each.openers)


def _anew(each: Explanation) -> Iterator[str]:
    if isinstance(each.anew, Unknown):
        yield f"  anew         {answer_words(each.anew)}"
    elif each.anew.reason is each.told.reason:
        yield "  anew         by what is known today it comes out the same"
    else:
        yield f"  BEWARE       decided anew: {answer_words(each.anew)}"
        yield "               so what follows may not have been so"


def opened(told: Openers) -> Iterator[str]:
    """Yield who could have opened."""
    if not told.is_same_list:
        then, today = (
            f"{epoch or '?'}@{rev}" for epoch, rev in (told.then, told.today)
        )
        yield f"  BEWARE       list {then} is not kept; what follows is by {today}"
    if told.asked is not None:
        asked = told.asked
        if asked.answer is None:
            yield f"  {asked.holder}: on no list that is kept here"
        else:
            yield f"  {asked.holder}: {answer_words(asked.answer)}"
        if asked.has_lost_card:
            yield "    a card of this person is called back today; asked of a good one"
    yield f"  any card     {answer_words(told.stranger)}"
    for one in told.booked:
        words = answer_words(one.answer)
        yield f"  booking      {one.booking} of {one.holder}: {words}"
    if told.booked_beyond:
        yield f"  booking      and {told.booked_beyond} more"
    for policy in told.by_policy:
        many = f"{policy.holders} with role {policy.role}"
        yield f"  policy       {policy.policy}, {many}: {answer_words(policy.answer)}"


def beside(kept: Kept, utc_offset_ms: int) -> str:
    """Return what else happened, in a line."""
    event = kept.event
    when = interval(event.moment, utc_offset_ms)
    facts = " ".join(f"{name}={told}" for name, told in event.facts)
    return f"{when}  {event.subject}  {event.kind.value} {facts}".rstrip()


def _who(told: Told) -> str:
    person = told.person
    if told.is_erased:
        return "somebody who has been erased"
    named = [
        f"{name} {value}"
        for name, value in (
            ("holder", person.holder),
            ("booking", person.booking),
            ("ticket", person.ticket),
        )
        if value is not None
    ]
    kind = told.kind or "hand"
    return f"{', '.join(named) or 'an unknown one'} ({kind})"


def _shown(name: str, value: int | str, utc_offset_ms: int) -> str:
    is_time = name in _TIMES and isinstance(value, int)
    return local(int(value), utc_offset_ms) if is_time else str(value)
