# SPDX-License-Identifier: Apache-2.0
"""A platform's web server on a free port, with an authority made for the test."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from cloud_sync.platform.application import open_database
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.settings import Settings
from cloud_sync.platform.web.app import Lent
from cloud_sync.platform.web.server import serve
from tests.brokers import free_port
from tests.certificates import Authority
from tests.cloud_sync.platform.desk import NOW_MS, registered
from tests.cloud_sync.scripted_platform import KID, SEED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.certificates import Pair


class Web:
    """A running server, and clients of it."""

    def __init__(self, authority: Authority, lent: Lent, port: int) -> None:
        self.authority = authority
        self.lent = lent
        self.url = f"https://127.0.0.1:{port}"
        self.port = port

    def client(self, pair: Pair | None = None) -> httpx.AsyncClient:
        """Return a client that shows ``pair``."""
        context = ssl.create_default_context(cafile=self.authority.ca)
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return httpx.AsyncClient(base_url=self.url, verify=context, trust_env=False)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Web]:
    authority, port = Authority(folder), free_port()
    authority.issue("web")
    settings = Settings.model_validate(
        {
            "broker": {"host": "127.0.0.1"},
            "store": {"sqlite": "platform.db"},
            "web": {"listen": f"127.0.0.1:{port}"},
        }
    )
    async with open_database(settings, folder) as database:
        await registered(database)
        lent = Lent(
            database=database,
            signer=Signer(KID, SEED),
            settings=settings,
            folder=folder,
            now_ms=lambda: NOW_MS,
        )
        assert settings.web is not None
        task = asyncio.create_task(serve(settings.web, lent))
        try:
            while not task.done():
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    break
            yield Web(authority, lent, port)
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with serving(tmp_path) as running:
        yield running
