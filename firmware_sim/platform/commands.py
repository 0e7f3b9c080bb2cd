# SPDX-License-Identifier: Apache-2.0
"""The platform's desk for commands: what it signs, and what gateways said of it.

The law of the module: a command is drawn up for the connection that a gateway spoke
of last, and for seconds; who does not hear it never does it later. No word within
those seconds is an answer, too: the gateway is away.
Source: docs/commands.md.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.platform.envelope import Result

#: How long a command is good for, unless its wish says otherwise.
LIFE_S = 15
#: Commands whose results are remembered; the oldest go.
MAXIMUM_REMEMBERED = 4096
#: What somebody in front of the door reads when the gateway does not answer.
SAY_OFFLINE = (
    "门禁暂时离线，请刷卡或出示二维码 · the door is offline: show card or code"
)
_DONE = {"actuated", "confirmed", "rejected", "unknown"}


class CommandDesk:
    """Commands drawn up here; ``last`` is the name of the newest."""

    def __init__(self) -> None:
        self.last = ""
        self._results: dict[str, list[Result]] = {}
        self._watchers: dict[str, Callable[[], object]] = {}

    def draw(
        self, gateway: str, nonce: str, wish: dict[str, Any], now_ms: int
    ) -> dict[str, Any]:
        """Return the body of a command; what the wish holds goes before."""
        issued_s = now_ms // 1000
        body = {
            "jti": secrets.token_hex(16),
            "gw": gateway,
            "nonce": nonce,
            "iat": issued_s,
            "exp": issued_s + LIFE_S,
            "by": "op-1",
            "reason": "asked for by telephone",
            **wish,
        }
        self.last = str(body["jti"])
        self._results.setdefault(self.last, [])
        while len(self._results) > MAXIMUM_REMEMBERED:
            del self._results[next(iter(self._results))]
        return body

    def take(self, result: Result) -> None:
        """Take a gateway's word of a command; of another's command it is nothing."""
        if result.jti in self._results:
            self._results[result.jti].append(result)
        watcher = self._watchers.get(result.jti)
        if watcher is not None and result.state in _DONE:
            watcher()

    def watch(self, jti: str, done: Callable[[], object] | None) -> None:
        """Call back once the gateway has done it, or will not; None: no more."""
        self._watchers.pop(jti, None)
        if done is not None:
            self._watchers[jti] = done

    def told(self, jti: str) -> dict[str, Any]:
        """Return a command's states in their order, and what to say to who waits."""
        results = self._results.get(jti, [])
        if not results:
            return {"state": "offline", "states": [], "say": SAY_OFFLINE}
        last = results[-1]
        told: dict[str, Any] = {
            "state": last.state,
            "states": [result.state for result in results],
        }
        if last.reason:
            told |= {"reason": last.reason, "why": last.why}
        return told
