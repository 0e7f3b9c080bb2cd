# SPDX-License-Identifier: Apache-2.0
"""What came of a PIN that somebody typed.

The law of the module: values alone; no PIN is in them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edge.accounts.lockout import Wait


class Checked(StrEnum):
    """What came of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    WAITS = "waits"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """A checked PIN; ``left`` guesses remain, or ``wait`` says for how long not."""

    checked: Checked
    left: int = 0
    wait: Wait | None = None
