# SPDX-License-Identifier: Apache-2.0
"""The part of a site file that speaks of backups.

The law of the module: where a stick is looked for stands here and nowhere else; an
empty list is no stick at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Len, Predicate

#: Where Debian, Raspberry Pi OS and udisks show a stick with this label.
USUAL = ("/media/MENSHEN", "/media/*/MENSHEN", "/run/media/*/MENSHEN", "/mnt/MENSHEN")


def is_stick_folder(text: str) -> bool:
    """Say whether a text is a folder from the root, a ``*`` for one name in it."""
    path = Path(text)
    return path.is_absolute() and ".." not in path.parts and "**" not in text


StickFolder = Annotated[str, Predicate(is_stick_folder)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where backups go beside the state folder.

    ``sticks``: the folders under which a USB stick may appear; the first that is
    there, on another disk than the state folder, gets a copy of each backup. ``[]``:
    none does.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    sticks: Annotated[list[StickFolder], Len(0, 8)] = field(
        default_factory=lambda: list(USUAL)
    )
