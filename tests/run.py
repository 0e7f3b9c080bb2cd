# SPDX-License-Identifier: Apache-2.0
"""Run the suite: what can share the machine side by side, then the rest alone.

Prints the minutes of each folder against its budget, and of all tests that open a
browser (folders count them too), and as its very last line
``N passed, N failed`` (``, N skipped`` where there are any). Exit status 0 only if
nothing failed and something passed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

#: What the tests that open a browser are counted under.
BROWSER = "in browsers"
#: Minutes of test time (summed over workers) that a folder may take.
BUDGET_MINUTES = defaultdict(
    lambda: 1.0,
    {
        "core": 5.0,
        "simulate": 18.0,
        "storage": 4.0,
        "drivers": 3.0,
        "firmware_sim": 2.0,
        "cloud_sync": 9.0,
        "edge": 11.0,
        "panel": 11.0,
        "system": 10.0,
        BROWSER: 4.0,
    },
)


def _pytest(words: list[str], report: Path) -> int:
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *words]
    return subprocess.run(command, check=False).returncode


def _read(report: Path, counts: Counter[str], minutes: dict[str, float]) -> None:
    # The report is our own pytest's, not a stranger's document.
    for case in ET.parse(report).iter("testcase"):  # noqa: S314
        parts = case.get("classname", "").split(".")
        folder = parts[1] if len(parts) > 2 else "tests"
        spent = float(case.get("time", "0")) / 60
        minutes[folder] += spent
        if any(each.get("name") == "browser" for each in case.iter("property")):
            minutes[BROWSER] += spent
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            counts["failed"] += 1
        elif "skipped" in tags:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1


def main() -> int:
    """Run both halves, print the budget and the closing line."""
    parser = argparse.ArgumentParser(prog="tests.run")
    parser.add_argument("--parallel", default="2")
    known, rest = parser.parse_known_args()
    counts: Counter[str] = Counter()
    minutes: dict[str, float] = defaultdict(float)
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        halves = (
            ["-m", "not alone and not soak", "-n", known.parallel, *rest],
            ["-m", "alone and not soak", *rest],
        )
        for number, words in enumerate(halves):
            report = Path(folder, f"{number}.xml")
            codes.append(_pytest(words, report))
            if report.exists():
                _read(report, counts, minutes)
    for name, spent in sorted(minutes.items()):
        over = "  OVER" if spent > BUDGET_MINUTES[name] else ""
        print(f"{name:14} {spent:5.1f} of {BUDGET_MINUTES[name]:4.1f} min{over}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    nothing_collected = 5
    good = all(code in (0, nothing_collected) for code in codes)
    return 0 if good and counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
