# SPDX-License-Identifier: Apache-2.0
"""What those in charge do where a site has every rule: desk, panel, alarm and drill.

The law of the module: as of :mod:`edge.cli.simulate.staff`. Whoever gives an order
sees what the panel shows, so a scene may look at who is on duty, and at nothing else
of the box.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drivers.device import TamperChanged
from edge.cli.simulate.bylaws import DUE_FEN, WARDEN, policies
from edge.cli.simulate.checking import Stormed
from edge.cli.simulate.scenes import DESK_READER, KITCHEN_READER, hold_out
from edge.cli.simulate.staff import ACTOR, REASON, end_of, give
from edge.cli.simulate.village import HOUR_MS
from edge.cli.simulate.visits import STORE_READER, cook, drop_in, fetch_from_store
from edge.core.emergency.contacts import ContactMark
from edge.core.emergency.drill_plan import DRILLS_OF_DOORS, STAGES, DrillKind
from edge.core.emergency.elders import ElderMark
from edge.core.emergency.state import EmergencyState
from edge.core.lockers.medicine import WHOM
from edge.core.lockers.medicine_orders import (
    MedicineOrdered,
    MedicineStocked,
    MedicineUsed,
)
from edge.core.order import (
    ApplianceOrdered,
    BindBegun,
    CareAnswered,
    CashNoted,
    CleaningDone,
    ContactMarked,
    DrillEndOrdered,
    DrillMarked,
    DrillOrdered,
    DutyConfirmed,
    DutyCorrected,
    DutyQuestioned,
    ElderMarked,
    EmergencyOrdered,
    EntryConfirmed,
    LocalHolderOrdered,
    LocalRevocationOrdered,
    LoginAwaited,
    OccupancyCounted,
    PanelOpenOrdered,
)
from firmware_sim.platform.feed import Row

if TYPE_CHECKING:
    from edge.cli.simulate.scenes import Crowd, Scene
    from edge.core.duty.shift import Shift
    from firmware_sim.platform.feed import Body, Key

SECOND = "luo"
BANK, STOVE, MEDICINE = "lockers", "stove-1", "plaster"
ENTRANCES = ("kitchen-front", "living-room-front", "store-front")
#: Reader drivers whose housing is said to be open where no switch tells it.
READER_DRIVERS = ("id_card_sam", "qr_line")


def bind_card(crowd: Crowd) -> Scene:
    """A volunteer vouches for somebody, whose new card is then held out at the desk."""
    who = crowd.chance.choice(crowd.site.village.with_code[:40])
    return _bind(crowd, who.holder)


def _bind(crowd: Crowd, holder: str) -> Scene:
    """Let a stranger's card become a holder's, unless nobody comes in time."""
    chance = crowd.chance
    give(crowd, BindBegun(access_point="desk", holder=holder, actor=ACTOR))
    yield chance.choice((2.0, 5.0, 9.0, 90.0))
    yield from hold_out(crowd, DESK_READER, chance.choice(crowd.site.village.strangers))


def vouch(crowd: Crowd) -> Scene:
    """Two put somebody on the local roster, bind his card, and take him off again."""
    chance = crowd.chance
    name = f"x-{chance.randrange(4)}"
    roles = chance.choice((("VOLUNTEER",), ("RESIDENT",), ("MANAGER", "VOLUNTEER")))
    lasts_ms = chance.randrange(1, 30) * HOUR_MS
    until_ms = crowd.site.true_time.ms() + lasts_ms
    held = partial(LocalHolderOrdered, holder=name, roles=roles, actor=ACTOR)
    give(crowd, held(until_ms=until_ms, second=chance.choice((SECOND, SECOND, ACTOR))))
    yield chance.uniform(5.0, 60.0)
    yield from _bind(crowd, name)
    yield chance.uniform(60.0, 4 * HOUR_MS / 1_000)
    if chance.random() < 0.5:
        give(crowd, held(until_ms=0, second=SECOND))


def revoke_here(crowd: Crowd) -> Scene:
    """Somebody has lost his cards: nothing opens until that is taken back."""
    chance, village = crowd.chance, crowd.site.village
    who = chance.choice((*village.with_card, *village.with_code[:20])).holder
    lost = partial(LocalRevocationOrdered, holder=who, actor=ACTOR, reason=REASON)
    give(crowd, lost())
    yield chance.uniform(60.0, 2 * HOUR_MS / 1_000)
    give(crowd, lost(is_lifted=True))


def take_cash(crowd: Crowd) -> Scene:
    """A volunteer takes cash for a booking, the whole of it or not, here or there."""
    site, chance = crowd.site, crowd.chance
    due = sorted(key for key, row in site.booked.items() if "due" in row.body)
    if not due:
        return
    name = chance.choice(due)[1]
    fen = chance.choice((DUE_FEN, DUE_FEN, DUE_FEN // 2))
    if chance.random() < 0.7:
        give(crowd, CashNoted(booking=name, fen=fen, actor=ACTOR))
    else:
        door = chance.choice(crowd.doors)
        opening = PanelOpenOrdered(
            door=door, actor=ACTOR, reason=REASON, cash_fen=fen, booking=name
        )
        give(crowd, opening)
    yield 0.0


def count_people(crowd: Crowd) -> Scene:
    """A volunteer counts who is in a space."""
    space = crowd.chance.choice(tuple(crowd.site.plan.spaces))
    persons = crowd.chance.randrange(7)
    give(crowd, OccupancyCounted(space=space, persons=persons, actor=ACTOR))
    yield 0.0


def look_after(crowd: Crowd) -> Scene:
    """A volunteer has looked after one of those who agreed to be asked after."""
    cared = [one for one in crowd.site.village.neighbours if one.care_days]
    who = crowd.chance.choice(cared).holder
    give(crowd, CareAnswered(holder=who, actor=ACTOR))
    yield 0.0


def settle_shifts(crowd: Crowd) -> Scene:
    """Two correct a shift, its volunteer doubts one, a worker confirms another."""
    chance, machine = crowd.chance, crowd.site.machine
    shifts = machine.controller.house.duty.shifts if machine is not None else {}
    seq = chance.choice(sorted(shifts)) if shifts else 1
    minutes = chance.randrange(1, 600)
    what = chance.random()
    if what < 0.25 and shifts:
        _confirm_by_feed(crowd, shifts[seq], minutes)
    elif what < 0.5:
        give(crowd, DutyConfirmed(seq=seq, minutes=minutes, actor=ACTOR))
    elif what < 0.6:
        told = DutyQuestioned(seq=seq, minutes=minutes, actor=ACTOR, reason=REASON)
        give(crowd, told)
    else:
        corrected = DutyCorrected(
            seq=seq, minutes=minutes, actor=ACTOR, second=SECOND, reason=REASON
        )
        give(crowd, corrected)
    yield 0.0


def _confirm_by_feed(crowd: Crowd, shift: Shift, minutes: int) -> None:
    """The social worker's word goes into the feed, whatever the box makes of it."""
    site, since = crowd.site, shift.since
    name = f"{since.boot}:{since.monotonic_ms}:{shift.holder}"
    site.words[name] += 1
    body: Body = {
        "holder": shift.holder,
        "boot": since.boot,
        "began": since.monotonic_ms,
        "minutes": minutes,
        "by": ACTOR,
        "at": site.true_time.ms(),
        "number": site.words[name],
        "reason": REASON,
    }
    row = Row(kind="shift", id=name, body=body)
    site.network.send(site.platform.session.change([row], []))


