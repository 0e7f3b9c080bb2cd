# SPDX-License-Identifier: Apache-2.0
"""``menshen ports``: what is plugged in, by the names that a site file can use.

The law of the module: it looks and opens nothing that answers; a name that survives
replugging comes first. ``--identify`` finds out which plug is which by the hand that
pulls it.

Source: udev's links below /dev/serial and /dev/input; linux/gpio.h for chip labels.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.links.port_faults import holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEV = Path("/dev")
#: How long a person may take to find the plug, pull it and put it in again.
IDENTIFY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2
#: udev makes its links one after the other; a port is looked at once it stays.
SETTLE_S = 0.5
#: GPIO_GET_CHIPINFO_IOCTL: name[32], label[32], lines.
_CHIP_INFO = 0x8044B401
_CHIP_INFO_BYTES = 68


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that is plugged in: what to write, and its other names."""

    kind: str
    port: str
    other_names: tuple[str, ...] = ()
    detail: str = ""


def look(dev: Path = DEV) -> list[Found]:
    """Return everything that a driver could use, kind by kind."""
    return [*_serial(dev), *_wedges(dev), *_chips(dev), *_card_readers()]


def _serial(dev: Path) -> Iterator[Found]:
    """Yield each serial device once: by its place, else by its own name."""
    names: dict[str, list[str]] = {}
    for folder in ("by-path", "by-id"):
        for link in _entries(dev / "serial" / folder):
            names.setdefault(os.path.realpath(link), []).append(str(link))
    for plain in sorted((*dev.glob("ttyAMA*"), *dev.glob("ttyUSB*"), *_acm(dev))):
        names.setdefault(str(plain.resolve()), [])
    for target, links in sorted(names.items()):
        port, *others = [*links, target]
        held = " and ".join(str(holder) for holder in holders(target))
        detail = f"open in {held}" if held else ""
        yield Found(kind="serial", port=port, other_names=tuple(others), detail=detail)


def _acm(dev: Path) -> list[Path]:
    return list(dev.glob("ttyACM*"))


def _wedges(dev: Path) -> Iterator[Found]:
    """Yield keyboards, as scanners are that type what they see."""
    for folder in ("by-path", "by-id"):
        for link in _entries(dev / "input" / folder):
            if link.name.endswith("-event-kbd"):
                target = os.path.realpath(link)
                yield Found(kind="keyboard", port=str(link), other_names=(target,))


def _chips(
    dev: Path, label_of: Callable[[Path], tuple[str, int]] | None = None
) -> Iterator[Found]:
    for chip in sorted(dev.glob("gpiochip*")):
        try:
            label, lines = (label_of or chip_info)(chip)
        except OSError as fault:
            yield Found(kind="gpio", port=str(chip), detail=f"{fault.strerror}")
        else:
            yield Found(
                kind="gpio",
                port=f"gpio://{label}",
                other_names=(str(chip),),
                detail=f"{lines} lines",
            )


def chip_info(chip: Path) -> tuple[str, int]:
    """Return a chip's label, which is the same on every start, and its lines."""
    descriptor = os.open(chip, os.O_RDONLY | os.O_CLOEXEC)
    try:
        answer = fcntl.ioctl(descriptor, _CHIP_INFO, bytes(_CHIP_INFO_BYTES))
    finally:
        os.close(descriptor)
    label = answer[32:64].split(b"\0")[0].decode("utf-8", "replace")
    return label, int.from_bytes(answer[64:68], "little")


def _card_readers() -> Iterator[Found]:
    """Yield PC/SC readers, where the extra is installed and its daemon runs."""
    try:
        scard = importlib.import_module("smartcard.scard")
    except ImportError:
        return
    failed, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if failed:
        detail = "its daemon does not run: sudo systemctl start pcscd"
        yield Found(kind="card reader", port="pcsc:", detail=detail)
        return
    try:
        _, names = scard.SCardListReaders(context, [])
        for name in names or ():
            yield Found(kind="card reader", port=f"pcsc:{name}")
    finally:
        scard.SCardReleaseContext(context)


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def identify(
    look_now: Callable[[], list[Found]],
    *,
    within_s: float = IDENTIFY_WITHIN_S,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Found]:
    """Watch until something comes (or comes back); empty if nothing did in time.

    What is found by several names or is several things (a scanner may be a keyboard
    and a serial port at once) is returned whole.
    """
    known = _ports(look_now())
    until = now() + within_s
    while now() < until:
        sleep(LOOK_EVERY_S)
        present = _ports(look_now())
        if present - known:
            sleep(SETTLE_S)
            return [found for found in look_now() if found.port not in known]
        known &= present  # what is gone may come back
    return []


def _ports(found: list[Found]) -> set[str]:
    return {one.port for one in found}


def tell_ports(*, as_json: bool, dev: Path = DEV) -> int:
    """Print what is plugged in; exit code 1 if nothing is."""
    found = look(dev)
    _print(found, as_json=as_json)
    if not found and not as_json:
        print("Nothing is plugged in that a driver could use.")
    return 0 if found else 1


def tell_identified(*, as_json: bool, dev: Path = DEV) -> int:
    """Lead a person through pulling and plugging; exit code 1 if nothing moved."""
    if not as_json:
        print(
            "Unplug the device and plug it in again (or plug it in, if it is out).\n"
            f"Waiting for {IDENTIFY_WITHIN_S:.0f} seconds …",
            flush=True,
        )
    found = identify(lambda: look(dev))
    _print(found, as_json=as_json)
    if not found and not as_json:
        print(
            "Nothing came. Try another cable (some only charge) or another socket; "
            "what has no USB plug, such as a Pi's own pins, cannot be found this way."
        )
    return 0 if found else 1


def _print(found: list[Found], *, as_json: bool) -> None:
    if as_json:
        ports = [asdict(one) for one in found]
        print(json.dumps({"ports": ports}, ensure_ascii=False))
        return
    for one in found:
        detail = f"  ({one.detail})" if one.detail else ""
        print(f'{one.kind:12} port = "{one.port}"{detail}')
        for name in one.other_names:
            print(f"{'':12} also {name}")
