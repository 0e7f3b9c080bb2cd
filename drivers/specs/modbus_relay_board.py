# SPDX-License-Identifier: Apache-2.0
"""Modbus RTU relay and input boards that time a pulse themselves."""

from __future__ import annotations

from drivers.modbus.relay_board import RelayBoards
from drivers.modbus.relay_unit import RelayBoardOptions
from drivers.options import defaults
from drivers.questions import of_modbus_relay_board
from drivers.spec import DriverSpec, by_address

SPEC = DriverSpec(
    name="modbus_relay_board",
    build=by_address(
        RelayBoardOptions, lambda boards: RelayBoards(boards=boards), range(1, 248)
    ),
    options=defaults(RelayBoardOptions),
    roles=frozenset({"board"}),
    is_shared=True,
    pulse_on_board=True,
    questions=of_modbus_relay_board,
)
