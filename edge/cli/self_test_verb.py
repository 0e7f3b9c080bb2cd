# SPDX-License-Identifier: Apache-2.0
"""``menshen self-test``: orders the running gateway's self-test and tells its end.

The law of the module: it knows nothing but the control socket; what was found stands
in the journal and on the devices list, whoever looks.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edge.cli.self_test import ANSWER_WITHIN_S, AT_REST_WITHIN_S, LOOK_AGAIN_S, LOOKS
from edge.control.client import ControlError, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: A self-test that waits for every door and looks as often as it may.
LONGEST_S = AT_REST_WITHIN_S + ANSWER_WITHIN_S + LOOKS * LOOK_AGAIN_S + 10.0
ASK_EVERY_S = 0.5


def order_self_test(
    socket: Path, *, say: Callable[[str], None] = print, within_s: float = LONGEST_S
) -> int:
    """Order it and wait; exit code 1 if a device failed. ControlError as of ``ask``."""
    count = ask(socket, "self-test")["devices"]
    say(f"{count} devices are asked; nothing moves. This takes a quarter of a minute …")
    until_s = time.monotonic() + within_s
    while True:
        time.sleep(ASK_EVERY_S)
        status = ask(socket, "status")
        if not status["testing"]:
            break
        if time.monotonic() > until_s:
            raise ControlError("the self-test does not end; look at `menshen status`")
    now_ms = status["clock"]["earliest_ms"]
    found = [
        _told(name, device["self_test"], now_ms, say)
        for name, device in status["devices"].items()
    ]
    return 0 if all(found) else 1


def _told(
    name: str, tested: dict[str, Any] | None, now_ms: int, say: Callable[[str], None]
) -> bool:
    """Tell one device's result; say whether it is good. An older one is not told."""
    if tested is None or now_ms - tested["at_ms"] > LONGEST_S * 1000:
        say(f"{name}: not asked, its door was in use all the time; try again")
        return False
    say(f"{name}: {'passed' if tested['passed'] else 'FAILED: ' + tested['why']}")
    return bool(tested["passed"])
