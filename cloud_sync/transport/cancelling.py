# SPDX-License-Identifier: Apache-2.0
"""Cancellations that a library swallowed, found again.

The law of the module: a task that was asked to end does end, whatever the library
beneath it made of the request.
"""

from __future__ import annotations

import asyncio


def cancellations() -> int:
    """Return how often the running task has been asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def heed_cancellation(known: int = 0) -> None:
    """Raise the cancellation that a call of aiomqtt may have swallowed.

    Its calls end in ``asyncio.wait_for``, which before Python 3.12 returns normally
    when the answer and the cancellation come in the same turn of the loop
    (cpython#86296); a task cancelled then would run on for ever. ``known`` is the
    count before the call: a failed TaskGroup may have left one behind.
    """
    if cancellations() > known:
        raise asyncio.CancelledError
