# SPDX-License-Identifier: Apache-2.0
"""The pages about devices say what drivers do: names, defaults, bounds and words."""

from __future__ import annotations

import ast
import math
import re
import runpy
import tomllib
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from drivers.device import Device
from drivers.errors import LocalError
from drivers.registry import DRIVERS, Unit, build
from drivers.spec import DriverSpec
from edge.cli.load_site import load_site
from firmware_sim.alone import ALONE, knobs_of
from firmware_sim.site import Site
from tests.edge import small_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.options import OptionValue

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "devices"
INDEX = PAGES / "README.md"
HEADINGS = (
    *("What it is", "Wiring", "Site file", "What people see when it breaks"),
    *("Quirks, and where they are known from", "What is unverified", "Trying it"),
)
#: What has no default that could be built: a reader without a key is refused.
NEEDED: dict[str, dict[str, OptionValue]] = {
    "osdp": {"scbk": "9F3C51D2A8E47706BB10C96E5D24F83A"}
}
#: Defaults that are the machine's own; the pages name those of a 64-bit one.
OF_THE_MACHINE = {("key_wedge", "event_bytes")}
_RANGE = re.compile(r"(-?[\d.]+) to ([\d.]+)")


def pages() -> list[Path]:
    return sorted(path for path in PAGES.glob("*.md") if path != INDEX)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(text: str, first: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables whose first heading is ``first``."""
    is_inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            is_inside = False
        elif cells[0] == first:
            is_inside = True
        elif is_inside and set(cells[0]) != {"-"}:
            yield cells


def option_tables() -> dict[str, list[list[str]]]:
    """Return the rows of each driver's table of options."""
    found: dict[str, list[list[str]]] = {}
    for path in pages():
        parts = re.split(r"^### Options of `(\w+)`$", text_of(path), flags=re.MULTILINE)
        for name, part in zip(parts[1::2], parts[2::2], strict=True):
            assert name not in found, f"{name} stands on two pages"
            found[name] = list(rows(part.split("\n#")[0], "option"))
    return found


def blocks(text: str, kind: str) -> list[str]:
    """Return the fenced blocks of a kind, those inside of lists too."""
    pattern = rf"^( *)```{kind}\n(.*?)^\1```$"
    found = re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL)
    return [dedent(block) for _, block in found]


@cache
def words_of_the_house() -> tuple[str, ...]:
    """Return every text that drivers and command line could say."""
    found = set()
    for path in [*ROOT.glob("drivers/**/*.py"), *ROOT.glob("edge/cli/*.py")]:
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return tuple(found)


def is_said(text: str) -> bool:
    """Say whether a text of the house holds this one, or several hold its parts."""
    if any(text in words for words in words_of_the_house()):
        return True
    cuts = [found.start() for found in re.finditer(" ", text)]
    for cut in cuts[1:-1]:
        head, tail = text[:cut].rstrip(" :"), text[cut:].strip()
        if any(head in words for words in words_of_the_house()) and is_said(tail):
            return True
    return False


def is_taken(driver: str, name: str, value: OptionValue) -> bool:
    options = {**NEEDED.get(driver, {}), name: value}
    spec = DRIVERS[driver]
    address = 1 if spec.is_shared and driver != "uhppote" else 0
    try:
        build(driver, [Unit(address=address, options=options)])
    except LocalError as fault:
        told = str(fault)
    else:
        return True
    assert name in told
    return False


def test_every_driver_has_its_table_and_its_line_in_the_index() -> None:
    assert set(option_tables()) == set(DRIVERS)
    lines = {}
    for driver, _, link, speed, needs in rows(text_of(INDEX), "driver"):
        found = re.fullmatch(r"\[`(\w+)`\]\((\w+\.md)\)", driver)
        assert found, driver
        assert f"### Options of `{found[1]}`" in text_of(PAGES / found[2])
        assert needs
        lines[found[1]] = (link, speed)
    told = {}
    for name, spec in DRIVERS.items():
        link = spec.link.value.lower()
        told[name] = (link, str(spec.default_baud) if link == "serial" else "–")
    assert lines == told


@pytest.mark.parametrize("driver", DRIVERS)
def test_names_and_defaults_of_options(driver: str) -> None:
    told = {}
    for name, default, unit, bounds, meaning in option_tables()[driver]:
        assert unit
        assert bounds
        assert meaning
        told[name.strip("`")] = tomllib.loads(f"x = {default.strip('`')}")["x"]
    options = dict(DRIVERS[driver].options)
    assert list(told) == list(options)
    for name, value in told.items():
        if (driver, name) not in OF_THE_MACHINE:
            assert (type(value), value) == (type(options[name]), options[name]), name


