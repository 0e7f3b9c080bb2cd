# SPDX-License-Identifier: Apache-2.0
"""An OSDP reader that is libosdp's and nobody else's, for tests of the driver.

The law of the module: it runs in the peer's own environment and imports nothing of
the house. One process, one reader, no thread: it dies with its standard input. Lines
come in as ``card 26 12345680``, ``raw 56 04A1B2C3D4E5F6``, ``keys 1234#`` or
``tamper 1``; each thing that the panel did goes out as a line of JSON.

libosdp draws its random numbers from libc's ``rand``, which nobody seeds: every start
would answer with the same nonce. So it is seeded here, from the kernel.
Source: PyPI libosdp 3.2.9 (goToMain/libosdp), its package ``osdp``.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import select
import sys
import time
import tty
from typing import Any

import osdp  # type: ignore[import-not-found]
import osdp_sys  # type: ignore[import-not-found]

#: Between two looks at the line: well below any time-out of a panel.
PAUSE_S = 0.002
#: Between two looks at a line that nobody has opened at its other end.
NOBODY_PAUSE_S = 0.02
#: The longest line on standard input; a card of 64 bytes is 140.
MAX_LINE_BYTES = 4_096
_CAPABILITIES = (
    (osdp.Capability.OutputControl, 1, 2),
    (osdp.Capability.LEDControl, 2, 1),
    (osdp.Capability.AudibleControl, 1, 1),
    (osdp.Capability.TextOutput, 1, 1),
    (osdp.Capability.Readers, 1, 1),
)
_COMMANDS = {
    osdp.Command.Output: "OUT",
    osdp.Command.LED: "LED",
    osdp.Command.Buzzer: "BUZ",
    osdp.Command.Text: "TEXT",
    osdp.Command.Keyset: "KEYSET",
    osdp.Command.Comset: "COMSET",
    osdp.Command.Status: "STATUS",
}


class Line(osdp.Channel):  # type: ignore[misc]
    """A descriptor as libosdp wants it; a line that hung up is a silent one."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.is_lost = False

    def read(self, max_bytes: int) -> bytes:
        """Return what is there."""
        try:
            data = os.read(self._descriptor, max_bytes)
        except BlockingIOError:
            return b""
        except OSError:
            self.is_lost = True
            return b""
        self.is_lost = not data
        return data

    def write(self, buf: bytes) -> int:
        """Send what fits, and say how much did."""
        try:
            return os.write(self._descriptor, buf)
        except OSError:
            return 0

    def flush(self) -> None:
        """Nothing is held back here."""


def tell(heard: str, **more: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps({"heard": heard, **more}) + "\n")
    sys.stdout.flush()


def told(command: dict[str, Any]) -> tuple[int, None]:
    """Print a command of the panel and agree to it; a key is not printed."""
    name = _COMMANDS.get(command.get("command"), "OTHER")
    fields = {
        key: value.hex() if isinstance(value, bytes) else value
        for key, value in command.items()
        if key != "command" and name != "KEYSET"
    }
    tell(name, **fields)
    return 0, None


def event(words: list[str]) -> dict[str, Any]:
    """Return libosdp's event for a line of standard input."""
    match words:
        case ["card" | "raw" as kind, bits, data]:
            formats = osdp.CardFormat
            is_wiegand = kind == "card"
            return {
                "event": osdp.Event.CardRead,
                "reader_no": 0,
                "direction": 0,
                "format": formats.Wiegand if is_wiegand else formats.Unspecified,
                "length": int(bits),
                "data": bytes.fromhex(data),
            }
        case ["keys", keys]:
            data_bytes = keys.encode("ascii")
            return {"event": osdp.Event.KeyPress, "reader_no": 0, "data": data_bytes}
        case ["tamper", ("0" | "1") as level]:
            report = int(level).to_bytes(2, "little")
            kind_number = osdp.StatusReportType.Local
            return {
                "event": osdp.Event.Status,
                "type": kind_number,
                "nr_entries": 2,
                "report": report,
            }
    raise ValueError(f"no such line: {' '.join(words)!r}")


def serve(device: Any, line: Line) -> None:
    """Refresh the reader until standard input ends."""
    waiting = b""
    was_secure = False
    while True:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], PAUSE_S)
        if readable:
            data = os.read(sys.stdin.fileno(), MAX_LINE_BYTES)
            if not data:
                return
            *lines, waiting = (waiting + data).split(b"\n")
            for one in lines:
                submit(device, one.decode().split())
        device.refresh()
        is_secure = bool(device.is_sc_active())
        if is_secure is not was_secure:
            was_secure = is_secure
            tell("SECURE" if is_secure else "INSECURE")
        if line.is_lost:
            time.sleep(NOBODY_PAUSE_S)


def submit(device: Any, words: list[str]) -> None:
    """Hand one event to libosdp and say whether it took it."""
    try:
        device.submit_event(event(words))
    except (ValueError, TypeError) as error:
        tell("REFUSED", why=str(error))
    else:
        tell("TAKEN", event=words[0])


def main() -> None:
    """Serve one reader on the descriptor or the path of the command line."""
    parser = argparse.ArgumentParser(description="libosdp as an OSDP reader")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--descriptor", type=int, help="inherited, such as a pty's")
    where.add_argument("--path", help="a serial port at its present rate")
    parser.add_argument("--address", type=int, required=True)
    parser.add_argument(
        "--key", type=bytes.fromhex, help="none: install mode with the default key"
    )
    chosen = parser.parse_args()
    descriptor = chosen.descriptor
    if descriptor is None:
        descriptor = os.open(chosen.path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(descriptor)
    os.set_blocking(descriptor, False)
    ctypes.CDLL(None).srand(int.from_bytes(os.urandom(4), "little"))
    osdp_sys.set_loglevel(osdp.LogLevel.Error)
    line = Line(descriptor)
    flags = [osdp.LibFlag.EnforceSecure if chosen.key else osdp.LibFlag.InstallMode]
    info = osdp.PDInfo(chosen.address, line, scbk=chosen.key, flags=flags)
    capabilities = osdp.PDCapabilities(_CAPABILITIES)
    device = osdp_sys.PeripheralDevice(info.get(), capabilities=capabilities.get())
    device.set_command_callback(told)
    tell("READY")
    serve(device, line)


if __name__ == "__main__":
    main()
