# SPDX-License-Identifier: Apache-2.0
"""A restored site file in force: on a box that was empty, until somebody writes anew.

The law of the module: it stands in the place of one very site file, the one that was
there at the restore; whoever changes that one has the last word again. Nothing outside
the state folder is written. Its mark lies with what the panel's process may read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import sync_folder, write

#: As a restore lays it down, and once it is marked.
ADOPTING, ADOPTED = "site.adopting.toml", "site.adopted.toml"
#: The SHA-256 of the file whose place it takes; the panel's user may read it.
MARK = Path("panel") / "adopted.json"
READABLE = 0o640


def adopt(site: Path, state: Path) -> bool:
    """Put what a restore just brought in force; say whether there was something.

    A folder that takes no mark leaves the site file in force that is there.
    """
    if not (state / ADOPTING).exists():
        return False
    try:
        write(state / MARK, json.dumps({"over": _sha256(site)}), READABLE)
        (state / ADOPTING).replace(state / ADOPTED)
        sync_folder(state)
    except (OSError, KeyFileError):
        return False
    return True


def is_adopted(site: Path, state: Path) -> bool:
    """Say whether a restored file is in force in the place of ``site``."""
    try:
        over = json.loads((state / MARK).read_text(encoding="utf-8"))["over"]
        return bool(over == _sha256(site))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def site_in_force(site: Path, state: Path) -> Path:
    """Return the site file that counts: the given one, or the one that was restored."""
    adopted = state / ADOPTED
    return adopted if is_adopted(site, state) and adopted.exists() else site


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
