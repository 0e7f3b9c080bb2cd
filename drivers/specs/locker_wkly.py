# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards that speak WKLY."""

from __future__ import annotations

from drivers.locks.wkly import WKLY, WklyBoards, WklyOptions
from drivers.options import defaults
from drivers.questions import of_locks
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="locker_wkly",
    build=by_address(WklyOptions, lambda boards: WklyBoards(boards=boards)),
    options=defaults(WklyOptions),
    roles=frozenset({"lock_board"}),
    default_baud=9600,
    is_shared=True,
    pulse_on_board=True,
    questions=of_locks(WKLY),
)
