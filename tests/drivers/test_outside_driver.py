# SPDX-License-Identifier: Apache-2.0
"""A driver of somebody else's: found by its entry point, and never in place of ours."""

from __future__ import annotations

import ast
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    Cue,
    Garbled,
    InputChanged,
    OrderFailed,
    Reachable,
    SetOutput,
    Show,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.registry import DRIVERS, Unit, build
from tests.edge import small_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.device import Device

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "driver_minimal"
#: Beyond, nobody reads an example to its end.
MOST_LINES = 60
SEED = 20261122
#: Run by a Python of its own, which learns of the package by its path alone.
CHILD = """
import asyncio, json, time
from drivers.device import InputChanged, Reachable
from drivers.links.memory_link import MemoryLink
from drivers.registry import DRIVERS, Unit, build

async def main():
    signals = []
    device = build("button_box", [Unit(address=0, options={"channels": 2})])
    link = MemoryLink(
        "memory", device, signals.extend,
        now=time.monotonic, on_state=lambda is_open, why: None,
    )
    running = asyncio.create_task(link.run())
    while not link.is_open:
        await asyncio.sleep(0.001)
    said = link.take_said()
    link.hear(b"UP 1\\nDOWN 2\\nPO")
    link.hear(b"NG\\nDOWN 1\\n")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    print(json.dumps({
        "names": list(DRIVERS),
        "options": DRIVERS["button_box"].options,
        "said": said.decode(),
        "levels": [[s.channel, s.is_active] for s in signals
                   if isinstance(s, InputChanged)],
        "reachable": sum(isinstance(s, Reachable) for s in signals),
    }))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example where only a path leads to it; return that folder."""
    folder = tmp_path_factory.mktemp("outside")
    source = folder / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command += ["--target", str(folder / "packages"), str(source)]
    subprocess.run(command, check=True, timeout=100)
    return folder / "packages"


@pytest.fixture
def example(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """Build the example's device, of two buttons, in this very process."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(installed)
    yield build("button_box", [Unit(address=0, options={"channels": 2})])
    for name in set(sys.modules) - before:
        if name.startswith("menshen_button_box"):
            del sys.modules[name]


def announce(folder: Path, name: str, value: str) -> None:
    """Leave the traces of an installed package with one entry point."""
    info = folder / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\n")
    (info / "entry_points.txt").write_text(f"[menshen.drivers]\n{name} = {value}\n")


def test_it_is_installed_found_built_and_heard(installed: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr
    told = json.loads(child.stdout)
    assert told["names"][-1] == "button_box"
    assert told["options"] == {"channels": 4}
    assert told["said"] == "PING\n"
    assert told["levels"] == [[1, False], [2, True], [1, True]]
    assert told["reachable"] == 1


def test_it_is_unknown_where_it_is_not_installed() -> None:
    assert "button_box" not in DRIVERS
    with pytest.raises(LocalError, match="unknown driver 'button_box'; the drivers"):
        build("button_box", [Unit(address=0)])


def test_its_options_are_checked_like_ours(example: Device) -> None:
    assert example.deadline() is None
    for options, words in (
        ({"channels": 9}, "button_box: channels must be 1 to 8, not 9"),
        ({"buttons": 4}, "button_box: unknown option 'buttons'"),
    ):
        with pytest.raises(LocalError, match=words):
            build("button_box", [Unit(address=0, options=options)])


def test_it_keeps_the_laws_of_a_driver(example: Device) -> None:
    example.opened(1.0)
    assert example.take_outgoing() == b"PING\n"
    assert example.receive(b"DOWN 1\nUP 2\nPONG\n", 1.1) == [
        InputChanged(unit=0, channel=1, is_active=True),
        InputChanged(unit=0, channel=2, is_active=False),
        Reachable(unit=0, detail=""),
    ]
    assert example.receive(b"DOWN 1\nPONG\nDOW", 1.2) == []
    example.resumed(2.0)
    assert example.take_outgoing() == b"PING\n"
    assert example.receive(b"UP 1\n", 2.1) == [
        InputChanged(unit=0, channel=1, is_active=False)
    ]
    [garbled] = example.receive(b"DOWN 3\nDOWN 4\n", 2.2)
    assert isinstance(garbled, Garbled)
    order = SetOutput(unit=0, channel=1, is_on=True)
    example.order(order, 3.0)
    example.order(Show(unit=0, cue=Cue.DENIED), 3.0)
    assert example.deadline() == 0.0
    why = "a box of buttons has no outputs"
    assert example.tick(3.0) == [OrderFailed(unit=0, order=order, why=why)]
    assert example.deadline() is None
    assert example.closed(4.0) == [Unreachable(unit=0, why="the link was lost")]
    assert example.closed(4.0) == []


def test_a_site_file_may_name_it_and_the_readme_shows_how(
    example: Device, tmp_path: Path
) -> None:
    assert example.deadline() is None
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    stanza = readme.split("```toml\n")[1].split("```")[0]
    button = 'exit_button = { device = "buttons", input = 1 }'
    assert button in readme
    at = "[fire]"
    text = small_site.spoilt(at, f"{button}\n\n{stanza}\n{at}")
    assert small_site.faults(tmp_path, text) == []
    wrong = text.replace("input = 1 }\n\n[[device]]", "input = 5 }\n\n[[device]]")
    [fault] = small_site.faults(tmp_path, wrong)
    assert "'buttons' has channels 1 to 4, use one of them" in fault


def test_hostile_bytes_change_nothing_for_good(example: Device) -> None:
    chance = random.Random(SEED)
    example.opened(0.0)
    good = [b"DOWN 1\n", b"UP 2\n", b"PONG\n", b"DOWN 9\n", b"\xff" * 40, b"\r\n\n"]
    for step in range(20_000):
        frame = chance.choice(good)
        cut = chance.randrange(len(frame) + 1)
        data = frame[:cut] + chance.randbytes(chance.randrange(3)) + frame[cut:]
        signals = example.receive(data, float(step))
        assert sum(isinstance(signal, Garbled) for signal in signals) <= 1
    example.receive(b"\nUP 1\n", 20_001.0)
    assert example.receive(b"DOWN 1\n", 20_002.0) == [
        InputChanged(unit=0, channel=1, is_active=True)
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_package.driver:SPEC", "can't be loaded: No module named 'no_such"),
        ("json:SPEC", "can't be loaded: module 'json' has no attribute 'SPEC'"),
        ("json:dumps", "json:dumps is no DriverSpec of that name, see docs/drivers.md"),
        ("drivers.specs.qr_line:SPEC", "is no DriverSpec of that name"),
    ],
)
def test_a_broken_entry_point_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    announce(tmp_path, "stranger", value)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LocalError, match=f"stranger: .*{words}"):
        build("stranger", [Unit(address=0)])


def test_ours_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, count = DRIVERS["qr_line"], len(DRIVERS)
    announce(tmp_path, "qr_line", "no_such_package.driver:SPEC")
    monkeypatch.syspath_prepend(tmp_path)
    assert DRIVERS["qr_line"] is ours
    assert len(DRIVERS) == count
    assert list(DRIVERS).count("qr_line") == 1


def test_the_example_is_short_and_says_whose_it_is() -> None:
    lines = 0
    for path in sorted(EXAMPLE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n"), path
        assert ast.get_docstring(ast.parse(text)), path
        lines += len(code_lines(text))
    assert 0 < lines <= MOST_LINES


def code_lines(text: str) -> set[int]:
    """Return the lines that hold code: no blank ones, comments or docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT}
    silent |= {tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines
