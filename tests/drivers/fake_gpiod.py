# SPDX-License-Identifier: Apache-2.0
"""libgpiod's Python package as our edge uses it, played over a pipe.

Recorded from gpiod 2.5.0 (signatures, enumerations, what raises): this kernel has no
chip to ask. What was requested and set is kept for the test to look at.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from datetime import timedelta


class Value(Enum):
    INACTIVE = 0
    ACTIVE = 1


class Type(Enum):
    RISING_EDGE = 1
    FALLING_EDGE = 2


Direction = Enum("Direction", "AS_IS INPUT OUTPUT")
Edge = Enum("Edge", "NONE RISING FALLING BOTH")
Bias = Enum("Bias", "AS_IS UNKNOWN DISABLED PULL_UP PULL_DOWN")
Drive = Enum("Drive", "PUSH_PULL OPEN_DRAIN OPEN_SOURCE")
Clock = Enum("Clock", "MONOTONIC REALTIME")


@dataclass(frozen=True, kw_only=True)
class LineSettings:
    direction: Direction = Direction.AS_IS
    edge_detection: Edge = Edge.NONE
    bias: Bias = Bias.AS_IS
    drive: Drive = Drive.PUSH_PULL
    active_low: bool = False
    debounce_period: timedelta | None = None
    event_clock: Clock = Clock.MONOTONIC
    output_value: Value = Value.INACTIVE


@dataclass(frozen=True, kw_only=True)
class Event:
    line_offset: int
    event_type: Type
    line_seqno: int


class FakeRequest:
    """Lines that were requested; ``levels`` are the world's."""

    def __init__(self, levels: dict[int, Value]) -> None:
        self.levels = levels
        self.set: list[tuple[int, Value]] = []
        self.is_released = False
        self.is_gone = False
        self._events: list[Event] = []
        self._seqnos: dict[int, int] = {}
        self.fd, self._far = os.pipe()
        os.set_blocking(self.fd, False)

    def move(self, offset: int, *, is_active: bool, is_lost: bool = False) -> None:
        """Let a line move; a lost edge moves it without an event."""
        self.levels[offset] = Value(int(is_active))
        self._seqnos[offset] = self._seqnos.get(offset, 0) + 1
        if is_lost:
            return
        kind = Type.RISING_EDGE if is_active else Type.FALLING_EDGE
        seqno = self._seqnos[offset]
        self._events.append(
            Event(line_offset=offset, event_type=kind, line_seqno=seqno)
        )
        os.write(self._far, b"!")

    def pull_out(self) -> None:
        """Let the chip vanish, as a USB one does."""
        self.is_gone = True
        os.write(self._far, b"!")

    def wait_edge_events(self, timeout: float | None = None) -> bool:
        assert timeout == 0
        return bool(self._events) or self.is_gone  # an error is worth a read, too

    def read_edge_events(self, max_events: int | None = None) -> list[Event]:
        self._check()
        assert self._events, "the real one holds the whole loop until an edge comes"
        os.read(self.fd, 4096)
        events, self._events = self._events, []
        return events

    def get_value(self, line: int) -> Value:
        self._check()
        return self.levels.get(line, Value.INACTIVE)

    def set_value(self, line: int, value: Value) -> None:
        self._check()
        self.levels[line] = value
        self.set.append((line, value))

    def release(self) -> None:
        assert not self.is_released
        self.is_released = True
        os.close(self.fd)
        os.close(self._far)

    def _check(self) -> None:
        if self.is_gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class FakeChip:
    def __init__(self, label: str) -> None:
        self._label = label

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def get_info(self) -> SimpleNamespace:
        return SimpleNamespace(label=self._label)


class FakeGpiod:
    """The module: chips by their paths, and the requests made so far."""

    LineSettings = LineSettings
    EdgeEvent = SimpleNamespace(Type=Type)
    line = SimpleNamespace(
        Value=Value,
        Direction=Direction,
        Edge=Edge,
        Bias=Bias,
        Drive=Drive,
        Clock=Clock,
    )

    def __init__(self, chips: dict[str, str]) -> None:
        self.chips = chips
        self.levels: dict[int, Value] = {}
        self.requests: list[FakeRequest] = []
        self.asked: list[dict[str, Any]] = []
        self.refusal: OSError | None = None

    def is_gpiochip_device(self, path: str) -> bool:
        return path in self.chips

    def Chip(self, path: str) -> FakeChip:  # noqa: N802
        return FakeChip(self.chips[path])

    def request_lines(self, path: str, **asked: Any) -> FakeRequest:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append({"path": path, **asked})
        self.requests.append(FakeRequest(self.levels))
        return self.requests[-1]
