# SPDX-License-Identifier: Apache-2.0
"""One browser for all tests that need one, and a gateway and a panel beside it.

The law of the module: the browser and its driver are started once a session, so these
tests share the session's loop; what a test opened in it is closed with the test. A test
that a browser is not needed for stands one folder above.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.panel.conftest import PanelProcess, chromium, scripting, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from tests.panel.scripted_gateway import ScriptedGateway

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here; its time has a budget of its own (tests/run.py)."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if pytest_asyncio.is_async_test(item):
                shared = pytest.mark.asyncio(loop_scope="session")
                item.add_marker(shared, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="session")
async def browser(session_browser: Browser) -> AsyncIterator[Browser]:
    """The browser as if nobody had used it before."""
    yield session_browser
    for context in session_browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(tmp_path: Path) -> AsyncIterator[ScriptedGateway]:
    async with scripting(tmp_path / "control.sock") as scripted:
        yield scripted


@pytest_asyncio.fixture(loop_scope="session")
async def panel(gateway: ScriptedGateway) -> AsyncIterator[PanelProcess]:
    async with serving(gateway) as started:
        yield started
