# SPDX-License-Identifier: Apache-2.0
"""What leads where: the tabs beneath every page, and the list behind "more".

The law of the module: a page stands here once, in an order that never moves, because
people find it by its place; who may not have it is not shown it. The words of a page
are ``menu.<its path>``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.panel.visitor import Visitor

#: The tabs, from the left.
TABS = ("/", "/letin", "/lockers", "/emergency", "/more")
#: What stands behind the last of them, from the top.
MORE = (
    "/today",
    "/log",
    "/hours",
    "/devices",
    "/display",
    "/people",
    "/roster",
    "/notices",
    "/drills",
    "/export",
    "/tablets",
    "/posters",
    "/settings",
    "/backup",
    "/trust",
)
#: What stands behind the last of them, from the top.


def tabs_of(visitor: Visitor) -> tuple[str, ...]:
    """Return the tabs of a visitor."""
    return tuple(_for(visitor, TABS))


def menu_of(visitor: Visitor) -> tuple[str, ...]:
    """Return the pages behind "more" that a visitor may have."""
    return tuple(_for(visitor, MORE))


def _for(visitor: Visitor, paths: Iterable[str]) -> Iterable[str]:
    return (path for path in paths if visitor.kind in ROUTES["GET", path])
