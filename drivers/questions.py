# SPDX-License-Identifier: Apache-2.0
"""The harmless questions of each driver: reads alone, understood without a driver.

The law of the module: no frame here writes, opens or switches, at its own device or at
any other of the house. One function a driver, named ``of_`` and the driver.

Source: the drivers' own wire modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.id_card import sam_wire as id_card_sam_wire
from drivers.locks import family_8a_wire as locker_8a_wire
from drivers.locks.family_8a_wire import QUERY, STATUS_BYTES
from drivers.locks.lock_wire import Levels
from drivers.modbus import rtu as modbus_rtu
from drivers.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.locks.lock_wire import LockWire
    from drivers.modbus.rtu import Request

#: The Waveshare boards have eight of each; smaller ones refuse, which is an answer.
CHANNELS = 8
#: A slow board and a USB adapter; beyond, nobody is there.
ANSWER_WITHIN_S = 0.3


def of_modbus_relay_board(address: int) -> tuple[Question, ...]:
    """Ask for the relays and for the inputs."""
    return (
        _bits("relays", "on", modbus_rtu.read_coils(address, 0, CHANNELS)),
        _bits("inputs", "closed", modbus_rtu.read_inputs(address, 0, CHANNELS)),
    )


def of_id_card_sam(_address: int) -> tuple[Question, ...]:
    """Ask for the reader's state."""
    command = id_card_sam_wire.Command.STATUS
    return (
        Question(
            what="state",
            frame=id_card_sam_wire.encode(command),
            within_s=0.4,
            understand=_sam_state,
        ),
    )


def of_locker_8a(address: int) -> tuple[Question, ...]:
    """Ask for lock 1: the one question whose answer can't be its echo."""
    frame = locker_8a_wire.query_one(address, 1, channels=1).frame
    return (
        Question(
            what="lock 1",
            frame=frame,
            within_s=ANSWER_WITHIN_S,
            understand=_lock_state(address),
        ),
    )


def of_locks(wire: LockWire) -> Callable[[int], tuple[Question, ...]]:
    """Ask a board of a family whose levels are never like their question."""

    def ask(address: int) -> tuple[Question, ...]:
        request = wire.query_all(address, channels=1)

        def understand(heard: bytes) -> str | None:
            for at in range(len(heard)):
                _, frame = wire.frame_at(heard[at:], request)
                if isinstance(frame, Levels) and wire.answers(frame, request):
                    return f"the board tells of {len(frame.bits)} locks"
            return None

        return (
            Question(
                what="locks",
                frame=request.frame,
                within_s=ANSWER_WITHIN_S,
                understand=understand,
            ),
        )

    return ask


def _bits(what: str, word: str, request: Request) -> Question:
    def understand(heard: bytes) -> str | None:
        found = modbus_rtu.find_reply(request, heard)
        match found:
            case None:
                return None
            case (_, modbus_rtu.Bits(values=values)):
                active = [str(n) for n, is_on in enumerate(values, 1) if is_on]
                return f"{what} {word}: {', '.join(active) or 'none'}"
            case _:
                return f"it has no {CHANNELS} {what}"

    return Question(
        what=what,
        frame=modbus_rtu.encode(request),
        within_s=ANSWER_WITHIN_S,
        understand=understand,
    )


def _sam_state(heard: bytes) -> str | None:
    at = heard.find(id_card_sam_wire.PREAMBLE)
    while at >= 0:
        size = 7 + int.from_bytes(heard[at + 5 : at + 7], "big")
        reply = id_card_sam_wire.decode(heard[at : at + size])
        if reply is not None:
            is_good = reply.status == id_card_sam_wire.Status.OK
            state = id_card_sam_wire.describe(reply.status)
            return "ready" if is_good else state
        at = heard.find(id_card_sam_wire.PREAMBLE, at + 1)
    return None


def _lock_state(address: int) -> Callable[[bytes], str | None]:
    head = bytes((QUERY, address, 1))

    def understand(heard: bytes) -> str | None:
        for at in range(len(heard) - STATUS_BYTES + 1):
            frame = heard[at : at + STATUS_BYTES]
            is_status = frame.startswith(head) and frame[3] in (0x00, 0x11)
            if is_status and locker_8a_wire.is_sealed(frame):
                return "the board tells of its lock 1"
        return None

    return understand
