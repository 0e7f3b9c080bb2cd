# SPDX-License-Identifier: Apache-2.0
"""A power cut at the n-th thing that a process does to its files.

The law of the module: it is run as a process of its own and ends it at once, without a
farewell, by Python's own audit hook; n = 0 never does. What was written and not synced
survives here, unlike on a card: that rename follows fsync is read in the code.
Source: PEP 578.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

TOUCHES = {"open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.link"}
DIED = 9


def cut_at(number: int, folder: Path) -> None:
    """Die before the ``number``-th touch of a file below ``folder``."""
    left, below = [number], str(folder)

    def hook(event: str, words: tuple[object, ...]) -> None:
        if event in TOUCHES and below in str(words[0]):
            left[0] -= 1
            if left[0] == 0:
                os._exit(DIED)

    sys.addaudithook(hook)


def main() -> None:
    """``install N STATE``, ``site-key N STATE GW SITE ROW``, ``enrol N BOX …``."""
    what, number, folder, *words = sys.argv[1:]
    if what == "install":
        from edge.cli.keys.install import KeyFile, install

        cut_at(int(number), Path(folder))
        files = {
            f"keys/{name}": KeyFile(text=f"new {name}") for name in ("a", "b", "c")
        }
        install(Path(folder), files, removed=["keys/gone"])
        return
    if what == "site-key":
        from edge.cli.box_key import Box
        from edge.cli.keys.install import install
        from edge.cli.keys.sealed import Lock, open_rows

        gateway, site, body = words
        lock = Lock(
            state=Path(folder),
            box=Box(Path(folder)).key(),
            gateway=gateway,
            site=site,
            site_file="keys/site.json",
            platform_file="keys/platform.json",
        )
        cut_at(int(number), Path(folder))
        opened = open_rows(lock, [json.loads(body)])
        install(Path(folder), opened.files)
        return
    from edge.cli.keys.enrol import EnrolOptions, enrol
    from edge.cli.keys.words import Told
    from edge.cli.load_site import load_site

    box, (claim, url, ca) = Path(folder), words
    options = EnrolOptions(
        site=box / "site.toml",
        state=box / "state",
        claim=claim,
        url=url,
        ca=Path(ca),
        wait_s=0.3,
    )
    settings = load_site(options.site)
    cut_at(int(number), box)
    sys.exit(enrol(options, settings, Told(is_json=True)))


if __name__ == "__main__":
    main()
