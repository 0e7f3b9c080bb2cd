# SPDX-License-Identifier: Apache-2.0
"""Every driver at once: the site of config/everything.toml, played for a while."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from drivers import specs
from edge.cli.demo.hardware import SIMULATED, simulated
from edge.cli.demo.journal_file import read_journal
from edge.cli.files import config_folder
from edge.cli.load_site import load_site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

SITE = config_folder() / "everything.toml"
PLAYED_S = 20


def test_the_site_uses_every_driver_there_is() -> None:
    ours = {entry.name for entry in pkgutil.iter_modules(specs.__path__)}
    used = {device.driver for device in load_site(SITE).device}
    assert used == ours
    assert ours - SIMULATED == {"gpio_lines", "pcsc_reader", "key_wedge"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("everything")


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    """Play the site once, as its reader would; return the tally."""
    words = ["demo", "--site", str(SITE), "--for", str(PLAYED_S), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli.main", *words, "--state", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def events(folder: Path, result: dict[str, Any]) -> list[dict[str, Any]]:
    assert result["events_committed"]
    return [event.core for event in read_journal(folder / "journal.db")]


def at(events: list[dict[str, Any]], kind: str) -> Counter[str]:
    """Count the events of a kind by where they happened."""
    return Counter(event["at"] for event in events if event["k"] == kind)


def test_nothing_is_lost_and_nothing_doubled(result: dict[str, Any]) -> None:
    assert result["events_committed"] == result["events_acked"] > 0
    assert result["events_lost"] == result["events_duplicated"] == 0
    assert result["gateway_restarts"] == 0
    assert result["lockers_opened"] > 0


def test_every_device_that_can_be_simulated_came_online(
    events: list[dict[str, Any]],
) -> None:
    settings = load_site(SITE)
    online = at(events, "DEVICE_ONLINE")
    assert online.keys() >= simulated(settings)


def test_what_cannot_be_simulated_is_told_with_its_reason(
    events: list[dict[str, Any]],
) -> None:
    missing = {device.id for device in load_site(SITE).device}
    missing -= simulated(load_site(SITE))
    assert len(missing) == 3
    # A machine with a running pcscd or pins of its own has fewer in trouble.
    in_trouble = at(events, "DEVICE_OFFLINE").keys() | at(events, "DEVICE_ONLINE")
    assert in_trouble >= missing
    for event in events:
        if event["k"] == "DEVICE_OFFLINE" and event["at"] in missing:
            assert event["detail"]


def test_people_come_in_by_every_way_of_reading(
    events: list[dict[str, Any]], result: dict[str, Any]
) -> None:
    granted = at(events, "ACCESS_GRANTED")
    taken = at(events, "ACCESS_TAKEN")
    for way in ("kitchen", "living-room", "studio", "library"):
        assert granted[f"{way}-front"], way
        assert taken[f"{way}-door"], way
    # The USB relay's door has no contact: its leaf is seen in the simulation alone.
    assert granted["garden-front"]
    assert result["doors_opened"] > at(events, "DOOR_OPENED").total()


def test_a_tag_opens_by_an_osdp_reader_and_a_controllers_door_opens(
    events: list[dict[str, Any]],
) -> None:
    kinds = {
        (event["at"], event["kind"])
        for event in events
        if event["k"] == "ACCESS_GRANTED"
    }
    assert ("living-room-front", "CARD") in kinds
    assert ("library-front", "CARD") in kinds
    assert at(events, "DOOR_OPENED")["library-door"]


def test_each_family_of_lockers_opens(events: list[dict[str, Any]]) -> None:
    opened = at(events, "COMPARTMENT_OPENED")
    assert opened.keys() == {"luggage", "laundry", "fridge", "tools"}


def test_no_process_stumbled(folder: Path, events: list[dict[str, Any]]) -> None:
    assert not at(events, "DEVICE_FAULT")
    assert not at(events, "DEVICE_TAMPERED")
    assert not at(events, "ADDRESS_CONFLICT")
    for log in (folder / "logs").glob("*.log"):
        assert "Traceback" not in log.read_text(encoding="utf-8"), log
