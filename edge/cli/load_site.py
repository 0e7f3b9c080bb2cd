# SPDX-License-Identifier: Apache-2.0
"""A site file, held against what only the registry of drivers knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.device_lines import driver_faults
from edge.settings.errors import SettingsError
from edge.settings.lines import line_of
from edge.settings.site_file import load

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings


def load_site(path: Path) -> Settings:
    """Read a site file and hold it against the registry of drivers."""
    settings = load(path)
    text = path.read_text(encoding="utf-8")
    faults = [
        f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"
        for where, what in driver_faults(settings)
    ]
    if faults:
        raise SettingsError(faults)
    return settings


def _dotted(where: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)
