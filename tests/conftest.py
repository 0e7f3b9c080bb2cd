# SPDX-License-Identifier: Apache-2.0
"""What every folder of the suite shares: system packages, seeds, budgets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.system_packages import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable


def _missing_for(item: pytest.Item) -> Iterable[str]:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            package = PACKAGES[name]
            if not package.is_installed():
                yield f"{name} ({package.purpose})"


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip what lacks its system package; in CI refuse to collect it."""
    for item in items:
        lacking = ", ".join(_missing_for(item))
        if lacking and os.environ.get("CI") == "true":
            raise pytest.UsageError(f"{item.nodeid} needs the system package {lacking}")
        if lacking:
            reason = f"needs the system package {lacking}"
            item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("browser"):
            item.user_properties.append(("browser", "yes"))  # for tests/run.py
    if "soak" not in str(config.option.markexpr):
        soaks = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if item not in soaks]
