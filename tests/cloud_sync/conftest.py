# SPDX-License-Identifier: Apache-2.0
"""Brokers for the tests of the client: amqtt everywhere, mosquitto where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import brokers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.brokers import BrokerProcess


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker of each kind, ended after the test by its process id."""
    start = {"amqtt": brokers.amqtt, "mosquitto": brokers.mosquitto}[request.param]
    with start(tmp_path) as process:
        yield process
