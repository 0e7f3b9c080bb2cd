# SPDX-License-Identifier: Apache-2.0
"""Asking the kernel for lines of a GPIO chip: the one place that knows libgpiod.

The law of the module: the package ``gpiod`` is optional and imported when lines are
asked for; nothing of it leaves this file but a request behind plain words. A chip is
found by its label, since numbers differ between kernels. Inputs report both edges with
the kernel's debounce; outputs are requested at rest, so that none moves by asking.

Source: libgpiod 2 (gpiod 2.5.0) Python bindings; linux/gpio.h.
"""

from __future__ import annotations

import errno
import importlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from drivers.gpio.options import MAX_LINES, Bias
from drivers.gpio.wire import edge
from drivers.links.link import PortError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from drivers.gpio.options import GpioLine

CONSUMER = "menshen"
#: Edges that the kernel keeps for us: 16 a line, which is a bounce and a half.
EDGES_KEPT = 16 * MAX_LINES
_BIASES = {
    Bias.PULL_UP: "PULL_UP",
    Bias.PULL_DOWN: "PULL_DOWN",
    Bias.NONE: "DISABLED",
}
_WORDS = {
    errno.EBUSY: "a line of it is used by another program; see gpioinfo",
    errno.EACCES: "no permission: add the user to the group gpio",
    errno.EPERM: "no permission: add the user to the group gpio",
    errno.EINVAL: "it has no such lines, or cannot pull or debounce them",
}


class Lines(Protocol):
    """Lines that are ours until they are released; OSError when the chip is gone."""

    @property
    def descriptor(self) -> int:
        """What the event loop watches."""

    def has_edges(self) -> bool:
        """Whether edges wait."""

    def take_edges(self) -> bytes:
        """Return waiting edges as records; blocks if there are none."""

    def is_active(self, offset: int) -> bool:
        """Return a level as it is now."""

    def set_active(self, offset: int, *, is_active: bool) -> None:
        """Set an output."""

    def release(self) -> None:
        """Give the lines back."""


class RequestLines(Protocol):
    """How lines are asked for."""

    def __call__(self, label: str, lines: Sequence[GpioLine]) -> Lines:
        """Request lines of the chip with that label; OSError says why not."""


class GpiodChips:
    """The chips of this box, by libgpiod."""

    def __init__(
        self,
        *,
        load: Callable[[], Any] = lambda: importlib.import_module("gpiod"),
        device_files: Callable[[], Iterable[Path]] = lambda: Path("/dev").glob(
            "gpiochip*"
        ),
    ) -> None:
        self._load = load
        self._device_files = device_files

    def __call__(self, label: str, lines: Sequence[GpioLine]) -> Lines:
        """Request lines of the chip with that label; OSError says why not."""
        try:
            gpiod = self._load()
        except ImportError:
            raise PortError(
                "the package gpiod is missing; install menshen with the extra gpio"
            ) from None
        path = self._find(gpiod, label)
        config = {line.offset: _settings(gpiod.line, gpiod, line) for line in lines}
        try:
            request = gpiod.request_lines(
                path, config=config, consumer=CONSUMER, event_buffer_size=EDGES_KEPT
            )
        except OSError as fault:
            raise _in_words(label, fault) from None
        return _GpiodLines(gpiod, request)

    def _find(self, gpiod: Any, label: str) -> str:
        labels = {}
        for path in sorted(map(str, self._device_files())):
            if gpiod.is_gpiochip_device(path):
                labels[self._label(gpiod, path)] = path
        if label not in labels:
            known = ", ".join(sorted(labels)) or "none"
            raise PortError(f"no chip is labelled {label}; this box has: {known}")
        return labels[label]

    def _label(self, gpiod: Any, path: str) -> str:
        try:
            with gpiod.Chip(path) as chip:
                return str(chip.get_info().label)
        except OSError as fault:
            raise _in_words(path, fault) from None


class _GpiodLines:
    """A request of libgpiod's behind plain words."""

    def __init__(self, gpiod: Any, request: Any) -> None:
        self._value = gpiod.line.Value
        self._rising = gpiod.EdgeEvent.Type.RISING_EDGE
        self._request = request

    @property
    def descriptor(self) -> int:
        return int(self._request.fd)

    def has_edges(self) -> bool:
        return bool(self._request.wait_edge_events(0))

    def take_edges(self) -> bytes:
        return b"".join(
            edge(
                event.line_offset,
                event.line_seqno,
                is_active=event.event_type == self._rising,
            )
            for event in self._request.read_edge_events()
        )

    def is_active(self, offset: int) -> bool:
        return bool(self._request.get_value(offset) == self._value.ACTIVE)

    def set_active(self, offset: int, *, is_active: bool) -> None:
        value = self._value.ACTIVE if is_active else self._value.INACTIVE
        self._request.set_value(offset, value)

    def release(self) -> None:
        self._request.release()


def _settings(words: Any, gpiod: Any, line: GpioLine) -> Any:
    """Return one line as libgpiod wants it."""
    if line.is_output:
        return gpiod.LineSettings(
            direction=words.Direction.OUTPUT,
            active_low=line.is_active_low,
            output_value=words.Value.INACTIVE,
        )
    return gpiod.LineSettings(
        direction=words.Direction.INPUT,
        edge_detection=words.Edge.BOTH,
        bias=getattr(words.Bias, _BIASES[line.bias]),
        active_low=line.is_active_low,
        debounce_period=timedelta(seconds=line.debounce_s),
        event_clock=words.Clock.MONOTONIC,
    )


def _in_words(chip: str, fault: OSError) -> PortError:
    why = _WORDS.get(fault.errno or 0, fault.strerror or str(fault))
    return PortError(f"{chip}: {why}")