def see_to_stove(crowd: Crowd) -> Scene:
    """Somebody in charge switches the stove, which comes on only inside a slot."""
    is_on = crowd.chance.random() < 0.6
    switch = partial(ApplianceOrdered, appliance=STOVE, actor=ACTOR, reason=REASON)
    give(crowd, switch(is_on=is_on))
    yield crowd.chance.uniform(60.0, 1_800.0)
    give(crowd, switch(is_on=not is_on))


def clean_up(crowd: Crowd) -> Scene:
    """A volunteer goes along the lockers and looks after each that was given back."""
    for number in crowd.site.plan.banks[BANK].compartments:
        give(crowd, CleaningDone(bank=BANK, number=number, actor=ACTOR))
        yield 2.0


def see_to_medicine(crowd: Crowd) -> Scene:
    """Two count what is in the medicine box; somebody opens it and takes some out."""
    chance = crowd.chance
    expires_ms = crowd.site.true_time.ms() + chance.randrange(1, 60) * 24 * HOUR_MS
    stocked = MedicineStocked(
        bank=BANK,
        item=MEDICINE,
        count=chance.randrange(1, 20),
        expires_ms=expires_ms,
        actor=ACTOR,
        second=SECOND,
    )
    give(crowd, stocked)
    yield chance.uniform(10.0, 600.0)
    give(crowd, MedicineOrdered(bank=BANK, actor=ACTOR, whom=WHOM[0]))
    yield 10.0
    used = MedicineUsed(bank=BANK, item=MEDICINE, count=1, actor=ACTOR)
    give(crowd, used)


