# SPDX-License-Identifier: Apache-2.0
"""OSDP readers on an RS-485 line, in a secure channel and never without."""

from __future__ import annotations

import os

from drivers.options import defaults
from drivers.osdp.bus import OsdpReaders
from drivers.osdp.options import OsdpReaderOptions
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="osdp",
    build=by_address(
        OsdpReaderOptions,
        lambda readers: OsdpReaders(readers=readers, random_bytes=os.urandom),
    ),
    options=defaults(OsdpReaderOptions),
    roles=frozenset({"reader"}),
    is_shared=True,
    shows=True,
)
