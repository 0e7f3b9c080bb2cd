# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a newcomer runs it: a good tally, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

MENSHEN = [sys.executable, "-m", "edge.cli.main"]


def _members(folder: Path) -> list[str]:
    """Return the command lines of living processes that work in ``folder``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


@pytest.mark.timeout(90)
def test_demo_json_counts_at_the_ends_and_says_how_it_went(tmp_path: Path) -> None:
    command = [*MENSHEN, "demo", "--for", "8", "--json", "--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["scans"] > 0
    assert result["granted"] > 0
    assert result["events_committed"] == result["events_acked"] > 0
    assert result["events_lost"] == result["events_duplicated"] == 0
    assert result["scan_to_unlock_ms"]["p50"] > 0
    assert "Traceback" not in done.stderr
    for log in (tmp_path / "logs").glob("*.log"):
        assert "Traceback" not in log.read_text(encoding="utf-8"), log


@pytest.mark.timeout(90)
def test_ctrl_c_ends_everything_within_three_seconds(tmp_path: Path) -> None:
    command = [*MENSHEN, "demo", "--state", str(tmp_path)]
    demo = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        until_s = time.monotonic() + 30
        while len(_members(tmp_path)) < 4 and time.monotonic() < until_s:
            time.sleep(0.1)
        assert len(_members(tmp_path)) >= 4, "the processes did not come up"
        while not (tmp_path / "control.sock").exists():
            assert time.monotonic() < until_s, "the gateway did not come up"
            time.sleep(0.1)
        time.sleep(1)
        begun_s = time.monotonic()
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=20)
        took_s = time.monotonic() - begun_s
    finally:
        demo.kill()
    assert _members(tmp_path) == [], "orphans are left"
    assert "Traceback" not in output
    assert took_s < 3.0


@pytest.mark.timeout(90)
def test_a_demo_killed_outright_leaves_no_orphan(tmp_path: Path) -> None:
    command = [*MENSHEN, "demo", "--state", str(tmp_path)]
    demo = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until_s = time.monotonic() + 30
        while len(_members(tmp_path)) < 4 and time.monotonic() < until_s:
            time.sleep(0.1)
        assert len(_members(tmp_path)) >= 4
    finally:
        os.kill(demo.pid, signal.SIGKILL)
        demo.wait()
    until_s = time.monotonic() + 5
    while _members(tmp_path) and time.monotonic() < until_s:
        time.sleep(0.1)
    assert _members(tmp_path) == []
