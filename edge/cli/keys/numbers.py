# SPDX-License-Identifier: Apache-2.0
"""The numbers of the sealed keys that a box holds.

The law of the module: a number is put in place with its keys, never without.
Source: docs/enrolment.md, "Sealed keys".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.cli.keys.install import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = f"{FOLDER}/sealed.json"


def numbers(state: Path) -> dict[str, int]:
    """Return the number of the keys that are held, by use."""
    try:
        found = json.loads((state / NUMBERS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_good = isinstance(found, dict) and all(
        isinstance(each, int) for each in found.values()
    )
    return found if is_good else {}
