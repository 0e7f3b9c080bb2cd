# SPDX-License-Identifier: Apache-2.0
"""What a gateway's start does for backups, before anything is opened.

The law of the module: a restore that was made ready is carried out by a few renames;
one that cannot be is told, and keeps nobody from starting. The site file of a good
start is kept beside the journal, so that a backup has what was in force.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import finish_restore, is_staged, tell_fault
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import write

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.checked_site import CheckedSite

__all__ = ["carry_out", "is_staged", "keep_site"]

log = structlog.get_logger()


def carry_out(state: Path) -> bool:
    """Finish a restore that waits, and say whether one was; never raises."""
    try:
        aside = finish_restore(state)
    except (BackupError, KeyFileError, OSError) as fault:
        log.warning("the restore is not done", why=str(fault))
        tell_fault(state, str(fault))
        return False
    if aside:
        log.info("restored", aside=aside)
    return bool(aside)


def keep_site(site: Path, state: Path, checked: CheckedSite) -> None:
    """Keep the site file that is in force; a folder that takes none costs nothing."""
    if checked.faults:
        return
    with suppress(OSError, ValueError, KeyFileError):
        text = site.read_text(encoding="utf-8")
        kept = state / KEPT_SITE
        if not kept.exists() or kept.read_text(encoding="utf-8") != text:
            write(kept, text)
