# SPDX-License-Identifier: Apache-2.0
"""What people in charge want of the medicine boxes, as values.

The law of the module: as of :mod:`edge.core.order`, of which these are a part.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineOrdered:
    """Somebody in charge opens the medicine box at the panel.

    ``whom``: for a resident, for himself, or in a rehearsal; "": nobody asked.
    """

    bank: str
    actor: str
    whom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineStocked:
    """Two persons have counted an item: so many, good until ``expires_ms`` (UTC)."""

    bank: str
    item: str
    count: int
    expires_ms: int
    actor: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineUsed:
    """So many of an item were taken out."""

    bank: str
    item: str
    count: int
    actor: str


MedicineOrder = MedicineOrdered | MedicineStocked | MedicineUsed
