# SPDX-License-Identifier: Apache-2.0
r"""How a scan module prints a payload: what stands around it, and its coding.

The law of the module: from a payload to the bytes of one line; no time, no memory.
Source: GM65 family (maker's notes, Tasmota xsns_107, specter-diy qr.py): payload and
tail, CR at the factory; ``03 LENH LENL payload`` with zone 0060 = 81; the AIM prefix
``]Q1``; endroid/qr-code #309 for scanners that print the ECI as ``\000026``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AIM_PREFIX = b"]Q1"
ECI_PREFIX = rb"\000026"


class Framing(StrEnum):
    """What stands around a payload."""

    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    TABULATOR = "tabulator"
    NONE = "none"
    LENGTH_PREFIXED = "length_prefixed"


class Coding(StrEnum):
    """How text leaves the module; the GM65's factory value is GBK."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    BIG5 = "big5"


_TAILS = {
    Framing.CR: b"\r",
    Framing.LF: b"\n",
    Framing.CRLF: b"\r\n",
    Framing.TABULATOR: b"\t",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QrStyle:
    """One way of printing."""

    framing: Framing = Framing.CR
    coding: Coding = Coding.UTF_8
    aim_prefix: bool = False
    eci_prefix: bool = False

    def encoded(self, text: str | bytes) -> bytes:
        """Return text in the module's coding, bytes as they are."""
        if isinstance(text, bytes):
            return text
        return text.encode(self.coding.value, errors="replace")

    def printed(self, payload: bytes) -> bytes:
        """Return the line that a payload becomes."""
        prefix = AIM_PREFIX if self.aim_prefix else b""
        prefix += ECI_PREFIX if self.eci_prefix else b""
        line = prefix + payload
        if self.framing is Framing.LENGTH_PREFIXED:
            return b"\x03" + len(line).to_bytes(2, "big") + line
        return line + _TAILS.get(self.framing, b"")
