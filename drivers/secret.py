# SPDX-License-Identifier: Apache-2.0
"""An identity number on its way to the one function that may see it.

The law of the module: the bytes can be taken once, are never printed, never copied
by ``copy`` or ``pickle``, and are zeroed when nobody takes them. Python may keep
copies that nobody can reach (the read buffer of the kernel call); ours are wiped.
"""

from __future__ import annotations

from typing import NoReturn

from drivers.errors import LocalError


def wipe(buffer: bytearray) -> None:
    """Overwrite ``buffer`` with zeros where it lies; its length stays."""
    buffer[:] = bytes(len(buffer))


class Secret:
    """A bytearray that is handed out once; ``repr`` and ``str`` are ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: bytearray) -> None:
        self._value: bytearray | None = value

    def take(self) -> bytearray:
        """Hand the bytes over; the taker wipes them. LocalError the second time."""
        if self._value is None:
            raise LocalError("this secret was taken or wiped already")
        value, self._value = self._value, None
        return value

    def wipe(self) -> None:
        """Zero the bytes, if nobody took them; harmless to repeat."""
        if self._value is not None:
            wipe(self._value)
            self._value = None

    def __del__(self) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise LocalError("a secret is neither copied nor pickled")
