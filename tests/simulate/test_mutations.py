# SPDX-License-Identifier: Apache-2.0
"""The simulation finds what is broken: each guard taken away is told by its checker.

Every seed below is played with the product as it is, too, and is clean then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.cli.simulate.checkers.all import all_checkers
from edge.cli.simulate.command import ground
from edge.cli.simulate.run import Run
from edge.cli.simulate.weather import FAIR
from tests.simulate.broken_days import DAYS, KITCHEN_RULES, Day
from tests.simulate.broken_rules import BROKEN, Broken, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.simulate.checking import Violation
    from edge.settings.site import Settings

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Settings]:
    """Return the demonstration's site, and the one whose kitchen has rules."""
    text = (config_folder() / "demo.toml").read_text(encoding="utf-8")
    folder: Path = tmp_path_factory.mktemp("sites")
    told = {}
    for has_rules in (False, True):
        path = folder / f"{has_rules}.toml"
        id_line = 'id = "kitchen"\n'
        assert id_line in text
        rules = KITCHEN_RULES if has_rules else ""
        path.write_text(text.replace(id_line, id_line + rules, 1), encoding="utf-8")
        told[has_rules] = load_site(path)
    return told


def played(day: Day, seed: int, sites: dict[bool, Settings]) -> Violation | None:
    settings = sites[day.has_rules]
    weather = replace(FAIR, **day.knobs)
    checkers = all_checkers(ground(settings))
    run = Run(settings, seed, day.days, weather, checkers=checkers)
    outcome = run.play()
    assert outcome.violation or outcome.tally["scans"] > 0
    assert not outcome.traceback, outcome.traceback
    return outcome.violation


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_product_as_it_is_is_clean(
    day: Day, seed: int, sites: dict[bool, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(monkeypatch)
    assert played(day, seed, sites) is None


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_what_is_broken_is_found(
    broken: Broken, sites: dict[bool, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(monkeypatch)
    broken.by(monkeypatch)
    found = (played(broken.day, seed, sites) for seed in SEEDS)
    violation = next((each for each in found if each is not None), None)
    assert violation is not None, f"seeds {SEEDS} found nothing"
    assert violation.name in broken.found_by, violation
