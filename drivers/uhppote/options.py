# SPDX-License-Identifier: Apache-2.0
"""What a site file may say of a UHPPOTE controller.

The law of the module: values alone, checked when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from drivers.errors import LocalError
from drivers.options import between
from drivers.uhppote.wire import MAX_DOORS


@dataclass(frozen=True, slots=True, kw_only=True)
class UhppoteOptions:
    """``serial`` is printed on the controller; 0: whichever answers at this address.

    ``listen_address``: our own IPv4 address, to which events are sent at
    ``listen_port``; empty: swipes are seen by the next poll, and count for 2 s.
    ``pc_control``: the house decides about cards that the controller knows, too.
    """

    serial: int = 0
    doors: int = 4
    listen_address: str = ""
    listen_port: int = 60_001
    pc_control: bool = True
    poll_s: float = 1.0
    reply_timeout_s: float = 0.5

    def __post_init__(self) -> None:
        between("serial", self.serial, 0, 0xFFFFFFFF)
        between("doors", self.doors, 1, MAX_DOORS)
        between("listen_port", self.listen_port, 1, 0xFFFF)
        # A third of what the controller waits before it decides by itself.
        between("poll_s", self.poll_s, 0.2, 10.0)
        between("reply_timeout_s", self.reply_timeout_s, 0.05, 2.0)
        if self.listen_address:
            self.listener()

    def listener(self) -> IPv4Address:
        """Return the address for events; LocalError if it is none."""
        try:
            return IPv4Address(self.listen_address)
        except AddressValueError:
            what = (
                f"listen_address must be like 192.168.1.10, not {self.listen_address!r}"
            )
            raise LocalError(what) from None
