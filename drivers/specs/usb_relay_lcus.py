# SPDX-License-Identifier: Apache-2.0
"""USB relays of the LCUS kind, which cannot end a pulse themselves."""

from __future__ import annotations

from drivers.options import defaults
from drivers.spec import DriverSpec, alone
from drivers.usb_relay import UsbRelay, UsbRelayOptions

SPEC = DriverSpec(
    name="usb_relay_lcus",
    build=alone(UsbRelayOptions, UsbRelay),
    options=defaults(UsbRelayOptions),
    roles=frozenset({"board"}),
    inputs_of=lambda _options: (),
)
