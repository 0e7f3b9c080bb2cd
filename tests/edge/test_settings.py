# SPDX-License-Identifier: Apache-2.0
"""The site file: the shipped one holds, each spoilt one is told by line and mend."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.registry import DRIVERS
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.settings.errors import SettingsError
from edge.settings.lines import line_of
from edge.settings.site import Settings
from edge.settings.site_file import load
from tests.edge.small_site import TEXT, faults, spoilt, stanzas

DEMO = config_folder() / "demo.toml"


def test_the_demonstration_site_is_good_and_says_what_it_should() -> None:
    site = load_site(DEMO)
    assert (site.site.id, site.gateway.id, site.gateway.shard) == (
        "hz-demo",
        "gw-demo",
        "00",
    )
    assert [(d.id, d.driver, d.baud, d.address) for d in site.device] == [
        ("kitchen-reader", "id_card_sam", 115_200, 0),
        ("living-room-scanner", "qr_line", 115_200, 0),
        ("board", "modbus_relay_board", 9_600, 1),
        ("locks", "locker_8a", 9_600, 1),
        ("locker-scanner", "qr_line", 115_200, 0),
        ("medicine-scanner", "qr_line", 115_200, 0),
        ("desk-reader", "id_card_sam", 115_200, 0),
    ]
    [bank] = site.bank
    assert sorted(bank.compartments.numbers()) == list(range(1, 13))
    assert bank.compartments.medicine == [12]
    kitchen, living_room = site.door
    assert (kitchen.escape, living_room.escape) == (True, False)
    assert (kitchen.lock, kitchen.egress) == ("fail_secure", "mechanical")
    assert site.fire is not None
    assert (site.fire.input, site.fire.active) == (8, "open")
    assert site.clock.system_error_s is None


def test_the_demonstration_site_as_the_rules_see_it() -> None:
    site = load(DEMO)
    plan = site.plan()
    door = plan.doors["kitchen-door"]
    assert (door.space_id, door.is_escape, door.has_contact) == ("kitchen", True, True)
    assert (door.release_s, door.extended_release_s, door.held_open_s) == (3, 8, 20)
    assert plan.access_points["living-room-front"].door_id == "living-room-door"
    assert plan.access_points["locker-front"].bank_id == "lockers"
    assert plan.access_points["medicine-box"].is_medicine_box
    assert plan.access_points["desk"].is_desk
    assert plan.banks["lockers"].compartments[12].is_medicine_box
    assert plan.banks["lockers"].compartments[7].size == "M"
    assert plan.spaces["kitchen"].lead_ms == 600_000
    assert plan.spaces["kitchen"].grace_ms == 300_000
    assert plan.utc_offset_ms == 8 * 3_600_000
    digest = hashlib.sha256(DEMO.read_bytes()).hexdigest()
    assert plan.settings_revision == site.revision == digest[:8]


def test_the_small_site_of_these_tests_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, TEXT) == []


@pytest.mark.parametrize(("old", "new", "told"), stanzas())
def test_each_fault_is_one_line_with_its_place_and_its_mend(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    assert faults(tmp_path, spoilt(old, new)) == [f"site.toml:{line}" for line in told]


@pytest.mark.parametrize("key", ["str", "revision", "xyz"])
def test_an_unknown_key_at_the_top_is_told_all_that_is_known(
    tmp_path: Path, key: str
) -> None:
    """Also where it looks like something of ours: a type's name, the file's digest."""
    keys = {field.name for field in dataclasses.fields(Settings)}
    known = ", ".join(sorted(keys - {"revision"}))
    told = faults(tmp_path, spoilt("[site]", f'{key} = "mine"\n[site]'))
    assert told == [f"site.toml:1 {key}: unknown key, possible here: {known}"]


def test_an_unknown_driver_is_told_all_that_are_known(tmp_path: Path) -> None:
    known = ", ".join(sorted(DRIVERS))
    what = f"there is no driver 'qr_lime', use one of {known}"
    told = faults(tmp_path, spoilt('"qr_line"', '"qr_lime"'))
    assert told == [f"site.toml:12 device.1.driver: {what}"]


def test_a_file_that_is_not_utf_8_is_told_by_its_line(tmp_path: Path) -> None:
    text = spoilt('id = "gw-7"', 'id = "gw-7"\n# 社区').encode("gb18030")
    assert faults(tmp_path, text) == ["site.toml:6: not UTF-8, save it as UTF-8"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "nowhere.toml")
    path = tmp_path / "nowhere.toml"
    assert caught.value.faults == [f"{path}: cannot be read: No such file or directory"]
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_long_value_does_not_fill_the_screen(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, spoilt('id = "hall-7"', f'id = "{"x" * 5000}"'))
    assert len(fault) < 200
    assert "\n" not in fault


NESTED = """\
title = "x"
[[door]]
id = "a"
  [door.strike]
  output = 1
[[door]]
id = "b" # [door]
names = [
  "id",
]
  [door.strike]
  device = 'x'
  output = 1
wires = [{ pin = 1 },
         { pin = 2 }]
[[space.hours]]
day = 1
[[space.hours]]
"day" = 2
site.id = "dotted"
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("title",), 1),
        (("door", 0), 2),
        (("door", 0, "id"), 3),
        (("door", 0, "strike"), 4),
        (("door", 0, "strike", "output"), 5),
        (("door", 0, "strike", "missing"), 4),
        (("door", 1, "id"), 7),
        (("door", 1, "names", 0), 8),
        (("door", 1, "strike", "output"), 13),
        (("door", 1, "strike", "wires", 1, "pin"), 14),
        (("door", 2), 1),
        (("space", "hours", 0, "day"), 17),
        (("space", "hours", 1, "day"), 19),
        (("nowhere",), 1),
    ],
)
def test_a_place_in_the_document_is_found_in_its_text(
    where: tuple[str | int, ...], line: int
) -> None:
    assert line_of(NESTED, where) == line


def test_lines_are_counted_as_editors_count_them() -> None:
    text = '# one\u2028still one\r\n[site]\r\nname = "a\u0085b"\r\nid = 1\r\n'
    assert line_of(text, ("site", "id")) == 4


def menshen(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "edge.cli.main", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )


def test_config_check_prints_a_line_a_fault_and_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(spoilt("output = 1", "outputs = 1"), encoding="utf-8")
    done = menshen("config", "check", "--site", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{path}:26 door.1.strike.output: missing, add it",
        f"{path}:26 door.1.strike.outputs: unknown key, did you mean 'output'?",
    ]


def test_config_check_of_a_good_file_says_so_and_exits_with_0() -> None:
    done = menshen("config", "check", "--site", str(DEMO))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{DEMO}: good\n"


def test_run_refuses_a_bad_site_before_it_touches_anything(tmp_path: Path) -> None:
    path, state = tmp_path / "site.toml", tmp_path / "state"
    path.write_text(spoilt('"qr_line"', '"qr_lime"'), encoding="utf-8")
    done = menshen("run", "--site", str(path), "--state", str(state))
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{path}:12 device.1.driver: there is no driver 'qr_lime'")
    assert not state.exists()


def test_run_without_its_keys_says_which_and_exits_with_2(tmp_path: Path) -> None:
    path, state = tmp_path / "site.toml", tmp_path / "state"
    path.write_text(TEXT, encoding="utf-8")
    done = menshen("run", "--site", str(path), "--state", str(state))
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{state}/keys/site.json: cannot be read (No such file")
    assert line.endswith("is --state the right folder?")
