# SPDX-License-Identifier: Apache-2.0
"""The floor: the shortest blocking program that reads, looks up, commits, unlocks.

The law of the module: a loop without event loop, driver, rules or chain; its commit is
one row of a usual length in WAL with synchronous=FULL, and its unlock frame is written
after it. What a gateway takes beyond this is what the gateway costs.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tty
from pathlib import Path

#: Relay 1 on for 3.0 s, timed by the board (Waveshare Modbus RTU Relay, FC 05).
UNLOCK = bytes.fromhex("01050200001ECDBA")
ROW = "x" * 230


def serve(scanner: str, board: str, codes: Path, database: Path) -> None:
    """Answer every known code with the unlock frame until the line is hung up."""
    known = dict.fromkeys(codes.read_bytes().split(b"\n"))
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, row TEXT)")
    lines = os.open(scanner, os.O_RDWR | os.O_NOCTTY)
    frames = os.open(board, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(lines)
    tty.setraw(frames)
    held = b""
    while data := os.read(lines, 4096):
        held += data
        *ended, held = held.split(b"\r")
        for code in ended:
            if code in known:
                connection.execute("INSERT INTO event (row) VALUES (?)", (ROW,))
                os.write(frames, UNLOCK)


def main() -> None:
    """Serve the two ports named on the command line."""
    parser = argparse.ArgumentParser(prog="edge.cli.bench.floor")
    for name in ("--scanner", "--board", "--codes", "--database"):
        parser.add_argument(name, required=True)
    words = parser.parse_args()
    serve(words.scanner, words.board, Path(words.codes), Path(words.database))


if __name__ == "__main__":
    main()
