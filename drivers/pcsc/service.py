# SPDX-License-Identifier: Apache-2.0
"""The edge to the PC/SC service of the machine (pcscd), as narrow as we need it.

The law of the module: every call may block, so it belongs to the thread of
``drivers.pcsc.watch`` alone; a code that is not success is a :class:`PcscError`, which
is to this service what OSError is to a serial port. A card is connected for one APDU
and left as it lies, so that no other program waits for us. ``smartcard`` is imported
when a reader is wanted, since a site without one does not install it.

Source: pcsc-lite 1.9 API (winscard.h, pcsclite.h); pyscard 2.3 ``smartcard.scard``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from drivers.errors import DriverError, LocalError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Wakes a wait when readers come or go.
PLUGGED = r"\\?PnP?\Notification"
_CHANGED = 0x0002
_PRESENT = 0x0020
_EXCLUSIVE = 0x0080
_UNSIGNED = 0xFFFFFFFF
#: Of the ACS driver, and of the free CCID driver: commands to the reader itself.
_ESCAPES = (3500, 1)


class Code(IntEnum):
    """The codes of PC/SC that mean something of their own to us."""

    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_CARD = 0x8010000C
    COMMUNICATION = 0x80100013
    READER_UNAVAILABLE = 0x80100017
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    NO_READERS = 0x8010002E
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069
    DENIED = 0x8010006A


_SAID = {
    Code.SHARING_VIOLATION: "another program uses the reader (sharing violation)",
    Code.COMMUNICATION: "pcscd was restarted",
    Code.NO_SERVICE: "pcscd does not run",
    Code.SERVICE_STOPPED: "pcscd was stopped",
    Code.DENIED: "pcscd denies access (see its polkit rules)",
}


class PcscError(DriverError):
    """A call to the service that did not succeed; ``code`` is its result, unsigned."""

    def __init__(self, code: int) -> None:
        self.code = code & _UNSIGNED
        named = {known.value: text for known, text in _SAID.items()}
        super().__init__(named.get(self.code, f"PC/SC error {self.code:08X}"))

    @property
    def means_no_reader(self) -> bool:
        """Whether the reader was unplugged."""
        return self.code in (Code.UNKNOWN_READER, Code.READER_UNAVAILABLE)

    @property
    def means_no_service(self) -> bool:
        """Whether nothing works until the service is asked anew."""
        lost = (Code.COMMUNICATION, Code.NO_SERVICE, Code.SERVICE_STOPPED)
        return self.code in lost

    @property
    def means_no_card(self) -> bool:
        """Whether the card is gone."""
        return self.code in (Code.NO_CARD, Code.REMOVED_CARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderState:
    """A reader as the service sees it; ``flags`` are to be given back to it."""

    flags: int
    atr: bytes

    @property
    def is_card_present(self) -> bool:
        """Whether a card lies in the field."""
        return bool(self.flags & _PRESENT)

    @property
    def is_held(self) -> bool:
        """Whether another program has the reader for itself alone."""
        return bool(self.flags & _EXCLUSIVE)

    @property
    def events(self) -> int:
        """How many cards came and went, modulo 65536."""
        return self.flags >> 16


class PcscService(Protocol):
    """What the watch asks of the machine; each verb raises PcscError."""

    def open(self) -> None:
        """Get in touch with the service."""

    def close(self) -> None:
        """Let go of it; harmless to repeat, raises nothing."""

    def readers(self) -> list[str]:
        """Return the names of the readers that are plugged in."""

    def wait(self, reader: str, flags: int, timeout_ms: int) -> ReaderState | None:
        """Wait until something differs from ``flags``, or the time is over.

        ``reader`` may be empty: then only a plug is waited for, and None comes back.
        """

    def transmit(self, reader: str, apdu: bytes) -> bytes:
        """Send an APDU through the card; return data and status."""

    def escape(self, reader: str, apdu: bytes) -> bytes:
        """Send an APDU to the reader itself, without a card."""


class _Scard(Protocol):
    """The part of ``smartcard.scard`` that we call; results come first."""

    SCARD_SCOPE_USER: int
    SCARD_SHARE_SHARED: int
    SCARD_SHARE_DIRECT: int
    SCARD_PROTOCOL_T0: int
    SCARD_PROTOCOL_T1: int
    SCARD_LEAVE_CARD: int

    def SCARD_CTL_CODE(self, code: int, /) -> int: ...  # noqa: N802
    def SCardEstablishContext(self, scope: int, /) -> tuple[int, int]: ...  # noqa: N802
    def SCardReleaseContext(self, context: int, /) -> int: ...  # noqa: N802
    def SCardListReaders(  # noqa: N802
        self, context: int, groups: list[str], /
    ) -> tuple[int, list[str]]: ...
    def SCardGetStatusChange(  # noqa: N802
        self, context: int, timeout_ms: int, states: list[tuple[str, int]], /
    ) -> tuple[int, list[tuple[str, int, list[int]]]]: ...
    def SCardConnect(  # noqa: N802
        self, context: int, reader: str, share: int, protocols: int, /
    ) -> tuple[int, int, int]: ...
    def SCardTransmit(  # noqa: N802
        self, card: int, protocol: int, apdu: list[int], /
    ) -> tuple[int, Sequence[int]]: ...
    def SCardControl(  # noqa: N802
        self, card: int, code: int, data: list[int], /
    ) -> tuple[int, Sequence[int]]: ...
    def SCardDisconnect(self, card: int, disposition: int, /) -> int: ...  # noqa: N802


def system_service() -> PcscService:
    """Return this machine's service; LocalError if pyscard is not installed."""
    try:
        scard = import_module("smartcard.scard")
    except ImportError as fault:
        raise LocalError(
            "a PC/SC reader needs pyscard: install swig, gcc, libpcsclite-dev and "
            f"python3-dev, then menshen with its extra 'pcsc' ({fault})"
        ) from None
    return SystemService(cast("_Scard", scard))


