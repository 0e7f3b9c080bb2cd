# SPDX-License-Identifier: Apache-2.0
"""The box's own parts: room on its disk, its supply, and when they were last good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from edge.cli.box_parts import LOW_BYTES, SAGGED_FOR_S, BoxParts
from edge.cli.last_good import LastGood
from edge.core.moment import Moment

if TYPE_CHECKING:
    from pathlib import Path

GB = 1_000_000_000
DISK = "edge.cli.box_parts.shutil.disk_usage"


class Disk(NamedTuple):
    """What the kernel says of a disk."""

    total: int
    used: int
    free: int


class Bench:
    """A box with a clock, a disk, a supply and a record in the tester's hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.disk, self.can_store = 0.0, Disk(16 * GB, 0, 9 * GB), True
        self.sensors = folder / "hwmon"
        monkeypatch.setattr(DISK, lambda _: self.disk)
        self.parts = BoxParts(
            folder,
            lambda: self.now_s,
            others={"storage": lambda: self.can_store},
            sensors=self.sensors,
        )
        self.good = LastGood(folder / "good.json", self.parts.good, self.now)

    def now(self) -> Moment:
        lo = 1_000_000 + int(self.now_s * 1000)
        return Moment(monotonic_s=self.now_s, earliest_ms=lo, latest_ms=lo, boot="b")

    def measure(self, told: str, name: str = "rpi_volt") -> None:
        """Let a sensor of that name tell."""
        device = self.sensors / "hwmon1"
        device.mkdir(parents=True, exist_ok=True)
        (device / "name").write_text(f"{name}\n", "ascii")
        (device / "in0_lcrit_alarm").write_text(f"{told}\n", "ascii")

    def shown(self, at_s: float) -> dict[str, Any]:
        self.now_s = at_s
        self.parts.look()
        self.good.look()
        return self.parts.shown(self.good.of)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_before_a_look_disk_and_power_are_not_known(bench: Bench) -> None:
    assert bench.parts.good() == {"box:storage"}
    shown = bench.parts.shown(bench.good.of)
    assert shown["disk"] == {"good": None, "good_ms": None}


@pytest.mark.parametrize(
    ("disk", "is_good"),
    [
        (Disk(16 * GB, 0, LOW_BYTES), True),
        (Disk(16 * GB, 0, LOW_BYTES - 1), False),
        (Disk(GB, 0, GB // 10), True),
        (Disk(GB, 0, GB // 10 - 1), False),
    ],
)
def test_a_disk_is_good_while_there_is_room(
    bench: Bench,
    disk: Disk,
    is_good: bool,  # noqa: FBT001
) -> None:
    bench.disk = disk
    assert bench.shown(5)["disk"]["good"] is is_good


def test_a_part_says_when_it_was_last_good(bench: Bench) -> None:
    bench.shown(5)
    bench.disk, bench.can_store = Disk(16 * GB, 16 * GB, 0), False
    shown = bench.shown(60)
    assert shown["disk"] == {"good": False, "good_ms": 1_005_000}
    assert shown["storage"] == {"good": False, "good_ms": 1_005_000}


def test_a_supply_that_sagged_is_told_for_a_while(bench: Bench) -> None:
    bench.measure("0")
    assert bench.shown(5)["power"] == {"good": True, "good_ms": 1_005_000}
    bench.measure("1")
    assert bench.shown(10)["power"] == {"good": False, "good_ms": 1_005_000}
    bench.measure("0")
    assert bench.shown(10 + SAGGED_FOR_S - 1)["power"]["good"] is False
    assert bench.shown(10 + SAGGED_FOR_S)["power"]["good"] is True


@pytest.mark.parametrize("name", ["cpu_thermal", ""])
def test_what_does_not_measure_its_supply_knows_nothing_of_it(
    bench: Bench, name: str
) -> None:
    if name:
        bench.measure("1", name)
    assert bench.shown(5)["power"] == {"good": None, "good_ms": None}


def test_a_disk_that_cannot_be_asked_is_not_known(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Disk:
        raise OSError("gone")

    monkeypatch.setattr(DISK, fail)
    assert bench.shown(5)["disk"]["good"] is None
