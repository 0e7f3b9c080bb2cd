# SPDX-License-Identifier: Apache-2.0
"""``python -m edge.cli.check_site SITE COPY``: check a site file, keep it if good.

The law of the module: it is a process of its own, since what checks settings is
heavier than the gateway; it ends with 0, or with 2 and a line for each fault.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.cli.checked_site import stamp
from edge.cli.exits import guarded
from edge.cli.load_site import load_site
from edge.settings.checked_copy import write_copy


def main(site: Path, copy: Path) -> None:
    """Check ``site`` and write its checked copy."""
    before = stamp(site)
    settings = load_site(site)
    write_copy(copy, before, settings)


if __name__ == "__main__":
    guarded(lambda: main(Path(sys.argv[1]), Path(sys.argv[2])))
