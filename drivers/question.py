# SPDX-License-Identifier: Apache-2.0
"""A question that may be put to any device, and what came instead of its answer.

The law of the module: pure. A question moves nothing, whoever hears it; what comes
back is told apart as far as bytes allow: an answer, our own echo, garbage, silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kept of what a device says meanwhile; an answer is far shorter.
MAX_HEARD_BYTES = 4096


class Outcome(StrEnum):
    """What a question led to."""

    ANSWERED = "ANSWERED"
    ECHO = "ECHO"
    GARBAGE = "GARBAGE"
    SILENCE = "SILENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``understand`` says in words what the answer tells, None if it is none (yet)."""

    what: str
    frame: bytes
    within_s: float
    understand: Callable[[bytes], str | None]


def outcome(question: Question, heard: bytes) -> tuple[Outcome, str]:
    """Judge what was heard within the time: the outcome, and the answer's words."""
    words = question.understand(heard)
    if words is not None:
        return Outcome.ANSWERED, words
    if not heard:
        return Outcome.SILENCE, ""
    if heard == question.frame:
        return Outcome.ECHO, ""
    return Outcome.GARBAGE, ""
