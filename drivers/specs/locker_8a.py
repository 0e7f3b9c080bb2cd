# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards of the 8A family."""

from __future__ import annotations

from drivers.locks.family_8a import LockerBoards
from drivers.locks.family_8a_unit import LockerBoardOptions
from drivers.options import defaults
from drivers.questions import of_locker_8a
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="locker_8a",
    build=by_address(LockerBoardOptions, lambda boards: LockerBoards(boards=boards)),
    options=defaults(LockerBoardOptions),
    roles=frozenset({"lock_board"}),
    default_baud=9600,
    is_shared=True,
    pulse_on_board=True,
    questions=of_locker_8a,
)
