# SPDX-License-Identifier: Apache-2.0
"""A scanner that types its codes as a keyboard."""

from __future__ import annotations

from drivers.links.link import LinkKind
from drivers.options import defaults
from drivers.scanners.key_wedge import KeyWedge, KeyWedgeOptions
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="key_wedge",
    build=alone(KeyWedgeOptions, KeyWedge),
    options=defaults(KeyWedgeOptions),
    roles=frozenset({"reader"}),
    link=LinkKind.EVDEV,
)
