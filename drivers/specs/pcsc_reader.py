# SPDX-License-Identifier: Apache-2.0
"""Contactless readers behind PC/SC."""

from __future__ import annotations

from drivers.links.link import LinkKind
from drivers.options import defaults
from drivers.pcsc.reader import PcscOptions, PcscReader
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="pcsc_reader",
    build=alone(PcscOptions, PcscReader),
    options=defaults(PcscOptions),
    roles=frozenset({"reader"}),
    shows=True,
    link=LinkKind.PCSC,
)
