# SPDX-License-Identifier: Apache-2.0
"""Which lines of a chip are inputs and outputs, as a site file writes them.

The law of the module: from text to checked lines, whose places are their channels.
A contact of a door is debounced for 30 ms, a button for 50 ms.

Source: linux/gpio.h (64 lines a request at most).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from drivers.errors import LocalError
from drivers.options import between, one_of

#: GPIO_V2_LINES_MAX of the kernel.
MAX_LINES = 64
#: The offset of the last line that any chip may have here; a Pi's header has 28.
MAX_OFFSET = 0xFFFF
_INPUT = re.compile(r"(\d{1,5}) (contact|button)")
_OUTPUT = re.compile(r"(\d{1,5})")


class Bias(StrEnum):
    """What pulls an open line."""

    PULL_UP = "pull_up"
    PULL_DOWN = "pull_down"
    NONE = "none"


_BIASES = {bias.value: bias for bias in Bias}


@dataclass(frozen=True, slots=True, kw_only=True)
class GpioLine:
    """One line as it is requested; an output begins at rest."""

    offset: int
    is_output: bool
    is_active_low: bool
    bias: Bias = Bias.NONE
    debounce_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GpioOptions:
    """``inputs``: ``17 contact, 27 button``; ``outputs``: ``22, 23``.

    Offsets are those of the chip; the first of each list is channel 1. An input wired
    to ground by its contact is active low with a pull-up, which is the default.
    """

    inputs: str = ""
    outputs: str = ""
    bias: str = Bias.PULL_UP.value
    inputs_active_low: bool = True
    outputs_active_low: bool = False
    contact_debounce_s: float = 0.03
    button_debounce_s: float = 0.05

    def __post_init__(self) -> None:
        one_of("bias", self.bias, _BIASES)
        between("contact_debounce_s", self.contact_debounce_s, 0.0, 0.5)
        between("button_debounce_s", self.button_debounce_s, 0.0, 0.5)
        offsets = [line.offset for line in (*self.input_lines(), *self.output_lines())]
        if len(offsets) > MAX_LINES:
            raise LocalError(f"a chip serves {MAX_LINES} lines, not {len(offsets)}")
        if len(set(offsets)) < len(offsets):
            raise LocalError("a line stands twice in inputs and outputs")

    def input_lines(self) -> tuple[GpioLine, ...]:
        """Return the inputs, channel 1 first."""
        waits_s = {
            "contact": self.contact_debounce_s,
            "button": self.button_debounce_s,
        }
        return tuple(
            GpioLine(
                offset=_offset(word[1]),
                is_output=False,
                is_active_low=self.inputs_active_low,
                bias=_BIASES[self.bias],
                debounce_s=waits_s[word[2]],
            )
            for word in _words("inputs", self.inputs, _INPUT, "17 contact, 27 button")
        )

    def output_lines(self) -> tuple[GpioLine, ...]:
        """Return the outputs, channel 1 first."""
        return tuple(
            GpioLine(
                offset=_offset(word[1]),
                is_output=True,
                is_active_low=self.outputs_active_low,
            )
            for word in _words("outputs", self.outputs, _OUTPUT, "22, 23")
        )


def _words(
    name: str, text: str, pattern: re.Pattern[str], example: str
) -> list[re.Match[str]]:
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        word = pattern.fullmatch(part)
        if word is None:
            raise LocalError(f"{name}: {part!r} is no line; write {example}")
        found.append(word)
    return found


def _offset(digits: str) -> int:
    offset = int(digits)
    between("a line's offset", offset, 0, MAX_OFFSET)
    return offset
