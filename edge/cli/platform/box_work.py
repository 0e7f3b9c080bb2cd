# SPDX-License-Identifier: Apache-2.0
"""What the verbs about boxes' keys do.

The law of the module: as in ``work``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cloud_sync.platform import boxes
from cloud_sync.stick_file import StickError
from edge.cli.exits import TROUBLE
from edge.cli.platform.stick_work import key_on
from edge.cli.platform.work import write
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path


def trust_box(
    path: Path, gateway: str, fingerprint: str, key: str, stick: Path | None
) -> None:
    """Believe a key whose fingerprint was read at the box, in digits or on a stick."""
    if stick is not None:
        try:
            key = key_on(stick)
        except StickError as fault:
            print(f"{stick}: {fault}", file=sys.stderr)
            sys.exit(TROUBLE)
    write(path, lambda work: boxes.trust(work, gateway, key, fingerprint, wall_ms()))
    print(f"{gateway}: its key is believed from now on")


def forget_box(path: Path, gateway: str) -> None:
    """Believe a key no more."""
    write(path, lambda work: boxes.forget(work, gateway))
    print(f"{gateway}: no key of it is believed that was compared by hand")
