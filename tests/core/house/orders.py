# SPDX-License-Identifier: Apache-2.0
"""Every order that somebody in charge can give, made of its fields' names.

The law of the module: a field that names something has a right and a wrong value; an
order of a kind that is new finds its values here, or the tests fail.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.order import LocalHolderOrdered, Order
from tests.core.scene import clock_ms

if TYPE_CHECKING:
    import random

KINDS: tuple[type[Any], ...] = get_args(Order)
#: What is there, by the name of the field.
RIGHT: dict[str, Any] = {
    "access_point": "desk",
    "action": "mend the bell",
    "actor": "chen",
    "appliance": "stove",
    "bag": "B017",
    "bank": "bank",
    "booking": "b1",
    "call": "reached",
    "cash_fen": 0,
    "contact": "c-1",
    "count": 1,
    "door": "kitchen-door",
    "drill": "fire",
    "expires_ms": clock_ms("20:00", days=9),
    "fen": 100,
    "holder": "holder-wang",
    "is_extended": False,
    "is_lifted": False,
    "is_on": True,
    "is_start": True,
    "item": "plaster",
    "mark": "fetched",
    "minutes": 30,
    "mode": DoorMode.LOCKED,
    "number": 1,
    "owner": "li",
    "persons": 2,
    "reason": "because",
    "roles": ("VOLUNTEER",),
    "second": "luo",
    "seq": 1,
    "size": "S",
    "space": "hall",
    "stage": "alarm",
    "state": EmergencyState.SHELTER,
    "tablet": "front",
    "until_ms": clock_ms("20:00"),
    "welcome": ("luo",),
    "whom": "resident",
    "with_doors": False,
}
#: Names of the site's plan that are not there.
NOT_PLANNED: dict[str, Any] = {
    "access_point": "dsk",
    "appliance": "oven",
    "bank": "bnak",
    "door": "kichen",
    "number": 99,
    "space": "cellar",
}
#: Other names that are not there.
NOT_KNOWN: dict[str, Any] = {
    "bag": "B-17",
    "call": "sung",
    "contact": "c-nobody",
    "drill": "dance",
    "holder": "holder-nobody",
    "mark": "hugged",
    "seq": 10**9,
    "stage": "encore",
    "whom": "nobody",
}
#: An order's own sense of a name: the local roster takes strangers, not nonsense.
_OWN: dict[tuple[type[Any], str], Any] = {(LocalHolderOrdered, "holder"): "\n"}


def named(kind: type[Any], **values: Any) -> Order:
    """Return an order whose names are right but for these values."""
    told = {each.name: RIGHT[each.name] for each in fields(kind)} | values
    order: Order = kind(**told)
    return order


def misnamed(wrong: dict[str, Any]) -> list[tuple[type[Any], str]]:
    """Return every kind of order with each of its fields that can be so wrong."""
    return [
        (kind, each.name)
        for kind in KINDS
        for each in fields(kind)
        if each.name in wrong
    ]


def wrong_value(kind: type[Any], name: str) -> Any:
    """Return a value of that field under which there is nothing."""
    return _OWN.get((kind, name), (NOT_PLANNED | NOT_KNOWN).get(name))


def drawn(chance: random.Random, pools: dict[str, tuple[Any, ...]]) -> Order:
    """Return any order; where a field has no pool it is mostly right."""
    kind = chance.choice(KINDS)
    told: dict[str, Any] = {}
    for each in fields(kind):
        pool = pools.get(each.name, (RIGHT[each.name],))
        told[each.name] = chance.choice(pool)
        if chance.random() < 0.02:
            wrong = wrong_value(kind, each.name)
            told[each.name] = told[each.name] if wrong is None else wrong
    order: Order = kind(**told)
    return order
