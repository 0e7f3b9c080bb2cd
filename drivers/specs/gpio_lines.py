# SPDX-License-Identifier: Apache-2.0
"""The box's own pins, which nobody ends a pulse on if the gateway dies."""

from __future__ import annotations

from drivers.gpio_lines import GpioLines
from drivers.gpio_options import GpioOptions
from drivers.link import LinkKind
from drivers.options import defaults
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="gpio_lines",
    build=alone(GpioOptions, GpioLines),
    options=defaults(GpioOptions),
    roles=frozenset({"board"}),
    link=LinkKind.GPIO,
)
