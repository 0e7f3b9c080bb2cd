# SPDX-License-Identifier: Apache-2.0
"""A row of somebody to be fetched: what is kept of it, and what errors tell."""

from __future__ import annotations

import pytest

from edge.core.people.entries import Elder
from edge.core.people.roster_row import parse_row

GOOD = {"holder": "h-1", "order": 3, "route": "左边楼梯"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *(("陈*", "陈*"), ("欧阳*", "欧阳*"), ("Mrs Ch*", "Mrs Ch*")),
        *(("陈美英", "陈*"), ("陈*英", "陈*"), (" 陈美英", "陈*"), ("Chan Mei", "C*")),
        *(("*", ""), (" ", ""), ("陈美英李王张刘杨赵*", "陈美英李王张刘杨*")),
    ],
)
def test_of_a_name_no_more_is_kept_than_neighbours_may_read(
    name: str, shown: str
) -> None:
    body = GOOD | {"name": name, "place": "东巷 3 号", "needs": ["BLIND"]}
    elder = parse_row("elder", "e-1", body)
    assert isinstance(elder, Elder)
    assert (elder.label, elder.place, elder.needs) == (shown, "东巷 3 号", ("BLIND",))
    assert not any(told in repr(elder) for told in ("陈", "东巷 3", "BLIND"))


@pytest.mark.parametrize("field", ["name", "place", "needs"])
def test_what_is_wrong_with_an_elder_is_told_without_what_stood_there(
    field: str,
) -> None:
    body = GOOD | {field: {"planted": 1}}
    with pytest.raises(ValueError, match=f"elder e-1: {field}: ") as flaw:
        parse_row("elder", "e-1", body)
    assert "planted" not in str(flaw.value)
