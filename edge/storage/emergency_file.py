# SPDX-License-Identifier: Apache-2.0
"""The fire release in a small file of its own, read before anything else at boot.

The law of the module: it is written with both file and folder synced, and read
without the journal, so that a dead database never locks an escape door again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_fire(path: Path) -> bool:
    """Say whether a fire release stood when the box went down.

    A file that exists but cannot be understood counts as fire: better open than shut.
    """
    try:
        return path.read_text(encoding="ascii").strip() != "none"
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True


def write_fire(path: Path, *, is_fire: bool) -> None:
    """Replace the file; blocking, for a worker thread."""
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="ascii") as file:
        file.write("fire\n" if is_fire else "none\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
