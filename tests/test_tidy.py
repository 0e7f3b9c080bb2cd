# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check, so that no reviewer has to."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("edge", "drivers", "cloud_sync", "firmware_sim", "tests")
#: Ceilings of house style; both are far above what is usual here.
FILE_LINES = 400
FUNCTION_LINES = 70
#: Modules that a pure floor must not touch: clocks, files, sockets, chance.
IMPURE = {
    "asyncio",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
}
#: Where time and chance may enter: the roof, the shells, the simulation and tests.
SHELLS_OF_SYNC = ("client", "conversation", "connection", "inbox", "ports")
PURE = (
    "edge/core",
    *(
        f"cloud_sync/{path.name}"
        for path in (ROOT / "cloud_sync").glob("*.py")
        if path.stem not in SHELLS_OF_SYNC
    ),
    *(
        f"cloud_sync/platform/{name}.py"
        for name in ("answers", "items", "ledger", "reception", "registry", "uplink")
    ),
    "cloud_sync/platform/reports",
    "cloud_sync/platform/rows_file.py",
)
#: What touches ports, threads and the operating system, in place of the drivers.
SHELLS = {
    f"drivers/{name}.py"
    for name in (
        *("links/alarm", "links/device_link", "links/stream_link", "links/serial_link"),
        *("links/udp_link", "links/memory_link", "links/evdev_link"),
        *("links/serial_port", "links/tcp_port", "links/port_faults"),
        *("gpio/chips", "gpio/link", "pcsc/link", "pcsc/service", "pcsc/watch"),
        "specs/osdp",  # gives the driver its randomness
    )
}
TOP_LEVEL = {"edge", "drivers", "cloud_sync", "firmware_sim", "config", "tests"} | {
    "docs",
    "examples",
    ".ci",
}


def tracked(*patterns: str) -> list[Path]:
    """Every file that git tracks or would track, that still exists."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [ROOT / name for name in names.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def sources() -> list[Path]:
    return [path for path in tracked("*.py") if relative(path).startswith(ROOMS)]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_every_module_opens_with_its_licence_and_its_purpose() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n"), path
        assert ast.get_docstring(ast.parse(text)), f"{path}: no module docstring"


def test_no_file_and_no_function_grows_past_its_ceiling() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= FILE_LINES, f"{path}: over {FILE_LINES} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= FUNCTION_LINES, f"{path}: {node.name} has {length}"


def test_pure_floors_touch_no_clock_no_file_and_no_chance() -> None:
    for path in sources():
        if relative(path).startswith(PURE):
            used = imports(ast.parse(path.read_text(encoding="utf-8"))) & IMPURE
            assert not used, f"{path} imports {sorted(used)}"


def test_drivers_other_than_their_shells_are_pure() -> None:
    for path in sources():
        name = relative(path)
        if name.startswith("drivers/") and name not in SHELLS:
            used = imports(ast.parse(path.read_text(encoding="utf-8"))) & IMPURE
            assert not used, f"{path} imports {sorted(used)}"


@pytest.mark.parametrize(
    "banned",
    [
        r"\bdatetime\.now\(",
        r"\btime\.time\(",
        r"\bunittest\.mock\b",
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
        r"except Exception:\s+pass",
    ],
)
def test_banned_words_stand_nowhere(banned: str) -> None:
    allowed = {"tests/test_tidy.py", "edge/cli/system_clock.py"}
    for path in sources():
        if relative(path) not in allowed:
            found = re.search(banned, path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: {found and found.group()}"


def test_the_event_queue_lives_on_the_roof_alone() -> None:
    for path in sources():
        if not relative(path).startswith(("edge/cli/", "tests/")):
            text = path.read_text(encoding="utf-8")
            assert "asyncio.Queue(" not in text, path


def test_every_module_is_used_by_another_or_run() -> None:
    texts = {relative(p): p.read_text(encoding="utf-8") for p in sources()}
    everything = "\n".join(texts.values()) + (ROOT / "pyproject.toml").read_text()
    for name in texts:
        stem = Path(name).stem
        if stem in ("__init__", "__main__", "conftest") or stem.startswith("test_"):
            continue
        if name.startswith("drivers/specs/"):
            continue  # found by their names, as site files write them
        dotted = name.removesuffix(".py").replace("/", ".")
        package, _, module = dotted.rpartition(".")
        named = rf"from {re.escape(package)} import[^#]*\b{module}\b"
        relative_import = rf"from \.+ import[^#]*\b{module}\b|from \.+{module} import"
        pattern = rf"{re.escape(dotted)}\b|{named}|{relative_import}"
        used = re.search(pattern, everything) or f"tests.{module}" in _makefile()
        assert used, f"{name} is dead"


def _makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_top_folders_are_the_ones_agreed() -> None:
    folders = {relative(p).split("/")[0] for p in tracked() if "/" in relative(p)}
    assert folders <= TOP_LEVEL, sorted(folders - TOP_LEVEL)


def test_config_holds_data_and_no_python() -> None:
    assert not tracked("config/*.py")


def test_no_text_carries_a_path_of_one_machine_or_a_registry_host() -> None:
    banned = re.compile(r"(?<![\w.])/(work|home/\w+|root)/|files\.pyth" + r"onhosted")
    for path in tracked():
        if path.suffix not in {".png", ".wav"}:
            found = banned.search(path.read_text(encoding="utf-8", errors="replace"))
            assert found is None, f"{path}: {found and found.group()}"
