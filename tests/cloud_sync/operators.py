# SPDX-License-Identifier: Apache-2.0
"""Operators of the tests, whose keys are patterns; and how they seal an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_sync.seals import PURPOSE
from tests.cloud_sync.scripted_platform import public_bytes, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The seed of each, as in vectors/keys.json.
OPERATORS = {"op-chen": bytes(range(64, 96)), "op-luo": bytes(range(96, 128))}
SITE = "hall-7"


def public_keys() -> dict[str, str]:
    """Return what a site file would name."""
    return {name: public_bytes(seed).hex() for name, seed in OPERATORS.items()}


def seal(order: Mapping[str, Any], operator: str, **how: Any) -> str:
    """Return one operator's signature over an order."""
    told = {"kid": operator, "seed": OPERATORS[operator]} | how
    return sign(dict(order), told.pop("typ", PURPOSE), **told).decode()


def sealed(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order with the seals of both."""
    return {**order, "seals": [seal(order, name) for name in OPERATORS]}
