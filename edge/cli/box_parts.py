# SPDX-License-Identifier: Apache-2.0
"""What of the box itself may need a look: its disk, its power, its record, its line.

The law of the module: it looks and mends nothing, and nothing waits for it: a disk
that hangs holds up a thread of its own. What a machine does not tell is not known,
never good.
Source: the kernel's ``raspberrypi-hwmon`` driver (``in0_lcrit_alarm`` of the device
``rpi_volt``: the supply was too low since it was last asked).
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.last_good import FILE, LastGood

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.cli.runtime import Runtime

LOOK_EVERY_S = 30.0
#: Less room than this, or than a tenth of a small disk, and events will want for it:
#: a journal may grow to 500 MB.
LOW_BYTES = 500_000_000
LOW_SHARE = 10
#: A supply that sagged is told for so long: it sags whenever a lock pulls.
SAGGED_FOR_S = 600.0
SENSORS = Path("/sys/class/hwmon")
SUPPLY = "rpi_volt"
#: How a part is called among the devices whose last good time is kept.
PREFIX = "box:"


class BoxParts:
    """Watches a folder's disk and the supply; ``others`` are asked when wanted."""

    def __init__(
        self,
        folder: Path,
        now_s: Callable[[], float],
        *,
        others: dict[str, Callable[[], bool]] | None = None,
        sensors: Path = SENSORS,
    ) -> None:
        self._folder = folder
        self._now_s = now_s
        self._others = others or {}
        self._sensors = sensors
        self._has_room: bool | None = None
        self._has_sensor = False
        self._sagged_s: float | None = None

    def good(self) -> frozenset[str]:
        """Return what is surely good now, by the names of :data:`PREFIX`."""
        return frozenset(PREFIX + name for name, good in self._parts().items() if good)

    def shown(self, good_ms: Callable[[str], int | None]) -> dict[str, Any]:
        """Return each part: ``good``, None if nobody knows, and when it last was."""
        return {
            name: {"good": good, "good_ms": good_ms(PREFIX + name)}
            for name, good in self._parts().items()
        }

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once; what cannot be asked is not known."""
        self._has_room = _has_room(self._folder)
        alarm = _supply_alarm(self._sensors)
        self._has_sensor = alarm is not None
        if alarm:
            self._sagged_s = self._now_s()

    def _parts(self) -> dict[str, bool | None]:
        known = {name: is_good() for name, is_good in self._others.items()}
        return known | {"disk": self._has_room, "power": self._has_power()}

    def _has_power(self) -> bool | None:
        if not self._has_sensor:
            return None
        sagged_s = self._sagged_s
        return sagged_s is None or self._now_s() - sagged_s >= SAGGED_FOR_S


def watch_parts(runtime: Runtime) -> tuple[BoxParts, LastGood]:
    """Return a gateway's own parts, and when they and its devices were last good."""
    parts = BoxParts(
        runtime.home,
        lambda: runtime.clock.now().monotonic_s,
        others={
            "network": lambda: runtime.client.status.is_connected,
            "storage": lambda: not runtime.gateway.is_storage_faulty,
        },
    )

    def good() -> frozenset[str]:
        return runtime.bindings.online | parts.good()

    return parts, LastGood(runtime.home / FILE, good, runtime.clock.now)


def _has_room(folder: Path) -> bool | None:
    with suppress(OSError):
        disk = shutil.disk_usage(folder)
        return disk.free >= min(LOW_BYTES, disk.total // LOW_SHARE)
    return None


def _supply_alarm(sensors: Path) -> bool | None:
    """Return whether the supply was too low; None where nothing measures it."""
    with suppress(OSError):
        for device in sorted(sensors.iterdir()):
            with suppress(OSError):
                if (device / "name").read_text(encoding="ascii").strip() == SUPPLY:
                    told = (device / "in0_lcrit_alarm").read_text(encoding="ascii")
                    return told.strip() != "0"
    return None
