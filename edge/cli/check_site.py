# SPDX-License-Identifier: Apache-2.0
"""``python -m edge.cli.check_site SITE``: print the checked copy of a good site file.

The law of the module: it is a process of its own, since what checks settings is
heavier than the gateway; it ends with 0, or with 2 and a line for each fault.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from edge.cli.checked_site import stamp
from edge.cli.exits import guarded
from edge.cli.load_site import load_site
from edge.settings.checked_copy import text_of


def main(site: Path) -> None:
    """Check ``site`` and print its copy."""
    before = ""
    with suppress(OSError):  # load_site says it better
        before = stamp(site)
    print(text_of(load_site(site), before))


if __name__ == "__main__":
    guarded(lambda: main(Path(sys.argv[1])))
