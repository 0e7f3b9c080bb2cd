# SPDX-License-Identifier: Apache-2.0
"""The box's own pins, which nobody ends a pulse on if the gateway dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.gpio.lines import GpioLines
from drivers.gpio.options import GpioOptions
from drivers.links.link import LinkKind
from drivers.options import defaults, read_options
from drivers.spec import DriverSpec, alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.options import OptionValue


def _outputs(options: Mapping[str, OptionValue]) -> range:
    return range(1, len(read_options(GpioOptions, options).output_lines()) + 1)


def _inputs(options: Mapping[str, OptionValue]) -> range:
    return range(1, len(read_options(GpioOptions, options).input_lines()) + 1)


SPEC = DriverSpec(
    name="gpio_lines",
    build=alone(GpioOptions, GpioLines),
    options=defaults(GpioOptions),
    roles=frozenset({"board"}),
    link=LinkKind.GPIO,
    outputs_of=_outputs,
    inputs_of=_inputs,
)
