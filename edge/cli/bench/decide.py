# SPDX-License-Identifier: Apache-2.0
"""``menshen bench decide``: from a token to the verdict, beside a loop of clock reads.

The law of the module: the rules and the roster are those of a site; a turn is what a
scan costs the core before anything is written or moved: the look-up, the question and
the decision. Floor and rules in turn three times, medians of three; each turn has its
own clock reads, which the floor has too.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

from edge.cli.bench.process_figures import peak_mib
from edge.core.access.answers import Denied
from edge.core.access.decision import decide
from edge.core.access.question import Question
from edge.core.credential import Credential, CredentialKind
from edge.core.house import House
from edge.core.moment import Moment
from edge.core.outcome import OutcomeBuilder
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow, PolicyRow, RevocationRow
from edge.core.plan import (
    AccessPointPlan,
    DoorPlan,
    EntryRule,
    Passback,
    SitePlan,
    SpacePlan,
)
from edge.core.reception import Reception
from edge.core.schedule import Schedule, read_hours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.core.access.answers import Decision
    from edge.core.people.roster import Roster
    from edge.core.people.roster_row import RosterRow

ROUNDS = 3
WARM_UP_S = 0.3
#: Turns of one figure: enough for a p99, few enough to hold.
SLICE = 20_000
HOUR_MS = 3_600_000
#: Monday 2 March 2026, 15:00 in China.
NOW_MS = 1_772_434_800_000
NOW = Moment(
    monotonic_s=1_000.0, earliest_ms=NOW_MS, latest_ms=NOW_MS + 40, boot="boot-1"
)
OFFSET_MS = 8 * HOUR_MS
SPACES = ("kitchen", "hall", "yard", "attic")
#: Scans of a busy day in a hundred: who comes, and where.
MIXTURE = (
    ("booked", 46),
    ("too_early", 8),
    ("wrong_space", 4),
    ("nothing", 8),
    ("unpaid", 3),
    ("volunteer", 10),
    ("outside_hours", 3),
    ("disabled", 2),
    ("revoked", 2),
    ("walk_in", 8),
    ("stranger", 6),
)
#: In a thousand people; the rest are residents.
VOLUNTEERS, DISABLED, OWING = 20, 10, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideOptions:
    """The roster's size, and seconds for each side in each round."""

    credentials: int = 250_000
    bookings: int = 50_000
    for_s: float = 3.0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One scan: a token and the reader to which it is held."""

    token: bytes
    point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one side did: turns a second, and quantiles of a turn in microseconds.

    ``cpu_rate``: turns a second of this process's own time, whoever else computes.
    """

    rate: float
    cpu_rate: float
    p50_us: float
    p99_us: float


def run_decide(options: DecideOptions) -> dict[str, Any]:
    """Measure, and return every figure."""
    built_s = time.perf_counter()
    roster = build_roster(options)
    built_s = time.perf_counter() - built_s
    house, site = _house(roster), site_plan()
    turns = mixture(options)
    answer = asker(house, site)
    answers = Counter(_name(answer(turn)) for turn in turns)
    gc.collect()
    gc.freeze()  # as a gateway does once its roster stands
    _play(_nothing, turns, WARM_UP_S)
    _play(answer, turns, WARM_UP_S)
    floors, rules = [], []
    for _ in range(ROUNDS):
        floors.append(_play(_nothing, turns, options.for_s))
        rules.append(_play(answer, turns, options.for_s))
    # Once more by the time that this thread had: what others take is not the rules'.
    alone = _play(answer, turns, options.for_s, time.thread_time_ns)
    figures = {
        "credentials": roster.credentials,
        "bookings": len(roster.columns.booking_dues),
        "decisions_per_s": round(median(each.rate for each in rules)),
        "decisions_per_cpu_s": round(median(each.cpu_rate for each in rules)),
        "p50_us": round(median(each.p50_us for each in rules), 1),
        "p99_us": round(median(each.p99_us for each in rules), 1),
        "p99_cpu_us": round(alone.p99_us, 1),
        "floor_per_s": round(median(each.rate for each in floors)),
        "floor_p99_us": round(median(each.p99_us for each in floors), 1),
        "rss_mb": peak_mib(os.getpid()),
        "build_s": round(built_s, 1),
        "rounds_per_s": [round(each.rate) for each in rules],
    }
    return figures | {"answers": dict(answers.most_common())}


