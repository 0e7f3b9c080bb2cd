# SPDX-License-Identifier: Apache-2.0
"""A platform that does not answer although a broker takes what we say.

The law of the module: brokers deny silently (MQTT 3.1.1 knows no other way), so that
the only sign of a missing permission, or of a platform that is down, is a hello that
nobody answers on a connection that stands. Only the time on such connections counts:
a broker that cannot be reached is another trouble.
"""

from __future__ import annotations

#: A connection is left after 10 s without an answer; the hello of the next one, with
#: the next broker if there is one, has two seconds. So the alarm comes within 15 s.
SILENT_AFTER_S = 12.0
#: It stands until an answer comes, and is told so often at most.
TOLD_EVERY_S = 3600.0


class Silence:
    """How long hellos have gone unanswered, and whether that has to be told."""

    def __init__(self) -> None:
        self.is_alarming = False
        self._before_s = 0.0
        self._since_s: float | None = None
        self._told_s: float | None = None

    def greeted(self, now_s: float) -> None:
        """Count from here: a hello goes out on a connection that stands."""
        self._since_s = now_s

    def answered(self) -> None:
        """Forget the silence: the platform has answered."""
        self._since_s, self._before_s = None, 0.0
        self.is_alarming = False

    def left(self, now_s: float) -> None:
        """Stop counting: the connection is over."""
        if self._since_s is not None:
            self._before_s += now_s - self._since_s
            self._since_s = None

    @property
    def deadline_s(self) -> float | None:
        """When the silence is an alarm, or is told again; None while nobody waits."""
        if self._since_s is None:
            return None
        due_s = self._since_s + max(0.0, SILENT_AFTER_S - self._before_s)
        if self.is_alarming and self._told_s is not None:
            return max(due_s, self._told_s + TOLD_EVERY_S)
        return due_s

    def tick(self, now_s: float) -> bool:
        """Return whether the alarm has to be told now."""
        deadline_s = self.deadline_s
        if deadline_s is None or now_s < deadline_s:
            return False
        self.is_alarming = True
        if self._told_s is not None and now_s - self._told_s < TOLD_EVERY_S:
            return False
        self._told_s = now_s
        return True
