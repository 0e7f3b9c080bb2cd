# SPDX-License-Identifier: Apache-2.0
"""A power cut at the n-th thing that a restore does to its files: ``N FILE STATE``."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.cli.backup.finishing import finish_restore
from edge.cli.backup.restoring import Wish, stage
from tests.edge.keys.cut import cut_at


def main() -> None:
    number, file, state = sys.argv[1:]
    cut_at(int(number), Path(state))
    stage(Path(file), Path(state), Wish(by="test", at_ms=1_795_329_120_000))
    finish_restore(Path(state))


if __name__ == "__main__":
    main()
