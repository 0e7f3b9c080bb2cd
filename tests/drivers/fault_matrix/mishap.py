# SPDX-License-Identifier: Apache-2.0
"""What a mishap is: how it begins and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.fault_matrix.stand import Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """``ends`` is None for what nobody mends."""

    begins: Callable[[Stand], None]
    ends: Callable[[Stand], None] | None = None
