# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards of KERONG's first generation."""

from __future__ import annotations

from drivers.locks.kerong import KERONG, KerongBoards, KerongOptions
from drivers.options import defaults
from drivers.questions import of_locks
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="locker_kerong",
    build=by_address(KerongOptions, lambda boards: KerongBoards(boards=boards)),
    options=defaults(KerongOptions),
    roles=frozenset({"lock_board"}),
    default_baud=19200,
    is_shared=True,
    pulse_on_board=True,
    questions=of_locks(KERONG),
)
