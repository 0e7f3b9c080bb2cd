# SPDX-License-Identifier: Apache-2.0
"""``menshen self-test``: orders, waits for the end, and tells it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.self_test_verb import order_self_test
from edge.control.client import ControlError
from edge.control.server import ControlServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a folder whose path leaves room for a socket in it."""
    with TemporaryDirectory(prefix="menshen-") as folder:
        yield Path(folder)


class Gateway:
    """A gateway as the command line sees it: it tests, and then tells."""

    def __init__(self, *results: dict[str, Any] | None) -> None:
        self.results = results
        self.looks = 0

    def self_test(self, _request: dict[str, Any]) -> dict[str, Any]:
        if not self.results:
            raise ValueError("nothing is tested during a fire release; end it first")
        return {"devices": len(self.results)}

    def status(self, _request: dict[str, Any]) -> dict[str, Any]:
        self.looks += 1
        found = enumerate(self.results, start=1)
        devices = {f"d{n}": {"self_test": result} for n, result in found}
        clock = {"earliest_ms": 1_000_000}
        return {"testing": self.looks < 2, "devices": devices, "clock": clock}

    async def asked(self, folder: Path, **wishes: Any) -> tuple[int, list[str]]:
        """Order a self-test as a person does; return exit code and what was told."""
        said: list[str] = []
        verbs: dict[str, Any] = {"self-test": self.self_test, "status": self.status}
        server = ControlServer(folder / "control.sock", verbs)
        await server.open()
        try:
            code = await asyncio.to_thread(
                order_self_test, folder / "control.sock", say=said.append, **wishes
            )
        finally:
            await server.close()
        return code, said


PASSED = {"passed": True, "why": "", "at_ms": 999_000}
FAILED = PASSED | {"passed": False, "why": "no answer"}
LAST_NIGHT = PASSED | {"at_ms": 1_000}


async def test_the_command_waits_for_the_end_and_tells_it(short: Path) -> None:
    code, said = await Gateway(PASSED, FAILED, None, LAST_NIGHT).asked(short)
    assert code == 1
    assert said[0].startswith("4 devices are asked")
    assert said[1:] == [
        "d1: passed",
        "d2: FAILED: no answer",
        "d3: not asked, its door was in use all the time; try again",
        "d4: not asked, its door was in use all the time; try again",
    ]
    assert (await Gateway(PASSED).asked(short))[0] == 0


async def test_the_command_tells_a_refusal_and_does_not_wait_for_ever(
    short: Path,
) -> None:
    with pytest.raises(ControlError, match="fire"):
        await Gateway().asked(short)
    with pytest.raises(ControlError, match="does not end"):
        await Gateway(PASSED).asked(short, within_s=0.0)
