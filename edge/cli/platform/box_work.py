# SPDX-License-Identifier: Apache-2.0
"""What the verbs about boxes' keys do.

The law of the module: as in ``work``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform import boxes
from edge.cli.platform.work import write
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path


def trust_box(path: Path, gateway: str, fingerprint: str, key: str) -> None:
    """Believe a key whose fingerprint was read at the box."""
    write(path, lambda work: boxes.trust(work, gateway, key, fingerprint, wall_ms()))
    print(f"{gateway}: its key is believed from now on")


def forget_box(path: Path, gateway: str) -> None:
    """Believe a key no more."""
    write(path, lambda work: boxes.forget(work, gateway))
    print(f"{gateway}: no key of it is believed that was compared by hand")
