# SPDX-License-Identifier: Apache-2.0
"""What a reader reports in its secure channel, as the house's words.

The law of the module: it is told nothing that was not proved to be the reader's own.
Inputs are told all at first and then by change; cards and numbers are told as they
come and never kept. A card that came late is none, nor is a number of which a part
may be missing.

Source: OSDP v2.2, replies LSTATR, ISTATR, OSTATR, RAW and KEYPAD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import Garbled, InputChanged, OutputChanged, PinEntered
from drivers.osdp.card import read_tag
from drivers.osdp.keypad import Keypad
from drivers.osdp.messages import (
    CardData,
    InputLevels,
    KeysPressed,
    LocalStatus,
    Malformed,
    Other,
    OutputLevels,
    Reply,
)
from drivers.osdp.tamper import Cause, Tamper
from drivers.secret import Secret

if TYPE_CHECKING:
    from drivers.waiting import WaitingSignals


class Reports:
    """One reader's levels and keypad; signals go to ``outbox``."""

    def __init__(
        self,
        *,
        unit: int,
        check_parity: bool,
        tamper: Tamper,
        outbox: WaitingSignals,
    ) -> None:
        self._unit = unit
        self._check_parity = check_parity
        self._tamper = tamper
        self._outbox = outbox
        self._keypad = Keypad()
        self._inputs: tuple[bool, ...] = ()
        self._outputs: tuple[bool, ...] = ()

    def forget(self) -> None:
        """Tell all inputs anew at the next occasion; drop a half-typed number."""
        self._inputs = ()
        self._keypad.spoil()

    def spoil_number(self) -> None:
        """Drop a half-typed number, and the rest that may yet come."""
        self._keypad.spoil()

    def expire(self, now: float) -> None:
        """Drop a half-typed number that nobody goes on with."""
        if not self._keypad.is_empty:
            self._keypad.expire(now)

    def take(self, reply: Reply, now: float, *, is_late: bool) -> Garbled | None:
        """Tell what a reply says; return it as Garbled if it means nothing.

        ``is_late``: what people did may be old.
        """
        match reply:
            case LocalStatus(is_tampered=is_tampered, has_power_fault=has_fault):
                self._tamper.hold(Cause.SWITCH, is_present=is_tampered)
                self._tamper.hold(Cause.POWER, is_present=has_fault)
            case InputLevels(levels=levels):
                self._tell_inputs(levels)
            case OutputLevels(levels=levels):
                self._tell_outputs(levels)
            case CardData() | KeysPressed() if is_late:
                return self._drop(reply, now)
            case CardData():
                return self._tell_card(reply)
            case KeysPressed(keys=keys):
                for digits in self._keypad.pressed(keys, now):
                    secret = Secret(digits)
                    self._outbox.add(PinEntered(unit=self._unit, secret=secret))
            case Malformed(why=why):
                return Garbled(unit=self._unit, raw=b"", why=why)
            case Other(code=code):
                return Garbled(unit=self._unit, raw=b"", why=f"reply {code:02X}")
            case _:
                return Garbled(unit=self._unit, raw=b"", why="not what was asked for")
        return None

    def _drop(self, reply: CardData | KeysPressed, now: float) -> Garbled:
        if isinstance(reply, KeysPressed):
            self._keypad.drop(reply.keys, now)
        return Garbled(unit=self._unit, raw=b"", why="shown while nobody asked")

    def _tell_card(self, card: CardData) -> Garbled | None:
        tag = read_tag(self._unit, card, check_parity=self._check_parity)
        if isinstance(tag, Garbled):
            return tag
        self._outbox.add(tag)
        return None

    def _tell_inputs(self, levels: tuple[bool, ...]) -> None:
        before: tuple[bool | None, ...] = self._inputs
        for channel, level in _changes(before, levels):
            self._outbox.add(
                InputChanged(unit=self._unit, channel=channel, is_active=level)
            )
        self._inputs = levels

    def _tell_outputs(self, levels: tuple[bool, ...]) -> None:
        before = self._outputs or (False,) * len(levels)
        for channel, level in _changes(before, levels):
            self._outbox.add(
                OutputChanged(unit=self._unit, channel=channel, is_on=level)
            )
        self._outputs = levels


def _changes(
    before: tuple[bool | None, ...], levels: tuple[bool, ...]
) -> list[tuple[int, bool]]:
    """Return channel and level of each that is news."""
    known = [*before, *[None] * len(levels)]
    return [
        (channel, level)
        for channel, level in enumerate(levels, start=1)
        if level is not known[channel - 1]
    ]
