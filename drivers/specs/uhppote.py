# SPDX-License-Identifier: Apache-2.0
"""UHPPOTE (Weigeng) controllers over UDP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.link import LinkKind
from drivers.options import defaults, read_options
from drivers.spec import DriverSpec, Unit
from drivers.uhppote.controller import READERS, UhppoteController
from drivers.uhppote.options import UhppoteOptions
from drivers.uhppote.unit import CONTROLLER
from drivers.uhppote.wire import MAX_DOORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.device import Device
    from drivers.options import OptionValue
    from drivers.spec import WallClock


def _build(units: Sequence[Unit], wall_clock: WallClock | None = None) -> Device:
    """Build a controller: unit 0 is itself, its readers are units 1 to 8.

    ``wall_clock`` is the roof's to give: without it the controller's clock is left
    alone, and its swipes are judged by that clock all the same.
    """
    addresses = [unit.address for unit in units]
    if len(set(addresses)) != len(addresses):
        raise LocalError(f"two devices have one address: {addresses}")
    given = [unit.options for unit in units if unit.options]
    if any(options != given[0] for options in given):
        raise LocalError("a controller has one set of options; write it at address 0")
    return UhppoteController(
        options=read_options(UhppoteOptions, given[0] if given else {}),
        readers=[address for address in addresses if address != CONTROLLER],
        wall_clock=wall_clock,
    )


def _outputs(options: Mapping[str, OptionValue]) -> range:
    return range(1, read_options(UhppoteOptions, options).doors + 1)


def _inputs(options: Mapping[str, OptionValue]) -> list[int]:
    """Return the doors' contacts, then their buttons."""
    doors = _outputs(options)
    return [*doors, *(MAX_DOORS + door for door in doors)]


SPEC = DriverSpec(
    name="uhppote",
    build=_build,
    build_with_clock=_build,
    options=defaults(UhppoteOptions),
    roles=frozenset({"board", "reader"}),
    is_shared=True,
    pulse_on_board=True,
    link=LinkKind.UDP,
    outputs_of=_outputs,
    inputs_of=_inputs,
    readers=READERS,
)
