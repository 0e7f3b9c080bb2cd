# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows of a process: its memory and the bytes it wrote.

The law of the module: figures come from /proc alone, so that no process is asked
about itself.
Source: proc(5), /proc/PID/status, /proc/PID/smaps_rollup and /proc/PID/io.
"""

from __future__ import annotations

from pathlib import Path

#: What /proc calls kB is 1,024 bytes.
_KIB_A_MIB = 1024


class SiteError(Exception):
    """A measured site did not come alive; the text says what was waited for."""


def field_of(text: str, name: str) -> int:
    """Return the number behind ``name:``; ValueError if there is no such line."""
    for line in text.splitlines():
        found, colon, rest = line.partition(":")
        if colon and found == name:
            return int(rest.split()[0])
    raise ValueError(f"no line {name}")


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has held resident, in MiB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return round(field_of(text, "VmHWM") / _KIB_A_MIB, 1)


def memory_mib(pid: int) -> dict[str, float]:
    """Return what a process holds now, in MiB.

    ``resident`` counts every page that it uses, ``proportional`` its share of those
    that others use too (Pss), ``private`` those that would be free without it.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    private = sum(field_of(text, f"Private_{kind}") for kind in ("Clean", "Dirty"))
    found = {
        "resident": field_of(text, "Rss"),
        "proportional": field_of(text, "Pss"),
        "private": private,
    }
    return {name: round(kib / _KIB_A_MIB, 1) for name, kib in found.items()}


def written_bytes(pid: int) -> int:
    """Return what a process has sent towards the disk: dirtied pages and syncs.

    Zero on a file system without a disk behind it.
    """
    text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    return field_of(text, "write_bytes")