def guard(crowd: Crowd) -> Scene:
    """Under CHECKPOINT a volunteer lets in who comes, at the panel or with a card."""
    chance, village = crowd.chance, crowd.site.village
    state = EmergencyState.CHECKPOINT
    give(crowd, EmergencyOrdered(state=state, actor=ACTOR, reason=REASON))
    for _ in range(chance.randrange(2, 8)):
        yield chance.uniform(5.0, 60.0)
        crowd.play(chance.choice((cook, drop_in, fetch_from_store))(crowd))
        yield chance.choice((4.0, 6.0, 12.0, 70.0))
        if chance.random() < 0.5:
            point = chance.choice(ENTRANCES)
            give(crowd, EntryConfirmed(access_point=point, actor=ACTOR))
        else:
            reader = chance.choice((KITCHEN_READER, STORE_READER))
            staff = village.having("VOLUNTEER")
            yield from hold_out(crowd, reader, chance.choice(staff))
    give(crowd, end_of(state))


def sound_alarm(crowd: Crowd) -> Scene:
    """A responder's card at the desk, twice: the house is locked down for a while."""
    chance = crowd.chance
    who = chance.choice(crowd.site.village.having("RESPONDER"))
    awaited = LoginAwaited(
        access_point="desk", tablet="front", welcome=(), actor="tablet:front"
    )
    give(crowd, awaited)  # somebody at the desk's tablet is slow
    for _ in range(chance.choice((1, 2, 2, 2))):
        yield from hold_out(crowd, DESK_READER, who)
        yield chance.uniform(1.5, 5.0)
    yield chance.uniform(60.0, 900.0)
    give(crowd, end_of(EmergencyState.LOCK_DOWN))


def fetch_elders(crowd: Crowd) -> Scene:
    """Elders are fetched and arrive: in an emergency or a drill, else it is refused."""
    for call in ContactMark:
        give(crowd, ContactMarked(contact=WARDEN, call=call.value, actor=ACTOR))
    for one in crowd.site.village.neighbours:
        if one.care_days:
            for mark in ElderMark:
                given = ElderMarked(holder=one.holder, mark=mark.value, actor=ACTOR)
                give(crowd, given)
                yield crowd.chance.uniform(5.0, 120.0)


def drill(crowd: Crowd) -> Scene:
    """A drill, stage by stage; some are forgotten, and now and then its end is, too."""
    chance = crowd.chance
    kind = chance.choice(list(DrillKind))
    with_doors = kind in DRILLS_OF_DOORS and chance.random() < 0.5
    begun = DrillOrdered(drill=kind.value, with_doors=with_doors, actor=ACTOR)
    give(crowd, begun)
    for stage in STAGES[kind]:
        yield chance.uniform(5.0, 60.0)
        if chance.random() < 0.8:
            give(crowd, DrillMarked(stage=stage.name, actor=ACTOR))
    yield from fetch_elders(crowd)
    if chance.random() < 0.9:
        give(crowd, DrillEndOrdered(actor=ACTOR, action="mend the bell", owner=SECOND))


def tamper(crowd: Crowd) -> Scene:
    """A reader's housing is open for a while, as another make's driver tells it."""
    site, chance = crowd.site, crowd.chance
    readers = [d.id for d in site.settings.device if d.driver in READER_DRIVERS]
    reader = chance.choice(readers)
    lasts_s = chance.uniform(30.0, 1_800.0)
    site.witness.tell(Stormed, kind="tampered", on=reader, for_s=lasts_s)
    _tell_housing(crowd, reader, is_open=True)
    yield lasts_s
    _tell_housing(crowd, reader, is_open=False)


def _tell_housing(crowd: Crowd, reader: str, *, is_open: bool) -> None:
    machine = crowd.site.machine
    if machine is None or machine.boot.is_still:
        return
    port, unit = machine.bindings.wiring.places[reader]
    changed = TamperChanged(unit=unit, is_tampered=is_open, why="tamper")
    machine.doorstep.signals(port, [changed])


def edit_bylaws(crowd: Crowd) -> Scene:
    """The office takes a policy back for a while, bars a holder, or a ticket."""
    site, chance = crowd.site, crowd.chance
    session = site.platform.session
    what = chance.randrange(3)
    if what == 0:
        row = chance.choice(policies(site.plan))
    elif what == 1:
        who = chance.choice(site.village.with_card).holder
        body = {"holder": who, "reason": "MOVED"}
        row = Row(kind="revocation", id=f"rh-{who}", body={**body})
    else:
        sold = [row.body["ticket"] for row in site.booked.values() if _is_sold(row)]
        ticket = chance.choice(sold) if sold else "00"
        body = {"ticket": str(ticket), "reason": "REFUNDED"}
        row = Row(kind="revocation", id=f"rt-{ticket}", body={**body})
    changes: tuple[tuple[list[Row], list[Key]], ...] = (([row], []), ([], [row.key]))
    first, then = changes if row.kind == "revocation" else reversed(changes)
    site.network.send(session.change(*first))
    yield chance.uniform(60.0, 3 * HOUR_MS / 1_000)
    site.network.send(session.change(*then))


def _is_sold(row: Row) -> bool:
    return "ticket" in row.body
