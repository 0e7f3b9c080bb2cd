# SPDX-License-Identifier: Apache-2.0
"""kill -9 in a loop: what a process has told to be stored is there, once.

This tests our code, not the disk: the page cache survives the process. What a power
cut leaves is the matter of test_power_cut.py.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.storage.connection import open_inline
from tests.storage.samples import opened, rows_of

CYCLES = 40
ROOT = Path(__file__).parent.parent.parent


def killed_after(path: Path, delay_s: float) -> int:
    """Run the appender until ``delay_s`` after its first word; its last word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.appender", str(path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    with process:
        said = os.read(process.stdout.fileno(), 4096)
        assert said, "the appender never stored anything"
        time.sleep(delay_s)
        process.kill()
        said += process.stdout.read()
    whole = said[: said.rindex(b"\n")]
    return int(whole.split()[-1])


@pytest.mark.parametrize("seed", [20251122])
async def test_what_was_told_is_stored_and_stored_once(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    floor = 0
    for cycle in range(CYCLES):
        told = killed_after(path, chance.uniform(0, 0.06))
        async with opened(open_inline, path) as journal:
            assert told > floor, (seed, cycle)
            assert journal.last_seq >= told, (seed, cycle, "a stored event is lost")
            assert journal.last_seq <= told + 4, (seed, cycle, "more than one batch")
            assert journal.missing == 0, (seed, cycle)
            assert (await journal.verify()).is_sound, (seed, cycle)
            floor = journal.last_seq
            assert journal.epoch.startswith("0001-"), "a kill is no restored card"
    places = [row[0] for row in rows_of(path)]
    assert places == list(range(places[0], floor + 1))
