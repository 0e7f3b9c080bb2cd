# SPDX-License-Identifier: Apache-2.0
"""Putting a broken database aside: the gateway goes on, the evidence stays.

The law of the module: nothing is deleted that was not damaged before, and the first
evidence outlives the later; the write-ahead log moves with its file, under a name by
which SQLite still finds it.
Source: sqlite.org howtocorrupt.html 1.2 to 1.4 (a log parted from its file).
"""

from __future__ import annotations

from pathlib import Path

#: Damaged copies kept. A card that is dying breaks a fresh file every hour, and
#: must not fill itself with the evidence; the last place is used again and again.
KEPT_COPIES = 3
_COMPANIONS = ("", "-wal", "-shm")


def set_aside(path: Path) -> Path:
    """Rename the closed database ``path`` with its log; return the new name."""
    for number in range(1, KEPT_COPIES + 1):
        aside = Path(f"{path}.damaged-{number}")
        if not aside.exists():
            break
    for companion in _COMPANIONS:
        target = Path(f"{aside}{companion}")
        target.unlink(missing_ok=True)
        source = Path(f"{path}{companion}")
        if source.exists():
            source.rename(target)
    return aside
