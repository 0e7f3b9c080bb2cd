# SPDX-License-Identifier: Apache-2.0
"""The gateway's status in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each thing worth knowing, faults in capitals."""
    events, platform, roster = status["events"], status["platform"], status["roster"]
    yield f"gateway      pid {status['pid']}, up {status['uptime_s']:.0f} s"
    if status["fire"]:
        yield "FIRE         escape doors are held open; end it with: menshen end-fire"
    for name, door in status["doors"].items():
        yield f"door         {name}: {door['mode']}, {door['phase']}"
    for name, bank in status["banks"].items():
        phases = Counter(bank["compartments"].values())
        counted = ", ".join(f"{n} {phase}" for phase, n in sorted(phases.items()))
        yield f"lockers      {name}: {counted}"
    for name, device in status["devices"].items():
        word = "answers" if device["online"] else "DOES NOT ANSWER"
        yield f"device       {name}: {word}"
    yield f"events       {events['waiting']} wait to be sent, last {events['last_seq']}"
    if events["storage_fault"]:
        yield f"STORAGE      {events['not_on_disk']} events are in memory alone"
    link = "connected" if platform["connected"] else "NOT CONNECTED (doors go on)"
    yield f"platform     {link}"
    revision = f"{roster['epoch']}@{roster['revision']}" if roster["epoch"] else "NONE"
    people = f"{roster['credentials']} credentials, confirmed {roster['age_s']} s ago"
    yield f"roster       {revision}, {people}"
    known = "known" if status["clock"]["known"] else "NOT KNOWN, only a lower bound"
    yield f"clock        {known}"
