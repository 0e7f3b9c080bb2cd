# SPDX-License-Identifier: Apache-2.0
"""What a site file says of one OSDP reader.

The law of the module: a reader without a key of its own is refused here, before a
byte is sent; no message repeats a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.errors import LocalError
from drivers.options import between
from drivers.osdp.secure_channel import KEY_BYTES, UID_BYTES, weakness


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdpReaderOptions:
    """``scbk``: the reader's own key, 32 hexadecimal digits, from pairing it.

    ``cuid``: the reader's number, 16 digits; without it the first that proves to hold
    the key is remembered until the process ends. ``check_parity``: refuse cards of 26
    and 34 bits whose parity is wrong, whatever the reader calls them; off for cards of
    that size without parity. The last two belong to the line: the largest of
    its readers counts. ``turnaround_ms`` is for readers that let go of the line late.
    """

    scbk: str = field(default="", repr=False)
    cuid: str = ""
    poll_ms: int = 50
    check_parity: bool = True
    reply_timeout_ms: int = 200
    turnaround_ms: int = 0

    def __post_init__(self) -> None:
        key = _digits("scbk", self.scbk, KEY_BYTES)
        if why := weakness(key):
            raise LocalError(f"scbk: {why}; pair the reader with a random key")
        if self.cuid:
            _digits("cuid", self.cuid, UID_BYTES)
        between("poll_ms", self.poll_ms, 20, 1000)
        between("turnaround_ms", self.turnaround_ms, 0, 50)
        between("reply_timeout_ms", self.reply_timeout_ms, 50, 1000)

    @property
    def key(self) -> bytes:
        """The key as bytes."""
        return bytes.fromhex(self.scbk)

    @property
    def uid(self) -> bytes:
        """The pinned number as bytes; empty if none is pinned."""
        return bytes.fromhex(self.cuid)


def _digits(name: str, text: str, size: int) -> bytes:
    wanted = f"{name} must be {2 * size} hexadecimal digits"
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise LocalError(wanted) from None
    if len(value) != size:
        raise LocalError(f"{wanted}, not {len(text)} characters")
    return value
