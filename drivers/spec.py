# SPDX-License-Identifier: Apache-2.0
"""What the house knows of a driver, so that it can wire it without knowing it.

The law of the module: a driver from outside is described by the same values as ours;
see docs/drivers.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.link import LinkKind
from drivers.options import Options, OptionValue, read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from drivers.device import Device
    from drivers.question import Question

    #: The site's local time; None while it is not known.
    WallClock = Callable[[], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One device on a port: its address (0 where it is alone) and its options."""

    address: int
    options: Mapping[str, OptionValue] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec:
    """What the house knows of a driver.

    ``options``: allowed names with their defaults, whose types are the options' types.
    ``roles``: ``reader``, ``board``, ``lock_board`` (opens compartments, serves no
    door). ``is_shared``: several units may share a port. ``pulse_on_board``: the
    device itself ends a pulse. ``shows``: it can tell the person something.
    ``default_baud`` counts for serial ports alone. ``questions``: what may be asked of
    a device at an address without moving anything; None where there is none.
    ``build_with_clock``: in place of ``build`` for a device that keeps a clock of its
    own, which the driver sets.
    ``outputs_of`` and ``inputs_of``: the channels that a device has by its options;
    None where the option ``channels`` counts both, or nobody knows. ``readers``: the
    addresses that are readers where others of the port are not; None where all units
    play all roles.
    """

    name: str
    build: Callable[[Sequence[Unit]], Device]
    options: Mapping[str, OptionValue]
    roles: frozenset[str]
    default_baud: int = 9600
    is_shared: bool = False
    pulse_on_board: bool = False
    shows: bool = False
    link: LinkKind = LinkKind.SERIAL
    questions: Callable[[int], Sequence[Question]] | None = None
    build_with_clock: Callable[[Sequence[Unit], WallClock], Device] | None = None
    outputs_of: Callable[[Mapping[str, OptionValue]], Collection[int]] | None = None
    inputs_of: Callable[[Mapping[str, OptionValue]], Collection[int]] | None = None
    readers: range | None = None


def alone(
    kind: type[Options], driver: Callable[..., Device]
) -> Callable[[Sequence[Unit]], Device]:
    """Return the builder of a device that has its port to itself."""

    def build(units: Sequence[Unit]) -> Device:
        if len(units) != 1 or units[0].address != 0:
            addresses = [unit.address for unit in units]
            raise LocalError(f"the port has one device, address 0, not {addresses}")
        return driver(unit=0, options=read_options(kind, units[0].options))

    return build


def by_address(
    kind: type[Options],
    driver: Callable[[Mapping[int, Options]], Device],
    addresses: range | None = None,
) -> Callable[[Sequence[Unit]], Device]:
    """Return the builder of a bus; without ``addresses`` the driver checks them."""

    def build(units: Sequence[Unit]) -> Device:
        found: dict[int, Options] = {}
        for unit in units:
            if addresses is not None and unit.address not in addresses:
                raise LocalError(
                    f"a device here has an address {addresses[0]} to {addresses[-1]}, "
                    f"not {unit.address}"
                )
            if unit.address in found:
                raise LocalError(f"two devices have the address {unit.address}")
            found[unit.address] = read_options(kind, unit.options)
        return driver(found)

    return build
