# SPDX-License-Identifier: Apache-2.0
"""What the panel's people may look at and try: records, devices, the box itself.

The law of the module: it builds the verbs of looking from a running gateway. A device
is asked to be heard or to be tested, never to move anything; who asked is an event.
"""

from __future__ import annotations

import asyncio
import platform
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509

from drivers.registry import DRIVERS
from edge.accounts.people import Role
from edge.cli.backup.first_restore import FirstRestore
from edge.cli.bench.process_figures import field_of
from edge.cli.panel.certificates import CERTIFICATE, FOLDER
from edge.cli.panel.door_codes import DoorCodes
from edge.cli.panel.export_stick import ExportStick
from edge.cli.panel.records import Records
from edge.cli.status import status
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk, Who
    from edge.cli.runtime import Runtime
    from edge.control.server import Act

MENDERS = frozenset({Role.VOLUNTEER, Role.MANAGER, Role.INSTALLER})
KEEPERS = frozenset({Role.MANAGER, Role.INSTALLER})
#: A reader that was just heard is heard again after so long: it stands at a door.
QUIET_S = 3.0
MB = 1_000_000


def looking_acts(runtime: Runtime, state: Path, version: str) -> dict[str, Act]:
    """Return the verbs that find out themselves who looks."""
    lookback = runtime.journal.lookback()
    records = Records(runtime.desk, lookback, runtime.settings.plan())
    acts = records.acts() | Care(runtime, state, version).acts()
    acts |= DoorCodes(runtime).acts()
    if runtime.lost:  # its folder is memory: nothing big may come into it
        return acts
    return acts | _filing(runtime.desk, records)


def _filing(desk: Desk, records: Records) -> dict[str, Act]:
    """Return the verbs by which files come into the state folder."""
    backups = desk.backups
    if backups is None:
        return {}
    first = FirstRestore(
        desk.book,
        backups.state,
        now_s=lambda: desk.now().monotonic_s,
        staged=backups.staged,
        forget=backups.forget_restore,
        waits=backups.waits_for,
    )
    return ExportStick(desk, backups, records).acts() | first.acts()


class Care:
    """The verbs of the devices page."""

    def __init__(self, runtime: Runtime, state: Path, version: str) -> None:
        self._runtime = runtime
        self._state = state
        self._version = version
        self._heard_s: dict[str, float] = {}

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"beep": self._beep, "test-again": self._test, "box": self._box}

    async def _beep(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Have a reader make itself heard: ``state`` says whether it will."""
        runtime = self._runtime
        who = runtime.desk.acting(request, MENDERS, is_own=is_own)
        named = [d for d in runtime.settings.device if d.id == request.get("device")]
        if not named:
            raise ValueError("device: there is no such device in the site file")
        [device] = named
        if not DRIVERS[device.driver].shows:
            return {"state": "mute"}
        if device.id not in runtime.bindings.online:
            return {"state": "away"}
        now_s = runtime.desk.now().monotonic_s
        if now_s - self._heard_s.get(device.id, -QUIET_S) < QUIET_S:
            return {"state": "heard"}
        self._heard_s[device.id] = now_s
        if not runtime.wires.beep(device.id):
            return {"state": "away"}
        self._note(device.id, "beep", who)
        return {"state": "done"}

    async def _test(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Begin the self-test of all devices; each result is an event of its own."""
        runtime = self._runtime
        who = runtime.desk.acting(request, MENDERS, is_own=is_own)
        if runtime.controller.emergency.is_fire:
            return {"state": "fire"}
        if runtime.self_test.is_running:
            return {"state": "running"}
        runtime.self_test.order({})
        self._note("gateway", "panel", who)
        return {"state": "done"}

    async def _box(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the numbers of the box, for whoever mends it."""
        runtime = self._runtime
        runtime.desk.acting(request, KEEPERS, is_own=is_own)
        shown = status(runtime)
        numbers = await asyncio.to_thread(_numbers, self._state)
        line = shown["platform"]
        return {
            **numbers,
            "panel_certificate": await asyncio.to_thread(_dated, self._state),
            "uptime_s": int(shown["uptime_s"]),
            "events": runtime.journal.count,
            "waiting": shown["events"]["waiting"],
            "not_on_disk": shown["events"]["not_on_disk"],
            "reconnects": line["reconnects"],
            "certificate_days": line["certificate_days"],
            "keys": line["keys"],
            "broker": line["broker"],
            "troubles": [
                f"{one['broker']}: {one['why']}; {one['advice']}"
                for one in line["troubles"]
            ],
            "version": self._version,
            "python": platform.python_version(),
            "settings": runtime.settings.revision,
            "wires": {
                device.id: f"{device.driver} {device.port} {device.address}"
                for device in runtime.settings.device
            },
        }

    def _note(self, subject: str, asked: str, who: Who) -> None:
        facts: tuple[tuple[str, str], ...] = (("actor", who.actor), ("asked", asked))
        if who.tablet is not None:
            facts += (("tablet", who.tablet.id),)
        noted = Noted(kind=EventKind.SELF_TEST, subject=subject, facts=facts)
        self._runtime.gateway.note(noted)


def _numbers(state: Path) -> dict[str, int]:
    """Return the disk's room and the memory in use, in MB."""
    used = shutil.disk_usage(state)
    numbers = {"disk_free_mb": used.free // MB, "disk_mb": used.total // MB}
    with suppress(OSError, ValueError):  # a kernel that does not tell
        text = Path("/proc/self/status").read_text(encoding="utf-8")
        numbers["memory_mb"] = field_of(text, "VmRSS") * 1024 // MB
    return numbers


def _dated(state: Path) -> str:
    """Return until which day the panel's certificate is good, "" without one."""
    path = state / FOLDER / CERTIFICATE
    with suppress(OSError, ValueError):
        known = x509.load_pem_x509_certificate(path.read_bytes())
        return known.not_valid_after_utc.date().isoformat()
    return ""