def asker(house: House, site: SitePlan) -> Callable[[Turn], Decision]:
    """Return what answers a turn: look-up, question and decision, as at a door."""

    def answer(turn: Turn) -> Decision:
        point = site.access_points[turn.point]
        door = site.doors[point.door_id]
        doors, rolls = house.doors, house.rolls
        question = Question(
            now=NOW,
            site=site,
            point=point,
            door=door,
            space=site.spaces[door.space_id],
            mode=doors.mode(door.door_id),
            credential=Credential(kind=CredentialKind.CARD, token=turn.token),
            holder=rolls.find(turn.token),
            rolls=rolls,
            standing=house.emergency.standing,
            admissions=house.admissions.by_booking,
            redemptions=house.redemptions,
            presence=house.spaces.presence,
            is_staff_present=bool(house.duty.on_duty),
            first_holder="",
            interlocked_by=doors.interlocked_by(door.door_id),
            is_strike_sound=doors.strike_is_sound(door.door_id),
        )
        return decide(question)

    return answer


def site_plan() -> SitePlan:
    """Return the site: four spaces, of which the last takes walk-ins."""
    week = read_hours("daily 07:00-23:00")
    hours = Schedule(week=week, utc_offset_ms=OFFSET_MS)
    spaces = {
        name: SpacePlan(
            space_id=name,
            lead_ms=HOUR_MS // 6,
            grace_ms=HOUR_MS // 12,
            entry=EntryRule.WALK_IN if name == SPACES[-1] else EntryRule.BOOKING,
            hours=hours,
            capacity=10_000,
            passback=Passback.SOFT,
        )
        for name in SPACES
    }
    return SitePlan(
        site_id="bench",
        spaces=spaces,
        doors={name: _door(name) for name in SPACES},
        access_points={
            name: AccessPointPlan(access_point_id=name, door_id=name) for name in SPACES
        },
        settings_revision="bench",
    )


def _door(name: str) -> DoorPlan:
    return DoorPlan(
        door_id=name,
        space_id=name,
        release_s=3.0,
        extended_release_s=12.0,
        held_open_s=30.0,
        has_contact=True,
        is_escape=True,
    )


def build_roster(options: DecideOptions) -> Roster:
    """Build the roster by the one builder there is."""
    builder = RosterBuilder(SPACES)
    builder.add(_rows(options))
    return builder.build(Cursor("0001-bench", 1))


