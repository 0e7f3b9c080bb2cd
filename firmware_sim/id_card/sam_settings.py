# SPDX-License-Identifier: Apache-2.0
"""The knobs of a simulated identity-card reader, and the faults it can be given.

The law of the module: knobs describe a kind of reader and stay; a fault spoils a
counted number of replies and is gone.
Source: latencies as waited for in YinanSoft SerialReader; quirks of public drivers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from firmware_sim.errors import SimulationError
from firmware_sim.wire import check_baud

MODULE_NUMBER_BYTES = 16
#: Prints as 05.01-20200101-0001234567-0007654321; made up.
MODULE_NUMBER: Final = bytes.fromhex("05000100A53A340187D61200B1CB7400")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamLatencies:
    """Time from the last byte of a command to the first byte of its reply.

    The defaults are made for tests.
    """

    status_s: float = 0.001
    find_s: float = 0.002
    select_s: float = 0.002
    module_number_s: float = 0.002
    read_s: float = 0.005
    read_with_fingerprint_s: float = 0.005
    newest_address_s: float = 0.003

    @classmethod
    def realistic(cls) -> SamLatencies:
        """Return the times that field code allows a reader (YinanSoft).

        The card's own work is shorter (0.5 to 1.2 s for a read: recollection).
        """
        return cls(
            status_s=0.1,
            find_s=0.1,
            select_s=0.1,
            module_number_s=0.3,
            read_s=2.0,
            read_with_fingerprint_s=3.0,
            newest_address_s=1.5,
        )

    @classmethod
    def immediate(cls) -> SamLatencies:
        """Return no time at all: the reply leaves as the command is read."""
        return cls(
            status_s=0,
            find_s=0,
            select_s=0,
            module_number_s=0,
            read_s=0,
            read_with_fingerprint_s=0,
            newest_address_s=0,
        )


#: The presets by the name that site files may use.
LATENCIES: Final = {
    "fast": SamLatencies(),
    "realistic": SamLatencies.realistic(),
    "immediate": SamLatencies.immediate(),
}
FAST: Final = LATENCIES["fast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamReaderSettings:
    """A kind of reader.

    ``repeat_find``: finds a card that was read already, again and again.
    ``old_sam``: a module of before 2017 that answers 40 to the layouts J, I and Y.
    ``answers_bad_checksum``: 10 to a broken frame; without it, silence.
    ``first_module_number_is_garbage``: after power-up the first 12 FF lies.
    ``address_has_length``: 30 03 with a two-byte length first (unverified form).
    ``power_up_s``: deaf for so long after its power came.
    """

    latencies: SamLatencies = FAST
    repeat_find: bool = False
    old_sam: bool = False
    answers_bad_checksum: bool = True
    first_module_number_is_garbage: bool = False
    address_has_length: bool = False
    module_number: bytes = MODULE_NUMBER
    power_up_s: float = 1.5
    baud: int = 115_200
    noise_seed: int = 1

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if len(self.module_number) != MODULE_NUMBER_BYTES:
            raise SimulationError(f"a module number has {MODULE_NUMBER_BYTES} bytes")


class SamFault(StrEnum):
    """What can be wrong with one reply."""

    WRONG_CHECKSUM = "wrong_checksum"
    CUT_FRAME = "cut_frame"
    NOISE = "noise"
    DROPPED = "dropped"
    #: AA AA AA 96 69 00 05 05 05 05: what one Android module sends on its own time-out.
    TIMEOUT_FRAME = "timeout_frame"
    ANSWER_10 = "answer_10"
    ANSWER_21 = "answer_21"
    ANSWER_66 = "answer_66"
