# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards of KERONG's second generation."""

from __future__ import annotations

from drivers.locks.cu48 import CU48, Cu48Boards, Cu48Options
from drivers.options import defaults
from drivers.questions import of_locks
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="locker_cu48",
    build=by_address(Cu48Options, lambda boards: Cu48Boards(boards=boards)),
    options=defaults(Cu48Options),
    roles=frozenset({"lock_board"}),
    default_baud=19200,
    is_shared=True,
    pulse_on_board=True,
    questions=of_locks(CU48),
)
