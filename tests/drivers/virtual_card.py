# SPDX-License-Identifier: Apache-2.0
"""A card for vsmartcard's virtual reader: a thread behind a socket to vpcd.

Each message is two bytes of length, most significant first, and a body. Bodies of one
byte are the reader's: 00 power off, 01 power on, 02 reset, 04 "your ATR", of which
only the last is answered. All else is an APDU. Closing the socket takes the card away.

Source: vsmartcard 3.3, vpcd's protocol as its documentation describes it.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

_ATR = b"\x04"


class VirtualCard:
    """Lies on the reader until :meth:`remove`; ``answer`` is what it says to APDUs.

    ``delay_s`` makes it slow; ``vanishes`` takes it away at its first APDU.
    """

    def __init__(
        self,
        reader: socket.socket,
        *,
        atr: bytes,
        answer: bytes,
        delay_s: float = 0.0,
        vanishes: bool = False,
    ) -> None:
        self.heard: list[bytes] = []
        self._reader = reader
        self._reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._atr = atr
        self._answer = answer
        self._delay_s = delay_s
        self._vanishes = vanishes
        self._removed = threading.Event()
        self._thread = threading.Thread(target=self._lie_there)
        self._thread.start()

    def remove(self) -> None:
        """Take the card away; harmless to repeat."""
        self._removed.set()
        with suppress(OSError):
            self._reader.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _lie_there(self) -> None:
        with self._reader, suppress(OSError):
            while (message := self._receive()) is not None:
                if message == _ATR:
                    self._send(self._atr)
                elif len(message) > 1:
                    self.heard.append(message)
                    self._removed.wait(self._delay_s)
                    if self._vanishes:
                        return
                    self._send(self._answer)

    def _receive(self) -> bytes | None:
        length = self._receive_exactly(2)
        return length and self._receive_exactly(int.from_bytes(length))

    def _receive_exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            # Without it each message waits 40 ms for a delayed acknowledgement.
            self._reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            piece = self._reader.recv(count - len(data))
            if not piece:
                return None
            data += piece
        return data

    def _send(self, message: bytes) -> None:
        self._reader.sendall(len(message).to_bytes(2) + message)
