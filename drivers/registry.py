# SPDX-License-Identifier: Apache-2.0
"""The drivers by name, as a site file names them.

The law of the module: a driver is loaded when a site asks for it, so that a gateway
carries what hangs on it and nothing else. Adding a device is a driver, its vectors and
one file in :mod:`drivers.specs`, or a package of somebody else's with an entry point.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from drivers import specs
from drivers.errors import LocalError
from drivers.spec import DriverSpec, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.device import Device
    from drivers.spec import WallClock

__all__ = ["DRIVERS", "DriverSpec", "Unit", "build"]

#: Where packages of others name their drivers: ``name = "package.module:SPEC"``.
ENTRY_POINTS = "menshen.drivers"


class _Registry(Mapping[str, DriverSpec]):
    """Ours by their file, others' by their entry point; ours cannot be replaced."""

    def __init__(self) -> None:
        self._ours = tuple(entry.name for entry in pkgutil.iter_modules(specs.__path__))

    def __getitem__(self, name: str) -> DriverSpec:
        if name in self._ours:
            spec: DriverSpec = import_module(f"{specs.__name__}.{name}").SPEC
            return spec
        return _loaded(self._others()[name])

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a driver, without loading it."""
        return name in self._ours or name in self._others()

    def __iter__(self) -> Iterator[str]:
        yield from self._ours
        yield from self._others()

    def __len__(self) -> int:
        return len(self._ours) + len(self._others())

    def _others(self) -> dict[str, EntryPoint]:
        found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
        return {name: found[name] for name in sorted(found.keys() - {*self._ours})}


def outside() -> list[str]:
    """Name the drivers of others and their packages' versions; none is loaded."""
    return [
        f"{entry.name} {entry.value} {entry.dist.version if entry.dist else ''}"
        for entry in sorted(entry_points(group=ENTRY_POINTS))
    ]


def _loaded(entry: EntryPoint) -> DriverSpec:
    """Return what an entry point names; LocalError if it is no driver.

    Somebody else's package may fail in any way; it must not take the house with it.
    """
    try:
        spec = entry.load()
    except Exception as fault:  # noqa: BLE001
        raise LocalError(
            f"{entry.name}: {entry.value} can't be loaded: {fault}"
        ) from None
    if not isinstance(spec, DriverSpec) or spec.name != entry.name:
        raise LocalError(
            f"{entry.name}: {entry.value} is no DriverSpec of that name, see "
            "docs/drivers.md"
        )
    return spec


DRIVERS: Mapping[str, DriverSpec] = _Registry()


def build(
    driver: str, units: Sequence[Unit], *, wall_clock: WallClock | None = None
) -> Device:
    """Build the device of one port; LocalError says what does not fit.

    ``wall_clock`` reaches the drivers of devices that keep a clock of their own.
    """
    spec = DRIVERS.get(driver)
    if spec is None:
        known = ", ".join(sorted(DRIVERS))
        raise LocalError(f"unknown driver {driver!r}; the drivers are: {known}")
    try:
        if wall_clock is not None and spec.build_with_clock is not None:
            return spec.build_with_clock(units, wall_clock)
        return spec.build(units)
    except LocalError as fault:
        raise LocalError(f"{driver}: {fault}") from None
