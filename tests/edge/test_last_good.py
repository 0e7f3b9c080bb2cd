# SPDX-License-Identifier: Apache-2.0
"""Last good times: kept over starts and power cuts, written seldom."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.cli.last_good import CHANGE_EVERY_S, KEEP_EVERY_S, LastGood
from edge.core.moment import Moment

if TYPE_CHECKING:
    from pathlib import Path


class Bench:
    """A box with a clock and devices in the tester's hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_s = 0.0
        self.online = frozenset({"reader", "board"})
        self.good = self.start()

    def start(self) -> LastGood:
        return LastGood(self.path, lambda: self.online, self.now)

    def now(self) -> Moment:
        lo = 1_000_000 + int(self.now_s * 1000)
        return Moment(monotonic_s=self.now_s, earliest_ms=lo, latest_ms=lo, boot="b")

    def look(self, at_s: float) -> bool:
        """Look at a time, and keep if that is due; say whether it was."""
        self.now_s = at_s
        is_due = self.good.look()
        if is_due:
            self.good.keep()
        return is_due


def test_a_device_is_good_while_it_answers_and_was_until_then(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "good.json")
    assert bench.good.of("reader") is None
    bench.look(5)
    bench.online = frozenset({"board"})
    bench.look(9)
    assert bench.good.of("reader") == 1_005_000
    assert bench.good.of("board") == 1_009_000
    assert bench.good.of("nobody") is None


def test_a_power_cut_costs_a_minute_after_a_change_and_ten_else(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "good.json")
    written = [s for s in range(0, 4_000, 2) if bench.look(s)]
    assert written[0] == CHANGE_EVERY_S
    assert all(b - a == KEEP_EVERY_S for a, b in pairwise(written))
    bench.online = frozenset({"board"})
    assert [s for s in range(4_000, 4_400, 2) if bench.look(s)] != []
    again = bench.start()  # without a word of farewell
    assert again.of("reader") == 1_000_000 + 3_998_000
    bench.good = again
    bench.online = frozenset()
    bench.look(9_000)
    assert bench.good.of("reader") == 1_000_000 + 3_998_000


def test_a_device_that_flaps_writes_no_oftener_than_each_minute(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "good.json")
    written = 0
    for second in range(0, 600, 2):
        bench.online = frozenset({"board"} if second % 4 else {"board", "reader"})
        written += bench.look(second)
    assert written <= 600 / CHANGE_EVERY_S


def test_a_spoilt_file_costs_these_times_alone(tmp_path: Path) -> None:
    path = tmp_path / "good.json"
    for text in ("", "[1]", '{"reader": "soon"}', "\x00"):
        path.write_text(text, encoding="utf-8")
        bench = Bench(path)
        assert bench.good.of("reader") is None
        bench.look(CHANGE_EVERY_S)
        assert json.loads(path.read_text(encoding="utf-8"))["reader"] > 0
