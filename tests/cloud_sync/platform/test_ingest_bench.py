# SPDX-License-Identifier: Apache-2.0
"""``menshen bench ingest`` in short: fifty gateways; a node and a worker die."""

from __future__ import annotations

from typing import Any

import pytest

from edge.cli.bench.ingest import IngestOptions, run_ingest


@pytest.mark.alone
@pytest.mark.needs("nats-server", "postgresql")
def test_nothing_is_lost_or_doubled_when_a_node_and_a_worker_are_killed() -> None:
    options = IngestOptions(
        gateways=50, rate=4.0, for_s=12.0, workers=2, kills=1, worker_kills=1
    )
    figures = run_ingest(options)
    assert figures["events"] > 500, figures
    assert_exact(figures)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.needs("nats-server", "postgresql")
def test_a_thousand_gateways_and_two_killed_nodes() -> None:
    options = IngestOptions(gateways=1_000, rate=5.0, for_s=30.0, workers=2, kills=2)
    figures = run_ingest(options)
    print(figures)
    assert figures["events"] > 10_000, figures
    assert_exact(figures)


def assert_exact(figures: dict[str, Any]) -> None:
    """All is there once, and somebody was cut off on the way."""
    assert (figures["lost"], figures["doubled"], figures["alarms"]) == (0, 0, 0)
    assert figures["connections_lost"] > 0, figures
