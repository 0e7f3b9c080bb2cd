# SPDX-License-Identifier: Apache-2.0
"""Any scanner that sends a code and ends it."""

from __future__ import annotations

from drivers.options import defaults
from drivers.scanners.qr_line import LineScanner, QrLineOptions
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="qr_line",
    build=alone(QrLineOptions, LineScanner),
    options=defaults(QrLineOptions),
    roles=frozenset({"reader"}),
)
