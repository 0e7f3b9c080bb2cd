# SPDX-License-Identifier: Apache-2.0
"""All stands by the drivers' names: one line a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_sim.lockers.cu48 import Cu48Settings
from firmware_sim.lockers.kerong import KerongSettings
from firmware_sim.lockers.locker_settings import LockerBoardSettings
from firmware_sim.lockers.wkly import WklySettings
from tests.drivers.fault_matrix.keyboard import KeyWedge
from tests.drivers.fault_matrix.on_pair import Lockers, ModbusRelayBoard, Osdp
from tests.drivers.fault_matrix.single import (
    IdCardSam,
    Pcsc,
    Uhppote,
    qr_gm65,
    qr_line,
)
from tests.drivers.fault_matrix.untimed import GpioLines, UsbRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.drivers.fault_matrix.stand import Stand

STANDS: Mapping[str, Callable[[], Stand]] = {
    "id_card_sam": IdCardSam,
    "qr_line": qr_line,
    "qr_gm65": qr_gm65,
    "modbus_relay_board": ModbusRelayBoard,
    "osdp": Osdp,
    "locker_8a": lambda: Lockers("locker_8a", LockerBoardSettings),
    "locker_kerong": lambda: Lockers("locker_kerong", KerongSettings),
    "locker_cu48": lambda: Lockers("locker_cu48", Cu48Settings),
    "locker_wkly": lambda: Lockers("locker_wkly", WklySettings),
    "uhppote": Uhppote,
    "pcsc_reader": Pcsc,
    "usb_relay_lcus": UsbRelay,
    "gpio_lines": GpioLines,
    "key_wedge": KeyWedge,
}
