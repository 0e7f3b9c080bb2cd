# SPDX-License-Identifier: Apache-2.0
"""Nobody is let in whom the oracle keeps out, nor told a reason that it knows not.

The law of the module: a decision is judged with the picture as it was just before;
what the same stimulus settled first (timers that ran out) belongs to it. Two names:
``grants are the oracle's`` and ``refusals are the oracle's``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, Violation
from edge.cli.simulate.oracle.leaves import SLACK_S
from edge.cli.simulate.oracle.lockers import right_locker_answers
from edge.cli.simulate.oracle.picture import Picture
from edge.cli.simulate.oracle.rules import ask, right_answers
from edge.cli.simulate.oracle.ruling import OPEN
from edge.core.access.answers import DenyReason
from edge.core.command import Indicate, Indication, Release
from edge.core.event import EventKind
from edge.core.stimulus import Scan

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.core.event import Event

#: A scan older than this makes no decision (law 5); another checker sees to it.
SCAN_LIFE_S = 2.0
#: The same card within this time of its grant re-opens and is not decided anew.
AGAIN_S = 3.0
GRANTS, REFUSALS = "grants are the oracle's", "refusals are the oracle's"
_DECIDED = frozenset(
    {
        EventKind.ACCESS_GRANTED,
        EventKind.ACCESS_DENIED,
        EventKind.MEDICINE_BOX_OPENED,
        EventKind.CREDENTIAL_BOUND,
        EventKind.CONFIRMATION_GIVEN,
        EventKind.CONFIRMATION_ASKED,
        EventKind.RENTAL_STARTED,
        EventKind.RENTAL_ENDED,
        EventKind.WRONG_TRIES,
    }
)
#: What is no decision about the one who scanned.
_OTHERWISE = frozenset({EventKind.CREDENTIAL_BOUND, EventKind.CONFIRMATION_GIVEN})


class DecisionsAreRight:
    """Holds every answer at a reader against the oracle's."""

    name = GRANTS
    heeds: Kinds = Picture.heeds

    def __init__(self, ground: Ground) -> None:
        self._picture = Picture(ground)
        #: By access point: who was let in there last, when, and by which release.
        self._last: dict[str, tuple[bytes, float]] = {}
        #: By access point: whose card waits there for a volunteer's word.
        self._waiting: dict[str, bytes] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if isinstance(seen, Booted):
            self._last.clear()
            self._waiting.clear()
        if isinstance(seen, Handled):
            self._confirmed(seen)
        if not isinstance(seen, Handled) or not isinstance(seen.stimulus, Scan):
            self._picture.see(seen)
            return
        before, after = _split(seen)
        self._picture.see(before)
        self._judge(seen, seen.stimulus, after)
        self._picture.see(after)

    def end(self, rest: Rest) -> None:
        """Do nothing: each decision was judged when it fell."""

    def _judge(self, seen: Handled, scan: Scan, decided: Handled) -> None:
        point = self._picture.plan.access_points[scan.access_point]
        is_old = seen.moment.monotonic_s - scan.received_s > SCAN_LIFE_S
        kinds = {event.kind for event in decided.events}
        if point.is_desk or is_old or not _OTHERWISE.isdisjoint(kinds):
            return
        answer = _answer(decided)
        if answer == "" and point.door_id:
            self._judge_again(seen, scan)
            return
        if answer == "":
            return
        if point.bank_id:
            bank = self._picture.plan.banks[point.bank_id]
            right = right_locker_answers(self._picture, scan, bank, seen.moment)
        else:
            asked = ask(self._picture, scan, seen.moment, seen.at_s)
            right = right_answers(self._picture, asked)
        self._compare(answer, right, scan)
        self._picture.answered(scan, answer, at_s=seen.at_s)
        token = scan.credential.tokens[-1]
        if answer == DenyReason.AWAITING_CONFIRMATION.value:
            self._waiting[scan.access_point] = token
        if answer == OPEN:
            self._last[scan.access_point] = (token, seen.moment.monotonic_s)

    def _confirmed(self, seen: Handled) -> None:
        """Remember who was let in by a volunteer's word: his card re-opens, too."""
        confirmed = {
            event.subject
            for event in seen.events
            if event.kind is EventKind.CONFIRMATION_GIVEN
        }
        for event in seen.events:
            if event.kind is EventKind.ACCESS_GRANTED and event.subject in confirmed:
                token = self._waiting.get(event.subject, b"")
                self._last[event.subject] = (token, seen.moment.monotonic_s)

    def _compare(self, answer: str, right: frozenset[str], scan: Scan) -> None:
        if answer in right:
            return
        holder = self._picture.whose(scan.credential.tokens[-1])
        who = holder.holder_id if holder else "somebody unknown"
        told = f"{who} at {scan.access_point}: {answer}, not {sorted(right)}"
        raise Violation(GRANTS if answer == OPEN else REFUSALS, told)

    def _judge_again(self, seen: Handled, scan: Scan) -> None:
        """Judge a release without a decision: the same card, within three seconds."""
        door = self._picture.plan.access_points[scan.access_point].door_id
        if not any(_is_release(command, door) for command in seen.commands):
            return
        token, granted_s = self._last.get(scan.access_point, (b"", 0.0))
        waited_s = seen.moment.monotonic_s - granted_s
        may_s = AGAIN_S
        if scan.ticket is not None:  # it re-opens while its release still runs
            plan = self._picture.plan.doors[door]
            may_s = max(may_s, plan.extended_release_s, plan.release_s) + SLACK_S
        if token != scan.credential.tokens[-1] or waited_s >= may_s:
            what = f"{door} was released for a scan without a decision"
            raise Violation(GRANTS, what)


def _split(seen: Handled) -> tuple[Handled, Handled]:
    """Part what was settled first from what the scan itself brought about."""
    events = seen.events
    at = next(
        (index for index, event in enumerate(events) if _is_about(event, seen)),
        len(events),
    )
    before = replace(seen, stimulus=None, events=events[:at], commands=())
    return before, replace(seen, events=events[at:])


def _is_about(event: Event, seen: Handled) -> bool:
    if event.kind not in _DECIDED or not isinstance(seen.stimulus, Scan):
        return False
    # A refusal that was only counted is told later, for whoever it was.
    return event.fact("count") is None


def _answer(decided: Handled) -> str:
    """Return what the person was answered; "" if nothing was decided."""
    for event in decided.events:
        match event.kind:
            case EventKind.ACCESS_GRANTED | EventKind.MEDICINE_BOX_OPENED:
                return OPEN
            case EventKind.RENTAL_ENDED if event.fact("why") == "finished":
                return OPEN
            case EventKind.ACCESS_DENIED if event.fact("count") is None:
                return str(event.fact("reason"))
            case _:
                pass
    return next((told for told in map(_told, decided.commands) if told), "")


def _told(command: object) -> str:
    match command:
        case Indicate(indication=Indication.DENIED | Indication.WAITING, reason=reason):
            return reason
        case _:
            return ""


def _is_release(command: object, door: str) -> bool:
    return isinstance(command, Release) and command.door == door
