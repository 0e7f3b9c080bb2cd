# SPDX-License-Identifier: Apache-2.0
"""A million mutated frames a driver: ``make soak ARGS="-k million"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers import (
    test_fuzz,
    test_gpio_lines,
    test_locker_8a_fuzz,
    test_modbus_scan,
    test_osdp_fuzz,
    test_pcsc_fuzz,
    test_qr_gm65_fuzz,
    test_uhppote_fuzz,
    test_usb_relay,
)
from tests.drivers.lock_families import FAMILIES
from tests.drivers.lock_fuzz import fuzz as fuzz_locks

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.drivers.lock_families import Family

MILLION = 1_000_000
#: Of one batch, in every one of these modules.
FRAMES = test_fuzz.FRAMES
SEED = 20261122

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def batched(module: ModuleType, play: Callable[[int], None]) -> Callable[[int], None]:
    """Let a module's own fuzz run until a million frames were played."""

    def run(seed: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "BATCHES", MILLION // FRAMES)
            play(seed)

    return run


def locks(family: Family) -> Callable[[int], None]:
    """Play a family of lock-control boards."""
    return lambda seed: fuzz_locks(family, seed=seed, frames=MILLION)


PLAYS: dict[str, Callable[[int], None]] = {
    "id_card_sam": batched(test_fuzz, test_fuzz.test_identity_card_reader),
    "qr_line": batched(test_fuzz, test_fuzz.test_scanner),
    "modbus_relay_board": batched(test_fuzz, test_fuzz.test_relay_board),
    "locker_8a": batched(
        test_locker_8a_fuzz, test_locker_8a_fuzz.test_lock_control_boards
    ),
    "uhppote": batched(test_uhppote_fuzz, test_uhppote_fuzz.test_a_controller),
    "osdp": lambda seed: test_osdp_fuzz.fuzz(seed, MILLION // FRAMES),
    "qr_gm65": lambda seed: test_qr_gm65_fuzz.fuzz_scanner(seed, MILLION // FRAMES),
    "key_wedge": lambda seed: test_qr_gm65_fuzz.fuzz_wedge(seed, MILLION // FRAMES),
    "pcsc_reader": lambda seed: test_pcsc_fuzz.play(seed, MILLION),
    "usb_relay_lcus": lambda seed: test_usb_relay.fuzz(seed, MILLION),
    "gpio_lines": lambda seed: test_gpio_lines.fuzz(seed, MILLION),
    "modbus_scan": lambda seed: test_modbus_scan.fuzz(seed, MILLION),
    **{family.name: locks(family) for family in FAMILIES},
}


@pytest.mark.parametrize("driver", PLAYS)
def test_a_million_frames(driver: str) -> None:
    PLAYS[driver](SEED)
