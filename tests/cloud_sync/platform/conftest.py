# SPDX-License-Identifier: Apache-2.0
"""Both databases, each empty for each test, and the broker that sites use."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
import structlog

from cloud_sync.platform.application import open_database
from cloud_sync.platform.settings import Settings
from tests import brokers
from tests.cloud_sync.platform.desk import Desk, registered
from tests.cloud_sync.platform.far_gateway import FarGateway
from tests.cloud_sync.platform.office import Office
from tests.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from tests.brokers import BrokerProcess
    from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.needs("postgresql")),
    ]
)
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings that name an empty database; the broker is to be filled in."""
    if request.param == "sqlite":
        store = {"sqlite": str(tmp_path / "platform.db")}
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        store = {"postgresql": await server.empty()}
    return Settings.model_validate({"broker": {"host": "127.0.0.1"}, "store": store})


@pytest.fixture
async def database(settings: Settings, tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(settings, tmp_path) as opened:
        yield opened


@pytest.fixture
async def desk(database: Database) -> Desk:
    """A platform without a broker, that knows the gateway of the tests."""
    await registered(database)
    return Desk(database)


@pytest.fixture
async def office(desk: Desk) -> Office:
    """A platform with two operators, and a gateway that has not connected yet."""
    made = Office(desk, FarGateway())
    await made.hire()
    return made


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[BrokerProcess]:
    with brokers.mosquitto(tmp_path) as process:
        yield process


@pytest.fixture
def own_process() -> Iterator[None]:
    """What `run` sets for its whole process is set back."""
    threshold = gc.get_threshold()
    yield
    structlog.reset_defaults()
    gc.unfreeze()
    gc.set_threshold(*threshold)
