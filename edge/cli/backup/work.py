# SPDX-License-Identifier: Apache-2.0
"""``python -m edge.cli.backup.work``: a backup's work beside a gateway.

The law of the module: it is a process of its own, and the last in the queue for
processor and disk, so that no door waits for it. What it is given stands on its input,
one object of JSON; what it has to say is one line of JSON: ``fault``, or what was done.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from edge.cli.backup.errors import BackupError
from edge.cli.backup.making import make, prune
from edge.cli.backup.manifest import FOLDER, NAME, Manifest
from edge.cli.backup.reading import check, look
from edge.cli.backup.restoring import Wish, replaced, stage
from edge.cli.backup.stick import copy, copy_backup
from edge.cli.key_files import KeyFileError

#: The lowest there is (nice(2)).
LAST_IN_THE_QUEUE = 19


def work(words: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    """Do what the words say; BackupError and what a disk fails with.

    ``given``: ``file``, another place of the file than among the backups; ``sticks``;
    ``passphrase`` and ``tablet`` of a restore onto an empty box.
    """
    state: Path = words.state
    if words.what == "make":
        path, made = make(state, at_ms=words.at_ms, version=words.version)
        prune(state, made)
        return {"name": path.name}
    if words.what == "write":
        source = Path(given["file"])
        return {"stick": copy(source, words.name, given["sticks"], state)}
    path = _path(words, given)
    if words.what == "copy":
        return {"stick": copy_backup(path, given["sticks"], state)}
    if words.what == "look":
        # One that somebody sends is read to its end: it may have come torn.
        return _inside(check(path) if "file" in given else look(path), state)
    wish = Wish(
        by=words.by,
        at_ms=words.at_ms,
        passphrase=given.get("passphrase", ""),
        takes_other="tablet" in given,
        tablet=given.get("tablet"),
    )
    stage(path, state, wish)
    return {"name": path.name}


def _path(words: argparse.Namespace, given: dict[str, Any]) -> Path:
    if "file" in given:
        return Path(given["file"])
    if NAME.fullmatch(words.name) is None:
        raise BackupError("no such backup")
    folder: Path = words.state / FOLDER
    return folder / str(words.name)


def _inside(found: Manifest, state: Path) -> dict[str, Any]:
    inside = {key: value for key, value in found.dump().items() if key != "parts"}
    return inside | {
        "has_keys": found.has_keys,
        "sounds": found.sounds,
        "replaced": replaced(state, found),
    }


def main() -> int:
    """Work, say how it went, and end."""
    parser = argparse.ArgumentParser(prog="backup work")
    parser.add_argument("what", choices=("make", "look", "stage", "copy", "write"))
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--at-ms", type=int, default=0)
    parser.add_argument("--version", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--by", default="")
    words = parser.parse_args()
    words.state = words.state.absolute()
    os.nice(LAST_IN_THE_QUEUE)
    os.umask(0o077)
    try:
        done = work(words, json.loads(sys.stdin.read() or "{}"))
    except BackupError as fault:
        done = {"fault": str(fault), "kind": fault.kind}
    except KeyFileError as fault:
        done = {"fault": str(fault)}
    except sqlite3.Error as fault:
        done = {"fault": f"the database cannot be read ({type(fault).__name__})"}
    except OSError as fault:
        done = {"fault": f"the disk does not take it ({fault.strerror})"}
    except subprocess.TimeoutExpired:
        done = {"fault": "its settings could not be checked; restart the box"}
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
