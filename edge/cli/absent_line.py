# SPDX-License-Identifier: Apache-2.0
"""A port that this machine cannot serve: it says why and stays away.

The law of the module: a package that is missing costs its own devices and no other; the
gateway goes on, and they stand among the devices in trouble.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drivers.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order


class AbsentLine:
    """A link that never opens; see :class:`drivers.links.link.Link` for the verbs."""

    is_open = False

    def __init__(self, why: str, on_state: Callable[[bool, str], None]) -> None:
        self._why = why
        self._on_state = on_state

    async def run(self) -> None:
        """Say why, and wait to be cancelled."""
        self._on_state(False, self._why)  # noqa: FBT003 (every link's way to say it)
        await asyncio.Event().wait()

    def order(self, order: Order) -> None:
        """Refuse the order."""
        raise LocalError(f"{type(order).__name__} has nobody to go to: {self._why}")

    def flush_input(self) -> None:
        """Have nothing to throw away."""
