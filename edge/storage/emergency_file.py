# SPDX-License-Identifier: Apache-2.0
"""The standing emergencies in a small file of their own, read first at boot.

The law of the module: it is written with both file and folder synced, and read
without the journal, so that a dead database never locks an escape door again, nor
opens a house that was locked down.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge.core.emergency.state import EmergencyState

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

PEACE = "none"
#: What cannot be understood counts as fire: better open than shut.
UNKNOWN = frozenset({EmergencyState.FIRE})


def read_emergency(path: Path) -> frozenset[EmergencyState]:
    """Return what stood when the box went down; UNKNOWN if the file is no answer."""
    try:
        words = path.read_text(encoding="ascii").upper().split()
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
    if words == [PEACE.upper()]:
        return frozenset()
    known = frozenset(words) & EmergencyState.__members__.keys()
    if not words or len(known) != len(words):
        return UNKNOWN
    return frozenset(map(EmergencyState, known))


def write_emergency(path: Path, standing: Collection[EmergencyState]) -> None:
    """Replace the file; blocking, for a worker thread."""
    words = [state.value for state in EmergencyState if state in standing]
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="ascii") as file:
        file.write(" ".join(words or [PEACE]) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
