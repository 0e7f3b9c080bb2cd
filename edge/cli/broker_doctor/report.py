# SPDX-License-Identifier: Apache-2.0
"""An examination in words, and as JSON.

The law of the module: texts alone; each unsafe setting is followed by the lines that
mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.cli.broker_doctor.findings import Examination, Finding, Outcome
from edge.cli.broker_doctor.questions import QUESTIONS, Part, Question
from edge.cli.exits import GOOD, UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADINGS = {
    Part.NEED: "What a gateway needs",
    Part.SETTING: "Settings",
    Part.HINT: "Hints: what may be used, and never relied on",
}
MARKS = {
    (Part.NEED, Outcome.GOOD): "works",
    (Part.NEED, Outcome.BAD): "MISSING",
    (Part.NEED, Outcome.OPEN): "OPEN",
    (Part.SETTING, Outcome.GOOD): "safe",
    (Part.SETTING, Outcome.BAD): "UNSAFE",
    (Part.SETTING, Outcome.OPEN): "OPEN",
    (Part.HINT, Outcome.GOOD): "usable",
    (Part.HINT, Outcome.BAD): "no",
    (Part.HINT, Outcome.OPEN): "open",
}


def lines(examination: Examination) -> Iterator[str]:
    """Yield the report for a person."""
    for part, heading in HEADINGS.items():
        found = [
            finding
            for finding in examination.findings
            if QUESTIONS[finding.name].part is part
            and finding.outcome is not Outcome.UNASKED
        ]
        if found:
            yield heading
        for finding in found:
            yield from _told(finding, QUESTIONS[finding.name], examination.accepted)
        if found:
            yield ""
    yield verdict(examination)


def verdict(examination: Examination) -> str:
    """Return the one line that everything comes to."""
    code = examination.code
    if code == GOOD:
        accepted = sorted(examination.accepted & _not_good(examination))
        known = f"; known and accepted: {', '.join(accepted)}" if accepted else ""
        return f"good: a gateway can work with this broker{known}"
    if code == UNREACHABLE:
        said = next(f.said for f in examination.findings if f.name == "connect")
        return f"not reached: {said}; see host, port, and --ca if it speaks TLS"
    counted = examination.counted
    told = []
    for mark in ("MISSING", "UNSAFE", "OPEN"):
        names = [finding.name for finding in counted if _mark(finding) == mark]
        if names:
            told.append(f"{mark.lower()}: {', '.join(names)}")
    if any(finding.outcome is Outcome.UNASKED for finding in counted):
        told.append("the rest was not asked")
    return "; ".join(told)


def as_json(examination: Examination) -> dict[str, Any]:
    """Return the report for a program."""
    return {
        "findings": [
            {
                "name": finding.name,
                "part": QUESTIONS[finding.name].part.value,
                "asks": QUESTIONS[finding.name].asks,
                "outcome": finding.outcome.value,
                "said": finding.said,
                "is_accepted": finding.name in examination.accepted,
                "mosquitto": QUESTIONS[finding.name].mosquitto,
                "nats": QUESTIONS[finding.name].nats,
            }
            for finding in examination.findings
        ],
        "verdict": verdict(examination),
        "seconds": round(examination.seconds, 1),
        "code": examination.code,
    }


def _told(
    finding: Finding, question: Question, accepted: frozenset[str]
) -> Iterator[str]:
    mark = _mark(finding)
    is_accepted = finding.name in accepted and finding.outcome is not Outcome.GOOD
    if is_accepted:
        mark = "accepted"
    yield f"  {mark:9} {finding.name:18} {finding.said}"
    if finding.outcome is Outcome.BAD and not is_accepted:
        for server, line in (
            ("mosquitto", question.mosquitto),
            ("nats", question.nats),
        ):
            if line:
                yield f"{'':31}{server}: {line}"


def _mark(finding: Finding) -> str:
    return MARKS.get((QUESTIONS[finding.name].part, finding.outcome), "")


def _not_good(examination: Examination) -> set[str]:
    return {f.name for f in examination.findings if f.outcome is not Outcome.GOOD}