class SystemService:
    """The service through pyscard; see :class:`PcscService` for the verbs."""

    def __init__(self, scard: _Scard) -> None:
        self._scard = scard
        self._context: int | None = None

    def open(self) -> None:
        """Establish a context of our own."""
        scard = self._scard
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _check(code)
        self._context = context

    def close(self) -> None:
        """Release the context."""
        context, self._context = self._context, None
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def readers(self) -> list[str]:
        """List the readers."""
        code, names = self._scard.SCardListReaders(self._live(), [])
        if code & _UNSIGNED == Code.NO_READERS:
            return []
        _check(code)
        return list(names)

    def wait(self, reader: str, flags: int, timeout_ms: int) -> ReaderState | None:
        """Wait; the state that comes after the time is as good as any."""
        states = [(reader, flags)] if reader else []
        states.append((PLUGGED, 0))
        code, found = self._scard.SCardGetStatusChange(self._live(), timeout_ms, states)
        if code & _UNSIGNED != Code.TIMEOUT:
            _check(code)
        if not reader:
            return None
        _, event, atr = found[0]
        return ReaderState(flags=event & ~_CHANGED, atr=bytes(atr))

    def transmit(self, reader: str, apdu: bytes) -> bytes:
        """Connect, say one thing, and leave the card as it lies."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, card, protocol = scard.SCardConnect(
            self._live(), reader, scard.SCARD_SHARE_SHARED, protocols
        )
        _check(code)
        try:
            code, answer = scard.SCardTransmit(card, protocol, list(apdu))
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        _check(code)
        return bytes(answer)

    def escape(self, reader: str, apdu: bytes) -> bytes:
        """Say one thing to the reader, in the way that its driver allows."""
        scard = self._scard
        code, card, _ = scard.SCardConnect(
            self._live(), reader, scard.SCARD_SHARE_DIRECT, 0
        )
        _check(code)
        try:
            for number in _ESCAPES:
                escape = scard.SCARD_CTL_CODE(number)
                code, answer = scard.SCardControl(card, escape, list(apdu))
                with suppress(PcscError):
                    _check(code)
                    return bytes(answer)
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        raise PcscError(code)

    def _live(self) -> int:
        if self._context is None:
            raise PcscError(Code.NO_SERVICE)
        return self._context


def _check(code: int) -> None:
    if code != 0:
        raise PcscError(code)
