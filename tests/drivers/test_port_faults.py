# SPDX-License-Identifier: Apache-2.0
"""Why a port does not open, in words that name the mend."""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import pwd
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drivers.links import port_faults
from drivers.links.link import PortError
from drivers.links.port_faults import MAX_NAMES, Holder, holders, why_not
from drivers.links.serial_port import SerialPort
from tests.drivers.pty_port import PtyPort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    found = PtyPort(tmp_path / "port")
    found.plug()
    yield found
    found.unplug()


def test_a_missing_port_names_those_that_there_are(tmp_path: Path) -> None:
    by_id = tmp_path / "by-id"
    assert "no serial device is plugged in" in why_not("/x", errno.ENOENT, "", by_id)
    by_id.mkdir()
    assert "no serial device is plugged in" in why_not("/x", errno.ENOENT, "", by_id)
    (by_id / "usb-FTDI_A10K").touch()
    (by_id / "usb-1a86").touch()
    why = why_not("/dev/ttyUSB7", errno.ENOENT, "", by_id)
    assert why.startswith("/dev/ttyUSB7: No such file or directory: plug it in, or na")
    assert why.endswith(f"{by_id} has usb-1a86, usb-FTDI_A10K")
    gone = why_not(str(by_id / "usb-old"), errno.ENOENT, "", by_id)
    assert gone.endswith("plug it in; plugged in are usb-1a86, usb-FTDI_A10K")
    for number in range(20):
        (by_id / f"usb-z{number}").touch()
    many = why_not("/dev/ttyUSB7", errno.ENOENT, "", by_id)
    assert many.count("usb-") == MAX_NAMES
    assert many.endswith(" …")


def test_wrong_permissions_name_the_group_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialout = grp.struct_group(("dialout", "x", 20, ["wang"]))
    monkeypatch.setattr(grp, "getgrgid", lambda _: dialout)
    monkeypatch.setattr(grp, "getgrnam", lambda _: dialout)
    path = tmp_path / "ttyUSB0"
    path.touch(0o660)
    path.chmod(0o660)
    why = why_not(str(path), errno.EACCES, "")
    assert why == (
        f"{path}: permission denied: user {ME} is not in group dialout: "
        f"sudo usermod -aG dialout {ME}, then log in again"
    )
    dialout.gr_mem.append(ME)
    assert "joined group dialout after logging in" in why_not(
        str(path), errno.EACCES, ""
    )
    path.chmod(0o600)
    assert f"only {ME} may use it; a udev rule" in why_not(str(path), errno.EPERM, "")
    hidden = why_not(str(tmp_path / "no" / "x"), errno.EACCES, "")
    assert "may not read the folder" in hidden


def test_other_faults_keep_the_system_s_words(tmp_path: Path) -> None:
    assert why_not("/x", errno.EIO, "") == (
        "/x: its device is gone or broken: plug it in again"
    )
    assert "no serial port" in why_not("/x", errno.ENOTTY, "")
    assert why_not("/x", errno.EMFILE, "Too many files") == "/x: Too many files"
    assert why_not("/x", None, "could not open /x") == "could not open /x"


def test_who_holds_a_port_is_found_among_the_processes(tmp_path: Path) -> None:
    target = tmp_path / "ttyUSB0"
    target.touch()
    link = tmp_path / "by-id"
    link.symlink_to(target)
    for pid, program, held in ((17, "minicom", target), (9, "cat", link)):
        process = tmp_path / "proc" / str(pid)
        (process / "fd").mkdir(parents=True)
        (process / "comm").write_text(f"{program}\n")
        (process / "fd" / "3").symlink_to(held)
    (tmp_path / "proc" / "self").mkdir()
    found = holders(str(link), tmp_path / "proc")
    # /proc names real paths, so what points at a link was never opened.
    assert found == [Holder(pid=17, program="minicom")]
    assert str(found[0]) == "minicom (pid 17)"


def test_a_port_that_another_program_holds_names_it(port: PtyPort) -> None:
    code = (
        "import fcntl, sys; port = open(sys.argv[1], 'rb+', buffering=0);"
        "fcntl.flock(port, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(port.path.resolve())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        found = [h for h in holders(str(port.path)) if h.pid == other.pid]
        assert len(found) == 1
        with pytest.raises(PortError, match="has it open") as refused:
            asyncio.run(SerialPort(str(port.path), 9600).open())
        other.communicate()
    # The test itself holds the terminal's far end, and is named first.
    assert "this program has it open already" in str(refused.value)


def test_only_strangers_are_named_as_holders(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Holder(pid=1, program="minicom"), Holder(pid=2, program="cat")]
    monkeypatch.setattr(port_faults, "holders", lambda _: others)
    assert why_not("/x", errno.EAGAIN, "") == (
        "/x: minicom (pid 1) and cat (pid 2) has it open; end that program first"
    )
    others.clear()
    assert "`sudo fuser -v /x` names it" in why_not("/x", errno.EBUSY, "")
    others.append(Holder(pid=os.getpid(), program="menshen"))
    assert "this program has it open already" in why_not("/x", errno.EBUSY, "")


async def test_the_culprit_is_looked_for_once_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []

    def explain(_path: str, number: int | None, _fault: str) -> str:
        asked.append(number)
        return "why"

    monkeypatch.setattr("drivers.links.serial_port.why_not", explain)
    port = SerialPort(str(tmp_path / "none"), 9600)
    for _ in range(3):
        with pytest.raises(PortError, match=r"^why$"):
            await port.open()
    (tmp_path / "none").mkdir()
    with pytest.raises(PortError, match=r"^why$"):
        await port.open()
    assert asked == [errno.ENOENT, errno.EISDIR]
