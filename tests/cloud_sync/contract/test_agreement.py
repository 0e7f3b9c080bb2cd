# SPDX-License-Identifier: Apache-2.0
"""Schema and code give one answer, whichever field is spoilt, and however.

What only one of the two can know stands in ``UNSAID`` (the code alone) and in
``KINDER`` (the code takes what it can read), each with its reason.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.remote.command import Action
from tests.cloud_sync.contract.readers import verdict
from tests.cloud_sync.contract.samples import SAMPLES
from tests.cloud_sync.contract.schemas import flaws

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str | int, ...]
GONE = object()
#: One of each sort that ever went wrong somewhere.
SORTS: tuple[Any, ...] = (
    *(GONE, None, True, -1, 0, 7, 1.5, 1 << 63, "", "x", "A-1", [], ["x"], {}),
    *("y" * 65, "z" * 513, "0" * 64, "0003-9f2c1d00", "ab\n", "é\u200b"),
)
#: Where the code refuses for a reason that no schema can name.
UNSAID = {
    r"\w+\.json gw": "for which gateway it is",
    r"(hello_answer|ack)\.json epoch": "which journal the gateway keeps",
    r"event_batch\.json data/(epoch|first)": "that the id agrees",
    r"hello_answer\.json h": "a bound for whatever stands in a body: 64 bits",
    r"ack\.json hi": "0 acknowledges nothing: it has no effect",
    r"feed_part\.json (i|n|count|rows|rows/0)": "that parts and rows are as many",
    r"feed_part\.json (hash|rows/0/.*)": "the sum of hashes",
    r"command\.json (iat|exp)": "how long it lives, and what time it is",
    r"jws_header\.json kid": "which keys the gateway holds",
    r"heartbeat\.json data/n": "that the id agrees",
    r"heartbeat_answer\.json n": "which heartbeat waits for an answer",
    r"alarm\.json data/(epoch|item/seq)": "that the id agrees",
    r"alarm\.json data/item/core/at": "a place that can be shown",
    r"day\.json data/(epoch|first|last|count)": "that the fields agree",
    r"day_answer\.json (epoch|first|last)": "which day was told",
    r"row_(booking|ticket_key|holder|notice)\.json body/(valid_)?(from|to)": (
        "that one is after the other"
    ),
}
#: Where the code takes what the schema refuses.
KINDER = {
    r"event_item\.json (seq|core|core/\w+|pii/\w+)": "stored as it came",
    r"event_batch\.json data/items/0/(seq|core|core/\w+|pii/\w+)": "stored as it came",
    r"event_batch\.json data/head": "as if none were told",
    r"alarm\.json data/item/core/\w+": "stored as it came",
    r"row_\w+\.json body/(ticket|kid)": "spaces between hexadecimal digits",
}
#: The samples that are walked: each schema's plainest and its fullest, and a command
#: of each action.
FULLEST = {"every field", "of all three", *(action.value for action in Action)}
WALKED = [
    pytest.param(name, samples[chosen], id=f"{name}-{chosen}")
    for name, samples in SAMPLES.items()
    for number, chosen in enumerate(samples)
    if not number or chosen in FULLEST
]


def places(value: Any, before: Place = ()) -> Iterator[Place]:
    """Yield the way to every field and to the first entry of every list."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield (*before, key)
            yield from places(entry, (*before, key))
    elif isinstance(value, list) and value:
        yield (*before, 0)
        yield from places(value[0], (*before, 0))


def spoilt(value: Any, place: Place, sort: object) -> Any:
    """Return a copy with another thing at that place, or nothing."""
    copied = deepcopy(value)
    room = copied
    for step in place[:-1]:
        room = room[step]
    if sort is GONE:
        del room[place[-1]]
    else:
        room[place[-1]] = sort
    return copied


def is_excused(reasons: dict[str, str], name: str, place: Place) -> bool:
    where = f"{name} {'/'.join(map(str, place))}"
    return any(re.fullmatch(pattern, where) for pattern in reasons)


@pytest.mark.parametrize(("name", "value"), WALKED)
def test_schema_and_code_agree_on_every_spoilt_field(name: str, value: Any) -> None:
    for place in places(value):
        for sort in SORTS:
            changed = spoilt(value, place, sort)
            is_said, told = bool(flaws(name, changed)), verdict(name, changed)
            if is_said is bool(told):
                continue
            reasons = KINDER if is_said else UNSAID
            assert is_excused(reasons, name, place), (place, sort, told)
