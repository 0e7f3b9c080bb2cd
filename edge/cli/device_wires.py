# SPDX-License-Identifier: Apache-2.0
"""What hangs on a device of the site, in words.

The law of the module: it reads the settings alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.settings.site import Settings


def wires_of(settings: Settings, device: str) -> Iterator[str]:
    """Yield a line for the device and for each thing that hangs on it."""
    for one in settings.device:
        if one.id == device:
            name = f" ({one.name})" if one.name else ""
            yield f"{one.id}{name}: {one.driver} at {one.port}"
    for door in settings.door:
        if door.strike.device == device:
            yield f"  output {door.strike.output}: strike of door {door.id}"
        for what, wire in (("contact", door.contact), ("button", door.exit_button)):
            if wire is not None and wire.device == device:
                yield f"  input {wire.input}: {what} of door {door.id}"
    for lamp in settings.signals.lamp:
        if lamp.device == device:
            where = f"{lamp.colour} lamp at {lamp.access_point}"
            yield f"  output {lamp.output}: {where}"
    if settings.fire is not None and settings.fire.device == device:
        yield f"  input {settings.fire.input}: fire"
    for bank in settings.bank:
        if bank.device == device:
            yield f"  locks: bank {bank.id}"
    for point in settings.access_point:
        if device in point.readers:
            yield f"  reads at {point.id}"
