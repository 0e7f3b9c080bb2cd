# SPDX-License-Identifier: Apache-2.0
"""The site file of a gateway that starts: checked once, then taken as it is.

The law of the module: no settings reach the gateway unchecked; the check itself runs
in a process of its own and leaves its result in the state folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import drivers
import edge.settings
from edge.settings.checked_copy import read_copy, stamp_of
from edge.settings.errors import SettingsError

if TYPE_CHECKING:
    from edge.settings.site import Settings

COPY = "site.checked.json"
#: Longer, and the box is too sick to say what is wrong with a file.
CHECK_WITHIN_S = 120.0


def checked_site(site: Path, state: Path) -> Settings:
    """Return the settings of ``site``; SettingsError lists every fault found."""
    copy = state / COPY
    return _kept(site, copy) or _checked(site, copy)


def stamp(site: Path) -> str:
    """Return what a checked copy of ``site`` is good for; "" if it can't be read."""
    try:
        text = site.read_bytes()
    except OSError:
        return ""
    return stamp_of(
        text, [Path(p) for m in (edge.settings, drivers) for p in m.__path__]
    )


def _kept(site: Path, copy: Path) -> Settings | None:
    now = stamp(site)
    return read_copy(copy, now) if now else None


def _checked(site: Path, copy: Path) -> Settings:
    command = [sys.executable, "-m", "edge.cli.check_site", str(site), str(copy)]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=CHECK_WITHIN_S
    )
    if ended.returncode != 0:
        raise SettingsError(ended.stderr.strip().splitlines())
    settings = _kept(site, copy)
    if settings is None:
        what = "changed while it was checked, or its copy was: start once more"
        raise SettingsError([f"{site}: {what} ({copy})"])
    return settings
