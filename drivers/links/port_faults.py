# SPDX-License-Identifier: Apache-2.0
"""Why a port will not open, in words for whoever stands before the box.

The law of the module: it looks and changes nothing; what it cannot find out it leaves
out. The text says what is wrong, and what to do about it.

Source: proc(5) for who holds a port; udev's links below /dev/serial.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Names of ports listed in a text at most; a box has four to eight.
MAX_NAMES = 8
BY_ID = Path("/dev/serial/by-id")
PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that has a port open."""

    pid: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (pid {self.pid})"


def why_not(path: str, number: int | None, fault: str, by_id: Path = BY_ID) -> str:
    """Explain the error number of an opening; ``fault`` is the system's own text."""
    match number:
        case errno.ENOENT:
            return f"{path}: No such file or directory: {_what_there_is(path, by_id)}"
        case errno.EACCES | errno.EPERM:
            return f"{path}: permission denied: {_who_may(Path(path))}"
        case errno.EAGAIN | errno.EBUSY:
            return f"{path}: {_who_has_it(path)}"
        case errno.EIO | errno.ENXIO | errno.ENODEV:
            return f"{path}: its device is gone or broken: plug it in again"
        case errno.ENOTTY:
            return f"{path}: this is no serial port; `menshen ports` lists those"
        case _:
            return fault if path in fault else f"{path}: {fault}"


def holders(path: str, processes: Path = PROCESSES) -> list[Holder]:
    """Return who has the port open; those of other users only root can see."""
    target = os.path.realpath(path)
    found = []
    for process in sorted(processes.glob("[0-9]*"), key=lambda p: int(p.name)):
        with suppress(OSError):
            if any(_leads_to(entry, target) for entry in (process / "fd").iterdir()):
                program = (process / "comm").read_text(encoding="utf-8").strip()
                found.append(Holder(pid=int(process.name), program=program))
    return found


def _leads_to(entry: Path, target: str) -> bool:
    try:
        return str(entry.readlink()) == target
    except OSError:  # closed meanwhile
        return False


def _what_there_is(path: str, by_id: Path) -> str:
    try:
        names = sorted(entry.name for entry in by_id.iterdir())
    except OSError:
        names = []
    if not names:
        return "no serial device is plugged in; check its plug and its power"
    shown = ", ".join(names[:MAX_NAMES]) + (" …" if len(names) > MAX_NAMES else "")
    if path == str(by_id / Path(path).name):
        return f"plug it in; plugged in are {shown}"
    return f"plug it in, or name what is plugged in; {by_id} has {shown}"


def _who_may(path: Path) -> str:
    user = _user()
    try:
        found = path.stat()
        group = grp.getgrgid(found.st_gid).gr_name
    except (OSError, KeyError):
        return f"user {user} may not read the folder; ask who set up this box"
    if found.st_mode & 0o060 != 0o060 or group == "root":
        return (
            f"only {_owner(found.st_uid)} may use it; a udev rule must give it to a "
            "group, such as dialout"
        )
    if user in grp.getgrnam(group).gr_mem:
        return f"user {user} joined group {group} after logging in: log in again"
    return (
        f"user {user} is not in group {group}: sudo usermod -aG {group} {user}, "
        "then log in again"
    )


def _who_has_it(path: str) -> str:
    others = holders(path)
    if any(holder.pid == os.getpid() for holder in others):
        return "this program has it open already; a port is named by one name alone"
    if not others:
        return f"another program has it open; `sudo fuser -v {path}` names it"
    names = " and ".join(str(holder) for holder in others)
    return f"{names} has it open; end that program first"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
