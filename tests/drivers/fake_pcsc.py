# SPDX-License-Identifier: Apache-2.0
"""A PC/SC service in memory: readers, cards, other programs, and its own death."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from drivers.pcsc.service import Code, PcscError, ReaderState

_EMPTY, _PRESENT, _EXCLUSIVE = 0x10, 0x20, 0x80


@dataclass(slots=True, kw_only=True)
class FakeReader:
    """A reader and the card on it; None is an empty field."""

    atr: bytes | None = None
    events: int = 0
    is_held: bool = False

    def flags(self) -> int:
        held = _EXCLUSIVE if self.is_held else 0
        return self.events << 16 | held | (_EMPTY if self.atr is None else _PRESENT)


class FakeService:
    """The service, and the hands in the world; thread-safe."""

    def __init__(self) -> None:
        self.plugged: dict[str, FakeReader] = {}
        self.answers: dict[bytes, bytes | int] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.is_running = True
        self.opens = 0
        self.fault: Exception | None = None
        #: Cleared, every call hangs.
        self.answering = threading.Event()
        self.answering.set()
        #: Cleared, an APDU hangs on its way back.
        self.transmitting = threading.Event()
        self.transmitting.set()
        self._contexts = 0
        self._changed = threading.Condition()

    # The hands.

    def plug(self, name: str) -> None:
        with self._changed:
            self.plugged[name] = FakeReader()
            self._changed.notify_all()

    def unplug(self, name: str) -> None:
        with self._changed:
            del self.plugged[name]
            self._changed.notify_all()

    def lay(self, name: str, atr: bytes) -> None:
        with self._changed:
            self.plugged[name].atr = atr
            self.plugged[name].events += 1
            self._changed.notify_all()

    def take(self, name: str) -> None:
        with self._changed:
            self.plugged[name].atr = None
            self.plugged[name].events += 1
            self._changed.notify_all()

    def flash(self, name: str, atr: bytes | None) -> None:
        """Let a card come and go (or go and come) faster than anybody looks."""
        with self._changed:
            self.plugged[name].atr = atr
            self.plugged[name].events += 2
            self._changed.notify_all()

    def hold(self, name: str, *, is_held: bool) -> None:
        """Let another program take the reader for itself, or give it back."""
        with self._changed:
            self.plugged[name].is_held = is_held
            self._changed.notify_all()

    def run_daemon(self, *, is_running: bool) -> None:
        with self._changed:
            self.is_running = is_running
            self._contexts = 0
            self._changed.notify_all()

    # The service.

    def open(self) -> None:
        self.answering.wait()
        if not self.is_running:
            raise PcscError(Code.NO_SERVICE)
        self.opens += 1
        self._contexts = 1

    def close(self) -> None:
        self._contexts = 0

    def readers(self) -> list[str]:
        self._check()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return list(self.plugged)

    def wait(self, reader: str, flags: int, timeout_ms: int) -> ReaderState | None:
        before = list(self.plugged)
        with self._changed:
            self._changed.wait_for(
                lambda: self._differs(reader, flags, before), timeout_ms / 1000
            )
        self._check()
        if not reader:
            return None
        if reader not in self.plugged:
            raise PcscError(Code.UNKNOWN_READER)
        found = self.plugged[reader]
        return ReaderState(flags=found.flags(), atr=found.atr or b"")

    def transmit(self, reader: str, apdu: bytes) -> bytes:
        self._check()
        self.sent.append(("card", apdu))
        if self.plugged[reader].atr is None:
            raise PcscError(Code.NO_CARD)
        return self._answer(apdu)

    def escape(self, reader: str, apdu: bytes) -> bytes:
        self._check()
        assert reader in self.plugged
        self.sent.append(("reader", apdu))
        return self._answer(apdu)

    def _answer(self, apdu: bytes) -> bytes:
        answer = self.answers.get(apdu, b"\x90\x00")
        self.transmitting.wait()
        if isinstance(answer, int):
            raise PcscError(answer)
        return answer

    def _differs(self, reader: str, flags: int, before: list[str]) -> bool:
        if not self._contexts or list(self.plugged) != before:
            return True
        return bool(reader) and self.plugged[reader].flags() != flags

    def _check(self) -> None:
        self.answering.wait()
        if not self._contexts:
            raise PcscError(Code.COMMUNICATION)
