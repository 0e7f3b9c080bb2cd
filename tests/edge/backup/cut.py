# SPDX-License-Identifier: Apache-2.0
"""A power cut at the n-th thing that a restore does: ``N FILE STATE [first]``."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.cli.backup.adopted import adopt
from edge.cli.backup.finishing import finish_restore
from edge.cli.backup.restoring import Wish, stage
from tests.edge.keys.cut import cut_at

AT_MS = 1_795_329_120_000
TABLET = {"id": "tablet-new", "name": "x", "secret": "ab", "is_first": True}


def main() -> None:
    number, file, state, *first = sys.argv[1:]
    folder = Path(state)
    cut_at(int(number), folder)
    wish = Wish(by="test", at_ms=AT_MS)
    if first:
        wish = Wish(by="test", at_ms=AT_MS, takes_other=True, tablet=TABLET)
    stage(Path(file), folder, wish)
    finish_restore(folder)
    if first:
        adopt(folder.parent / "site.toml", folder)


if __name__ == "__main__":
    main()
