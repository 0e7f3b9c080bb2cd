# SPDX-License-Identifier: Apache-2.0
"""A whole gateway in this loop, at work in a folder of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from edge.cli.load_site import load_site
from edge.cli.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SITE_KEYS = {"site_key": "11" * 32, "epoch_salt": "22" * 16}
PLATFORM_KEYS = {
    "k1": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
}


@asynccontextmanager
async def at_work(state: Path) -> AsyncIterator[Runtime]:
    """Let a gateway work in ``state``, whose site file stands beside it."""
    runtime = Runtime(load_site(state.parent / "site.toml"), state)
    stop = asyncio.Event()
    work = asyncio.ensure_future(runtime.run(stop))
    try:
        await until(lambda: work.done() or (state / "control.sock").exists())
        assert not work.done(), work.exception()
        yield runtime
    finally:
        stop.set()
        await work


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what others do in their own time."""
    for _ in range(2_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to it")
