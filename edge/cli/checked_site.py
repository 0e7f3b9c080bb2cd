# SPDX-License-Identifier: Apache-2.0
"""The site file of a gateway that starts: checked once, then taken as it is.

The law of the module: no settings reach the gateway unchecked; the check itself runs
in a process of its own and leaves its result in the state folder. A file that
has become wrong shuts no door: the last good settings stay in force, and what to mend
is told.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import drivers
import edge.bindings
import edge.cli
import edge.core
import edge.settings
from drivers.registry import outside
from edge.settings.checked_copy import read_copy, stamp_of, write_copy
from edge.settings.errors import SettingsError

if TYPE_CHECKING:
    from edge.settings.site import Settings

COPY = "site.checked.json"
#: Longer, and the box is too sick to say what is wrong with a file.
CHECK_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSite:
    """Good settings; ``news`` is the copy that is still to be kept, or empty.

    ``faults`` say what is wrong with the file, by file and line, where these are the
    settings of a start before.
    """

    settings: Settings
    news: str = ""
    faults: tuple[str, ...] = ()

    def keep(self, state: Path) -> None:
        """Leave the copy in the state folder, for the next start.

        A folder that takes none costs that start a second, and this one nothing.
        """
        if self.news:
            with suppress(OSError):
                write_copy(state / COPY, self.news)


def checked_site(site: Path, state: Path) -> CheckedSite:
    """Return the settings of ``site``, or the last good ones of ``state``.

    SettingsError lists every fault found where there are none. Changes nothing,
    whatever the file holds.
    """
    copy = ""
    with suppress(OSError):
        copy = (state / COPY).read_text(encoding="utf-8", errors="replace")
    try:
        kept = read_copy(copy, stamp(site))
        return CheckedSite(settings=kept) if kept is not None else _checked(site)
    except OSError as fault:
        wrong = SettingsError([f"{site}: {fault.strerror}: give a file as --site"])
    except SettingsError as fault:
        wrong = fault
    before = read_copy(copy, None)
    if before is None:
        raise wrong
    return CheckedSite(settings=before, faults=tuple(wrong.faults))


def stamp(site: Path) -> str:
    """Return what a checked copy of ``site`` is good for; OSError if unreadable."""
    rooms = (edge.cli, edge.core, edge.bindings, edge.settings, drivers)
    code = [Path(path) for room in rooms for path in room.__path__]
    return stamp_of(site.read_bytes(), code, outside())


def _checked(site: Path) -> CheckedSite:
    command = [sys.executable, "-m", "edge.cli.check_site", str(site)]
    try:
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=CHECK_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        what = f"could not be checked within {CHECK_WITHIN_S:.0f} s: restart the box"
        raise SettingsError([f"{site}: {what}"]) from None
    if ended.returncode != 0:
        raise SettingsError(ended.stderr.strip().splitlines())
    settings = read_copy(ended.stdout, stamp(site))
    if settings is None:
        raise SettingsError([f"{site}: changed while it was checked, start once more"])
    return CheckedSite(settings=settings, news=ended.stdout)
