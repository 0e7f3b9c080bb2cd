# SPDX-License-Identifier: Apache-2.0
"""Every broker, each started once; what is unlike in them stays in their fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.sqlite import open_sqlite
from edge.cli.bench.brokers.kinds import KINDS
from tests.cloud_sync.brokers.town import Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from edge.cli.bench.brokers.process import BrokerProcess


def _params() -> list[object]:
    return [
        pytest.param(
            name, marks=pytest.mark.needs(kind.package) if kind.package else ()
        )
        for name, kind in KINDS.items()
    ]


@pytest.fixture(scope="package", params=_params())
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[BrokerProcess]]:
    """A broker of each kind in turn, for all the tests of this folder."""
    folder = tmp_path_factory.mktemp(request.param)
    with KINDS[request.param].running(folder) as nodes:
        yield nodes


@pytest.fixture
def nodes(running: Sequence[BrokerProcess]) -> Iterator[Sequence[BrokerProcess]]:
    """Its nodes, all up before a test and after it."""
    for node in running:
        node.wait()
    yield running
    for node in running:
        node.thaw()
        if not node.is_running:
            node.launch()


@pytest.fixture
async def town(nodes: Sequence[BrokerProcess], tmp_path: Path) -> AsyncIterator[Town]:
    """The two ends of the broker, with nobody there yet."""
    async with open_sqlite(tmp_path / "platform.db") as database:
        yield Town(nodes, database, tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are shorter: the waiting itself is tested elsewhere.

    That for the broker's CONNACK is not: a cluster that lost a node takes seconds.
    """
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 2.0)
    monkeypatch.setattr("cloud_sync.window.REWIND_AFTER_S", 1.0)
