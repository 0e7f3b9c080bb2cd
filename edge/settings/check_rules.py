# SPDX-License-Identifier: Apache-2.0
"""What the rules of a place need to be possible: hours, fares, interlocks, exits.

The law of the module: a rule that the site's readers and boards cannot keep is refused
here, with what would make it possible; as in :mod:`edge.settings.check`, nothing
changes a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.settings.planning import spaces_with_exit_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.settings.check import Finding, Where
    from edge.settings.site import AccessPoint, Door, Fare, Settings, Space


def check_rules(settings: Settings) -> Iterator[Finding]:
    """Yield every finding, in the file's order of kinds."""
    exits = spaces_with_exit_reader(settings)
    numbers: dict[int, str] = {}
    for index, space in enumerate(settings.space):
        yield from _space(index, space, has_exit=space.id in exits)
        if space.number and space.number in numbers:
            what = f"{numbers[space.number]!r} has this number, choose another"
            yield ("space", index, "number"), what
        numbers.setdefault(space.number, space.id)
    dates = [holiday.date for holiday in settings.holiday]
    for index, date in enumerate(dates):
        if date in dates[:index]:
            yield ("holiday", index, "date"), f"{date} stands there twice, name it once"
    doors = {door.id: door for door in settings.door}
    for index, door in enumerate(settings.door):
        yield from _interlock(index, door, doors)
        yield from _unlocking(index, door)
    for index, point in enumerate(settings.access_point):
        yield from _access_point(index, point)
    for index, bank in enumerate(settings.bank):
        yield from _fare(("bank", index), bank.fare)
    spaces = {space.id for space in settings.space}
    for index, appliance in enumerate(settings.appliance):
        if appliance.space not in spaces:
            known = ", ".join(sorted(spaces))
            what = f"there is no space {appliance.space!r}, use one of {known}"
            yield ("appliance", index, "space"), what


def _space(index: int, space: Space, *, has_exit: bool) -> Iterator[Finding]:
    where = ("space", index)
    if space.passback != "off" and not has_exit:
        what = (
            "nobody here reads who leaves, add an access point with direction = 'out' "
            "or use passback = 'off'"
        )
        yield (*where, "passback"), what
    is_hourly = space.fare.kind == "per_hour"
    if is_hourly and space.entry != "booking" and not has_exit:
        what = (
            "nobody here reads when a walk-in leaves, add an access point with "
            "direction = 'out' or use kind = 'per_visit'"
        )
        yield (*where, "fare", "kind"), what
    yield from _fare(where, space.fare)


def _fare(where: Where, fare: Fare) -> Iterator[Finding]:
    if fare.kind == "free" and fare.fen:
        what = "what is free has no price, use kind = 'per_visit' or 'per_hour'"
        yield (*where, "fare", "fen"), what
    if fare.kind != "free" and not fare.fen:
        yield (*where, "fare", "kind"), "no price, say fen (1 yuan is 100 fen)"


def _interlock(index: int, door: Door, doors: dict[str, Door]) -> Iterator[Finding]:
    where = ("door", index, "interlocked_with")
    for partner in door.interlocked_with:
        if partner not in doors or partner == door.id:
            others = ", ".join(sorted(doors.keys() - {door.id})) or "none"
            yield where, f"there is no other door {partner!r}, there are: {others}"
        elif door.id not in doors[partner].interlocked_with:
            what = f"{partner!r} does not name {door.id!r}, name both doors at each"
            yield where, what


def _unlocking(index: int, door: Door) -> Iterator[Finding]:
    where = ("door", index)
    if door.unlock is not None and door.duty != "continuous":
        what = (
            "a lock that is energised for hours must be made for it, say "
            "duty = 'continuous' if it is, else leave unlock out"
        )
        yield (*where, "unlock"), what
    if door.unlock is not None and door.accept_untimed:
        what = "this board ends no pulse itself and could stay open, leave unlock out"
        yield (*where, "unlock"), what
    if door.unlock is not None and door.interlocked_with:
        what = "a door that is free for hours would keep its partners shut, drop one"
        yield (*where, "unlock"), what
    if door.first_person_in and door.unlock is None:
        yield (*where, "first_person_in"), "there is no unlock, say at which hours"
    if door.warn_before_s >= door.held_open_s:
        what = f"not before the alarm, use less than {door.held_open_s:g}"
        yield (*where, "warn_before_s"), what


def _access_point(index: int, point: AccessPoint) -> Iterator[Finding]:
    where = ("access_point", index)
    if point.direction == "out" and point.door is None:
        yield (*where, "direction"), "only a door leads out, leave it away here"
    if point.emergency and point.bank is not None:
        what = "a bank's reader begins no emergency, use a door's or the desk's"
        yield (*where, "emergency"), what