@pytest.mark.parametrize("driver", DRIVERS)
def test_bounds_of_options(driver: str) -> None:
    for name_cell, _, _, bounds, _ in option_tables()[driver]:
        name = name_cell.strip("`")
        default = DRIVERS[driver].options[name]
        found = _RANGE.fullmatch(bounds)
        if bounds == "true, false":
            assert isinstance(default, bool), name
        elif bounds.endswith("hexadecimal digits") or bounds == "text":
            assert isinstance(default, str), name
        elif found and isinstance(default, float):
            least, most = float(found[1]), float(found[2])
            assert is_taken(driver, name, least), f"{name} {least}"
            assert is_taken(driver, name, most), f"{name} {most}"
            assert not is_taken(driver, name, math.nextafter(least, -math.inf)), name
            assert not is_taken(driver, name, math.nextafter(most, math.inf)), name
        elif found:
            first, last = int(found[1]), int(found[2])
            assert is_taken(driver, name, first), f"{name} {first}"
            assert is_taken(driver, name, last), f"{name} {last}"
            assert not is_taken(driver, name, first - 1), name
            assert not is_taken(driver, name, last + 1), name
        else:
            choices = [choice.strip() for choice in bounds.split(",")]
            assert len(choices) > 1, f"{name}: {bounds!r} are no bounds"
            kind = type(default)
            for choice in choices:
                assert is_taken(driver, name, kind(choice)), f"{name} {choice}"
            assert not is_taken(driver, name, kind("9999")), name


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_page_has_all_its_parts(path: Path) -> None:
    text = text_of(path)
    head = text.splitlines()[:3]
    assert head[0].startswith("# ")
    assert head[2].startswith("**中文** ")
    assert re.search("[\u4e00-\u9fff]{8}", head[2])
    told = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert [heading for heading in told if heading in HEADINGS] == list(HEADINGS)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_the_site_files_of_a_page_are_good(path: Path, tmp_path: Path) -> None:
    stanzas = blocks(text_of(path), "toml")
    assert stanzas
    named = set()
    for stanza in stanzas:
        site = tmp_path / "site.toml"
        site.write_text(small_site.TEXT + "\n" + stanza, encoding="utf-8")
        settings = load_site(site)
        named |= {device.driver for device in settings.device[2:]}
    assert named == {
        name for name in DRIVERS if f"Options of `{name}`" in text_of(path)
    }


@pytest.mark.parametrize("path", [*pages(), INDEX], ids=lambda path: path.stem)
def test_what_people_see_is_what_is_said(path: Path) -> None:
    table = list(rows(text_of(path), "what is told"))
    assert table
    for told, meaning, remedy in table:
        assert re.fullmatch("`[^`]+`", told), told
        assert meaning, told
        assert remedy, told
        parts = [part.strip(" ;:,()…") for part in told.strip("`").split("…")]
        parts = [part for part in parts if len(part) > 1]
        assert parts, told
        for part in parts:
            assert is_said(part), part


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_the_simulations_of_a_page_can_be_started(path: Path) -> None:
    text = text_of(path)
    for device, wishes in re.findall(r"`?menshen sim (\w+)(.*)", text):
        if device not in {"list", "for"}:
            knobs = {name for name, _ in knobs_of(ALONE[device])}
            assert set(re.findall(r"--fault (\w+)=", wishes)) <= knobs
    for block in blocks(text, "toml simulated"):
        assert Site.from_mapping(tomllib.loads(block)).ports


def test_pages_lead_to_pages_that_are_there() -> None:
    for path in [*PAGES.glob("*.md"), ROOT / "docs" / "drivers.md"]:
        for link in re.findall(r"\]\(([^)#]+)\)", text_of(path)):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_the_guide_for_authors_names_every_verb_and_every_field() -> None:
    text = text_of(ROOT / "docs" / "drivers.md")
    verbs = [name for name in vars(Device) if not name.startswith("_")]
    assert len(verbs) == 8
    for name in [*verbs, *DriverSpec.__slots__]:
        assert f"`{name}`" in text or f"`{name}(" in text, name
    tree = ast.parse(text_of(ROOT / "drivers" / "device.py"))
    nouns = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for name in nouns - {"Device"}:
        assert re.search(rf"\b{name}\b", text), name


def test_the_examples_of_the_guide_run(tmp_path: Path) -> None:
    found = blocks(text_of(ROOT / "docs" / "drivers.md"), "python")
    assert len(found) == 3
    for block in found:
        script = tmp_path / "example.py"
        script.write_text(block, encoding="utf-8")
        assert runpy.run_path(str(script))