def token_of(number: int) -> bytes:
    """Return somebody's token; spread like keyed hashes are."""
    spread = (number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835
    return (spread % (1 << 128)).to_bytes(16, "big")


def kind_of(number: int) -> str:
    """Return which kind of person a number is, by its place in a thousand."""
    place = number % 1000
    if place < VOLUNTEERS:
        return "volunteer"
    if place < VOLUNTEERS + DISABLED:
        return "disabled"
    if place < VOLUNTEERS + DISABLED + 1:
        return "revoked"
    return "resident"


def _rows(options: DecideOptions) -> Iterator[RosterRow]:
    for number in range(options.credentials):
        kind = kind_of(number)
        is_volunteer = kind == "volunteer"
        yield HolderRow(
            holder_id=f"h-{number:06}",
            roles=("RESIDENT", "VOLUNTEER") if is_volunteer else ("RESIDENT",),
            language="zh-CN",
            is_enabled=kind != "disabled",
            needs_extended_time=number % 20 == 0,
            credentials=((CredentialKind.CARD, token_of(number)),),
        )
        if kind == "revoked":
            yield RevocationRow(token=token_of(number), reason="LOST")
    yield PolicyRow(
        policy_id="volunteers",
        role="VOLUNTEER",
        places=frozenset(SPACES),
        week=read_hours("mon-fri 08:00-22:00"),
    )
    yield PolicyRow(
        policy_id="night",
        role="RESIDENT",
        places=frozenset({SPACES[2]}),
        week=read_hours("daily 22:00-23:00"),
    )
    yield from _bookings(options)


def _bookings(options: DecideOptions) -> Iterator[BookingRow]:
    """Yield two bookings each for the first holders: some hold now, some later."""
    for number in range(options.bookings):
        holder = number // 2
        is_now = number % 2 == 0 and holder % 4 != 0
        hours_off = -1 if is_now else 3 + 24 * (number % 13)
        from_ms = NOW_MS + hours_off * HOUR_MS
        yield BookingRow(
            booking_id=f"b-{number:06}",
            holder_id=f"h-{holder:06}",
            space_id=SPACES[holder % 2],
            from_ms=from_ms,
            to_ms=from_ms + 2 * HOUR_MS,
            party=4,
            is_confirmed=True,
            due_fen=500 if holder % 1000 >= 1000 - OWING else 0,
        )


def mixture(options: DecideOptions) -> list[Turn]:
    """Return SLICE turns of a day, shuffled; each kind of scan from its own people."""
    random = Random(f"bench decide {options.seed}")  # noqa: S311  a bench, no secret
    turns: list[Turn] = []
    for kind, share in MIXTURE:
        people = _people(kind, options)
        for _ in range(SLICE * share // 100):
            turns.append(_turn(kind, random.choice(people)))  # noqa: PERF401
    random.shuffle(turns)
    return turns


def _people(kind: str, options: DecideOptions) -> Sequence[int]:
    """Return who may come so: with a booking now or later, none, or a role."""
    booked = range(options.bookings // 2)
    residents = [n for n in booked if kind_of(n) == "resident"]
    match kind:
        case "booked" | "wrong_space":
            return [n for n in residents if n % 4 and not _owes(n)]
        case "unpaid":
            return [n for n in residents if n % 4 and _owes(n)] or residents
        case "too_early":
            return [n for n in residents if n % 4 == 0]
        case "volunteer" | "disabled" | "revoked":
            return [n for n in range(options.credentials) if kind_of(n) == kind]
        case "stranger":
            return range(options.credentials, 2 * options.credentials)
        case _:
            beyond = range(options.bookings // 2, options.credentials)
            return [n for n in beyond if kind_of(n) == "resident"] or residents


def _owes(number: int) -> bool:
    return number % 1000 >= 1000 - OWING


def _turn(kind: str, number: int) -> Turn:
    match kind:
        case "wrong_space":
            point = SPACES[1 - number % 2]
        case "outside_hours":
            point = SPACES[2]
        case "walk_in":
            point = SPACES[3]
        case _:
            point = SPACES[number % 2]
    return Turn(token=token_of(number), point=point)


def _house(roster: Roster) -> House:
    site = site_plan()
    out = OutcomeBuilder(1, lambda _: None)
    house = House(site, out, Reception(out, "bench"))
    house.adopt(roster, NOW_MS)
    return house


def _nothing(_: Turn) -> None:
    """Cost a call and no more."""


def _play(
    work: Callable[[Turn], Decision | None],
    turns: Sequence[Turn],
    for_s: float,
    turn_clock: Callable[[], int] = time.perf_counter_ns,
) -> Round:
    """Do turns for so long; the times of the last SLICE stand for the quantiles."""
    clock = time.perf_counter_ns
    endless = cycle(turns)
    done, begun, cpu_begun = 0, clock(), time.process_time_ns()
    until = begun + round(for_s * 1e9)
    waits: list[int] = []
    while True:
        waits.clear()
        for turn in islice(endless, SLICE):
            at = turn_clock()
            work(turn)
            waits.append(turn_clock() - at)
        done += SLICE
        if clock() >= until:
            break
    seconds = (clock() - begun) / 1e9
    cpu_seconds = max(time.process_time_ns() - cpu_begun, 1) / 1e9
    waits.sort()
    return Round(
        rate=done / seconds,
        cpu_rate=done / cpu_seconds,
        p50_us=waits[len(waits) // 2] / 1000,
        p99_us=waits[len(waits) * 99 // 100] / 1000,
    )


def _name(decision: Decision) -> str:
    if isinstance(decision, Denied):
        return decision.reason.value
    return f"granted by {decision.rule}"
