# SPDX-License-Identifier: Apache-2.0
"""The demonstration's live view: what stands where, and devices in trouble in words."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from edge.cli.demo.screen import _standing

WELL: dict[str, Any] = {"name": "客厅门刷卡器", "online": True, "fault": None}
SILENT = WELL | {"online": False}
MISSING = SILENT | {"fault": {"kind": "PORT", "why": "pcscd does not run", "at_ms": 1}}


def shown(device: dict[str, Any]) -> str:
    status = {
        "doors": {"front": {"name": "前门", "mode": "LOCKED", "phase": "SECURE"}},
        "banks": {"b": {"name": "柜子", "compartments": {"1": "FREE", "2": "OPEN"}}},
        "devices": {"one": device},
        "events": {"waiting": 3},
        "platform": {"connected": False, "last_ack_age_s": None},
    }
    text = StringIO()
    Console(file=text, width=120).print(_standing(status))
    return text.getvalue()


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (WELL, ["devices", "all well"]),
        (SILENT, ["in trouble", "客厅门刷卡器", "silent"]),
        (MISSING, ["in trouble", "客厅门刷卡器", "pcscd does not run"]),
    ],
)
def test_a_device_in_trouble_is_told_with_its_reason(
    device: dict[str, Any], words: list[str]
) -> None:
    text = shown(device)
    assert all(word in text for word in words)
    assert ("all well" in text) is device["online"]


def test_doors_lockers_and_the_platform_are_told() -> None:
    text = shown(WELL)
    for words in (
        "前门",
        "secure",
        "1· 2◣",
        "away, doors go on",
        "3 · last ack not yet",
    ):
        assert words in text
