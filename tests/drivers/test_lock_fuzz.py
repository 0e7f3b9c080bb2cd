# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile frames a family: nothing raised or opened unasked."""

from __future__ import annotations

import pytest

from tests.drivers.lock_families import FAMILIES, Family
from tests.drivers.lock_fuzz import fuzz

SEEDS = (20240701, 20240702)
#: A hundred thousand over the seeds.
FRAMES = 50_000


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: one.name)
def test_lock_control_boards(family: Family, seed: int) -> None:
    fuzz(family, seed=seed, frames=FRAMES)
