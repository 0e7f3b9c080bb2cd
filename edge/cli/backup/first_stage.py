# SPDX-License-Identifier: Apache-2.0
"""What a restore onto an empty box adds: settings in force, and a tablet that stays.

The law of the module: it works on what lies ready and is not in place yet, so that a
power cut undoes it with everything else. Settings that this program cannot use are
refused here, before anything is replaced.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from edge.accounts.people import MAX_TABLETS, Role
from edge.cli.backup.adopted import ADOPTING
from edge.cli.backup.errors import BackupError
from edge.cli.backup.manifest import ACCOUNTS, SITE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Longer, and the box is too sick to say what is wrong with a file.
CHECK_WITHIN_S = 120.0
#: Of what is wrong with settings so much is told.
FAULT = 200


def adopt_settings(fresh: Path) -> None:
    """Lay the settings ready to be in force; BackupError says what is wrong in them."""
    source = fresh / SITE
    command = [sys.executable, "-m", "edge.cli.check_site", str(source)]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=CHECK_WITHIN_S
    )
    if ended.returncode != 0:
        first = ended.stderr.strip().partition("\n")[0].replace(f"{fresh}/", "")
        raise BackupError(f"its settings cannot be used: {first[:FAULT]}", "site")
    shutil.copyfile(source, fresh / ADOPTING)
    (fresh / ADOPTING).chmod(0o600)
    _sync(fresh / ADOPTING)


def keep_tablet(fresh: Path, tablet: Mapping[str, Any], *, has_keys: bool) -> None:
    """Let the tablet that restores be paired afterwards too.

    Where no manager's PIN can be right (the keys that it needs were not restored), it
    may make a manager, as on any new box.
    """
    path = fresh / ACCOUNTS
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as accounts:
        rows = accounts.execute("SELECT kind, body FROM entry").fetchall()
        known = [json.loads(body) for kind, body in rows if kind == "account"]
        is_first = not (has_keys and any(_can_log_in(each) for each in known))
        if sum(kind == "tablet" for kind, _ in rows) < MAX_TABLETS:
            body = json.dumps({**tablet, "is_first": is_first}, ensure_ascii=False)
            put = "INSERT OR REPLACE INTO entry (kind, id, body) VALUES (?, ?, ?)"
            accounts.execute(put, ("tablet", tablet["id"], body))
            accounts.commit()
    _sync(path)


def _can_log_in(account: dict[str, Any]) -> bool:
    is_manager = account.get("role") == Role.MANAGER
    return is_manager and bool(account.get("pin")) and not account.get("is_retired")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
