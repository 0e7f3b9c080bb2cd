# SPDX-License-Identifier: Apache-2.0
"""What an examination found, and what that comes to.

The law of the module: a question that was not answered counts against the broker like
a bad answer, unless it is about a hint, of which nothing depends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.cli.broker_doctor.questions import QUESTIONS, Part
from edge.cli.exits import GOOD, TROUBLE, UNREACHABLE


class Outcome(StrEnum):
    """How a question was answered: as one would wish, not so, not at all, not put."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An answer; ``said`` is what was seen."""

    name: str
    outcome: Outcome
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All answers, and the names of those that somebody knows of and lives with."""

    findings: tuple[Finding, ...]
    is_reached: bool
    accepted: frozenset[str] = frozenset()
    seconds: float = 0.0

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings for which the broker does not pass."""
        return tuple(
            finding
            for finding in self.findings
            if finding.outcome is not Outcome.GOOD
            and QUESTIONS[finding.name].part is not Part.HINT
            and finding.name not in self.accepted
        )

    @property
    def code(self) -> int:
        """How the program ends; a plain port is told even where TLS led nowhere."""
        counted = self.counted
        is_bad = any(finding.outcome is Outcome.BAD for finding in counted)
        if not self.is_reached and not is_bad:
            return UNREACHABLE
        return TROUBLE if counted else GOOD
