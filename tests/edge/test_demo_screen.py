# SPDX-License-Identifier: Apache-2.0
"""The demonstration's live view: what stands where, and devices in trouble in words."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from edge.cli.demo.command import DemoOptions, _close
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


@pytest.mark.parametrize("agrees", [True, False])
def test_several_sites_end_with_what_their_platform_says(
    agrees: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = {"site": "hz", "scans": 9, "granted": 3, "committed": 70, "hash": "ab"}
    one |= {"platform_count": 70, "lost": 0, "doubled": 0, "redelivered": 2}
    one |= {"platform_hash": "ab", "reconciled": agrees}
    result = {"gateways": {"gw": one}, "seed": 1, "reconciled": agrees}
    result |= {"broker_outages": 1, "reader_faults": 0}
    text = StringIO()
    options = DemoOptions(gateways=2)
    code = _close(options, result, Console(file=text, width=120))
    assert code == (0 if agrees else 1)
    assert ("NOT RECONCILED" in text.getvalue()) is not agrees
    assert "70 events recorded, 70 at the platform, 0 lost" in text.getvalue()
    assert _close(DemoOptions(gateways=2, is_json=True), result, Console()) == code
    assert '"platform_count": 70' in capsys.readouterr().out
