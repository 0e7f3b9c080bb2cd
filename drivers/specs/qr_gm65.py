# SPDX-License-Identifier: Apache-2.0
"""Scan modules of the GM65 family, whose settings are watched over."""

from __future__ import annotations

from drivers.options import defaults
from drivers.scanners.qr_gm65 import Gm65Scanner
from drivers.scanners.qr_gm65_settings import Gm65Options
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="qr_gm65",
    build=alone(Gm65Options, Gm65Scanner),
    options=defaults(Gm65Options),
    roles=frozenset({"reader"}),
)
