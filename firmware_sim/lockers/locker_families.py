# SPDX-License-Identifier: Apache-2.0
"""The families of lock-control boards by name.

The law of the module: one line a family in each table; adding one is its firmware, its
vectors and these lines.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.cu48 import Cu48Firmware, Cu48Settings
from firmware_sim.lockers.kerong import KerongFirmware, KerongSettings
from firmware_sim.lockers.locker_8a import LockerFirmware
from firmware_sim.lockers.locker_settings import BoardTraits, LockerBoardSettings
from firmware_sim.lockers.wkly import WklyFirmware, WklySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_sim.lockers.locker_firmware import Firmware

#: What a site file calls a family, and what its boards are set with.
FAMILIES: Mapping[str, type[BoardTraits]] = MappingProxyType(
    {
        "8a": LockerBoardSettings,
        "kerong": KerongSettings,
        "cu48": Cu48Settings,
        "wkly": WklySettings,
    }
)


def settings_kind(family: object, where: str) -> type[BoardTraits]:
    """Return the settings of a family; SimulationError names those there are."""
    kind = FAMILIES.get(family) if isinstance(family, str) else None
    if kind is None:
        known = ", ".join(FAMILIES)
        raise SimulationError(f"{where}: {family!r} is not known; write one of {known}")
    return kind


def firmware_of(settings: BoardTraits) -> Firmware[Any, Any]:
    """Return the firmware that such a board runs."""
    match settings:
        case LockerBoardSettings():
            return LockerFirmware(settings)
        case KerongSettings():
            return KerongFirmware(settings)
        case Cu48Settings():
            return Cu48Firmware(settings)
        case WklySettings():
            return WklyFirmware(settings)
        case _:
            raise SimulationError(
                f"{type(settings).__name__} is no board's of a family"
            )
