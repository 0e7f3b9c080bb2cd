# SPDX-License-Identifier: Apache-2.0
"""The demonstration's neighbourhood: its grids, whom to call, and whom to fetch.

The law of the module: nobody here exists, and the telephone numbers are of no one:
they begin with the service prefix 000, which no exchange gives out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.cli.demo.cast import Resident

GRIDS = (("g-east", "东巷网格"), ("g-west", "西巷网格"))
#: Name, what he is, and his grid, "" for all of them; in the order of calling.
CONTACTS = (
    ("街道值班室", "街道", ""),
    ("黄网格员", "网格员", "g-east"),
    ("何楼长", "楼长", "g-east"),
    ("郑网格员", "网格员", "g-west"),
)
#: Of each who is fetched: grid, name as neighbours read it, place, way, and needs.
ELDERS = (
    ("g-east", "陈*", "东巷 3 号 201", "左边楼梯", ("WHEELCHAIR",)),
    ("g-east", "梁*", "东巷 7 号 102", "一楼, 敲窗", ("HARD_OF_HEARING",)),
    ("g-west", "欧阳*", "西巷 12 号 402", "没电梯", ("TWO_PERSONS", "OXYGEN")),
)


def street(people: Mapping[str, Sequence[Resident]]) -> list[dict[str, Any]]:
    """Return the rows of the neighbourhood; its elders are residents of the cast."""
    rows = [_row("grid", name, name=shown) for name, shown in GRIDS]
    for number, (name, role, grid) in enumerate(CONTACTS, 1):
        body: dict[str, Any] = {"name": name, "phone": f"000-8100000{number}"}
        body |= {"role": role, "order": number} | ({"grid": grid} if grid else {})
        rows.append(_row("contact", f"c-{number}", **body))
    rows.append(
        _row(
            "office",
            "o-1",
            name="社区卫生服务站",
            phone="000-81000009",
            address="示范路 1 号",
            hours="08:00-20:00",
        )
    )
    known = [one for several in people.values() for one in several if one.part.is_known]
    elders = [one for one in known if one.part.role == "RESIDENT"]
    for number, (one, told) in enumerate(zip(elders, ELDERS, strict=False), 1):
        grid, name, place, route, needs = told
        body = {"holder": one.holder, "order": number, "route": route, "grid": grid}
        body |= {"name": name, "place": place, "needs": list(needs)}
        rows.append(_row("elder", f"e-{number}", **body))
    return rows


def _row(kind: str, identifier: str, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "id": identifier, "ver": 1, "body": body}
