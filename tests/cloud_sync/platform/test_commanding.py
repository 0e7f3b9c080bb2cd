# SPDX-License-Identifier: Apache-2.0
"""Wishes become commands, and each is done once at the most, whatever gets lost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.platform import feeds
from cloud_sync.platform.commanding import (
    erasing,
    operators,
    residents,
    sealing,
    wishes,
)
from cloud_sync.platform.commanding.commander import TRIES, Commander
from cloud_sync.platform.commanding.operators import Operator, OperatorError, Role
from cloud_sync.platform.commanding.residents import ResidentError
from cloud_sync.platform.commanding.wishes import OPENS_A_SITE, Wanted, WishError
from cloud_sync.platform.keys import Signer
from cloud_sync.seals import Witnesses
from cloud_sync.signing import PlatformKeys
from edge.core.chain import canonical
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import EmergencyOrdered
from edge.core.remote.command import Action
from tests.cloud_sync.driving import moment
from tests.cloud_sync.operators import OPERATORS, SITE, public_keys
from tests.cloud_sync.platform.far_gateway import FarGateway
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED

if TYPE_CHECKING:
    from cloud_sync.platform.answers import Publish
    from cloud_sync.platform.database import Database
    from tests.cloud_sync.platform.desk import Desk

CHEN, LUO = OPERATORS
DOOR = "kitchen-door"
DRAWN = 20261122


class Office:
    """A platform with two operators, and one gateway at the end of a bad line."""

    def __init__(self, desk: Desk, far: FarGateway) -> None:
        self.desk, self.far = desk, far
        self.database: Database = desk.database
        self.commander = Commander(desk.database, Signer(KID, SEED))
        self.signers = {name: Signer(name, seed) for name, seed in OPERATORS.items()}

    @property
    def now_ms(self) -> int:
        return moment(self.far.now_s).earliest_ms

    async def hire(self) -> None:
        async with self.database.writing() as work:
            for name, key in public_keys().items():
                await operators.add(work, operator(name, key), self.now_ms)

    async def wish(self, action: Action = Action.OPEN, **more: Any) -> int:
        """Have an operator wish something; return its number."""
        by = more.pop("by", CHEN)
        gateway, reason = more.pop("gateway", GATEWAY), more.pop("reason", "telephone")
        fields = more or {"door": DOOR}
        wanted = Wanted(
            gateway=gateway, action=action, by=by, reason=reason, fields=fields
        )
        signer = more.pop("signer", self.signers.get(by, self.signers[CHEN]))
        async with self.database.writing() as work:
            return await wishes.make(work, wanted, signer, self.now_ms)

    async def state(self, number: int) -> str:
        async with self.database.reading() as work:
            return (await wishes.state_of(work, number))[0]

    async def due(self) -> list[Publish]:
        return await self.commander.due(self.now_ms)

    async def greet(self) -> None:
        """Let the gateway connect, and its hello be answered; events follow."""
        self.far.connect()
        await self.carry()

    async def greet_alone(self) -> None:
        """Let the hello be answered, and nothing that is behind it arrive."""
        self.far.connect()
        [hello] = self.far.take_sent()
        heard = [(hello.topic, hello.payload)]
        outcome = await self.desk.reception.receive(heard, self.now_ms)
        await self.desk.reception.answered(outcome.greeted)
        for answer in outcome.answers:
            self.far.receive(answer.topic, answer.payload)
        self.far.take_sent()

    async def carry(self) -> None:
        """Carry everything up, and the answers down."""
        self.desk.now_ms = self.now_ms
        while sent := self.far.take_sent():
            messages = [(each.topic, each.payload) for each in sent]
            outcome = await self.desk.reception.receive(messages, self.now_ms)
            for answer in outcome.answers:
                self.far.receive(answer.topic, answer.payload)
            await self.desk.reception.answered(outcome.greeted)
            self.far.tick()

    async def send(self) -> int:
        """Let what is due arrive; return how many commands that were."""
        sent = await self.due()
        for each in sent:
            self.far.receive(each.topic, each.payload)
        await self.carry()
        return len(sent)

    def wait(self, seconds: float) -> None:
        self.far.now_s += seconds
        self.far.stage.wait(seconds)


def operator(name: str, key: str, **more: Any) -> Operator:
    told = {"name": name, "role": Role.MANAGER, "opens_hour": 10, "door_hour": 10}
    return Operator(operator=name, key=key, **(told | more))


@pytest.fixture
async def office(desk: Desk) -> Office:
    made = Office(desk, FarGateway())
    await made.hire()
    return made


async def test_a_wish_is_signed_at_once_and_followed_to_its_end(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    assert await office.state(number) == "waiting"
    assert await office.send() == 1
    assert office.far.executed() == ["open"]
    assert await office.state(number) == "actuated"
    office.far.stage.swing(DOOR, is_open=True)
    office.far._write()
    await office.carry()
    assert await office.state(number) == "confirmed"
    assert await office.due() == []


async def test_it_waits_for_a_gateway_that_is_away_and_not_for_ever(
    office: Office,
) -> None:
    first = await office.wish()
    assert await office.due() == []
    office.wait(30.0)
    await office.greet()
    assert await office.send() == 1
    assert await office.state(first) == "actuated"
    office.far.disconnect()
    async with office.database.writing() as work:
        await work.execute("DELETE FROM connection")
    second = await office.wish()
    office.wait(61.0)
    assert await office.due() == []
    assert await office.state(second) == "expired"
    await office.greet()
    assert await office.send() == 0


async def test_a_hello_that_is_not_answered_yet_believes_nothing(
    office: Office,
) -> None:
    await office.wish()
    office.far.connect()
    [hello] = office.far.take_sent()
    await office.desk.reception.receive([(hello.topic, hello.payload)], office.now_ms)
    assert await office.due() == []


async def test_a_command_lost_with_its_connection_is_signed_anew_once(
    office: Office,
) -> None:
    await office.greet()
    number = await office.wish()
    assert len(await office.due()) == 1  # and lost
    assert await office.due() == []
    office.far.disconnect()
    await office.greet()
    assert await office.send() == 1
    assert office.far.executed() == ["open"]
    assert await office.state(number) == "actuated"


async def test_done_and_its_word_lost_it_is_not_done_again(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    [sent] = await office.due()
    office.far.receive(sent.topic, sent.payload)
    assert office.far.executed() == ["open"]
    office.far.disconnect()  # with all its words
    office.far.journal, kept = [], office.far.journal
    await office.greet_alone()  # its hello knows nothing of it yet: a slow disk
    assert await office.send() == 1, "the platform cannot know"
    assert office.far.executed() == ["open"], "and the gateway does"
    office.far.journal = kept
    office.far.disconnect()
    await office.greet()
    office.far.tick(1.0)
    await office.carry()
    assert await office.state(number) == "actuated"


async def test_a_gateway_that_does_not_know_wishes_is_told_once(desk: Desk) -> None:
    office = Office(desk, FarGateway(capabilities=("cmd",)))
    await office.hire()
    await office.greet()
    number = await office.wish()
    assert len(await office.due()) == 1  # and lost
    office.far.disconnect()
    await office.greet()
    assert await office.due() == []
    office.wait(61.0)
    assert await office.due() == []
    assert await office.state(number) == "unheard"


async def test_on_one_connection_it_is_tried_a_few_times(office: Office) -> None:
    await office.greet()
    await office.wish(Action.REVOKE_NOW, holder="holder-li")
    tries = []
    for _ in range(8):
        tries.append(len(await office.due()))
        office.wait(33.0)
    assert tries == [1] * TRIES + [0] * (8 - TRIES)


async def test_unknown_is_the_end_of_an_opening(office: Office) -> None:
    await office.greet()
    number = await office.wish()
    office.far.dies_at = 1
    await office.send()
    await office.greet()
    await office.carry()
    assert await office.state(number) == "unknown"
    assert await office.send() == 0
    assert office.far.executed() == []


async def test_what_may_be_done_twice_begins_anew_after_unknown(office: Office) -> None:
    await office.greet()
    number = await office.wish(Action.REVOKE_NOW, holder="holder-li")
    office.far.dies_at = 1
    await office.send()
    await office.greet()
    await office.carry()
    assert await office.send() == 1
    assert await office.state(number) == "actuated"
    assert office.far.executed() == ["revoke_now"]


async def test_a_rejection_is_told_with_its_reason(office: Office) -> None:
    await office.greet()
    fire = EmergencyOrdered(state=EmergencyState.LOCK_DOWN, actor="luo", reason="x")
    office.far.stage.do(fire)
    number = await office.wish()
    await office.send()
    async with office.database.reading() as work:
        state, why = await wishes.state_of(work, number)
    assert state == "rejected"
    assert why.startswith("EMERGENCY: LOCK_DOWN stands")


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_gets_lost_nothing_is_done_twice(
    office: Office, seed: int
) -> None:
    rng, far = random.Random(DRAWN + seed), office.far
    print(f"seed {DRAWN + seed}")
    await office.greet()
    wished = {}
    for _ in range(25):
        match rng.choice(("wish", "due", "due", "lose", "up", "lost", "line", "die")):
            case "wish" if len(wished) < OPENS_A_SITE:
                wished[await office.wish()] = True
            case "due":
                await office.send()
            case "lose":
                await office.due()
            case "lost":  # it arrives, and no word of it comes back
                for each in await office.due():
                    far.receive(each.topic, each.payload)
                far.take_sent()
                far.disconnect()
            case "die":
                far.dies_at = rng.choice((0, 1))
            case "up":
                await office.carry()
            case "line":
                far.disconnect()
            case _:
                pass
        if far.needs_connection:
            await rng.choice((office.greet, office.greet_alone))()
        office.wait(rng.choice((0.1, 1.0, 6.0, 13.0)))
    office.wait(70.0)
    far.disconnect()
    await office.greet()
    far.tick(1.0)
    await office.carry()
    await office.due()
    async with office.database.reading() as work:
        rows = await work.fetch("SELECT jti, wish FROM command")
    wish_of = dict(tuple(row) for row in rows)
    done = far.events(EventKind.COMMAND_EXECUTED)
    of_wish = [wish_of[str(event.fact("jti"))] for event in done]
    assert len(of_wish) == len(set(of_wish)), "a wish was done twice"
    ends = {number: await office.state(number) for number in wished}
    for number in of_wish:
        assert ends[number] in {"actuated", "confirmed"}, ends
    assert "waiting" not in ends.values()


async def test_limits_hold_for_site_door_and_operator(office: Office) -> None:
    for number in range(OPENS_A_SITE):
        await office.wish(by=(CHEN, LUO)[number % 2], door=f"door-{number}")
    with pytest.raises(WishError, match="10 openings an hour for this site"):
        await office.wish(by=LUO, door="another")
    await office.wish(Action.MESSAGE, text="台风")
    office.wait(3601.0)
    await office.wish()


async def test_an_operators_own_limits_hold(office: Office) -> None:
    seed = bytes(range(128, 160))
    signer = Signer("op-new", seed)
    [key] = signer.public_keys.values()
    office.signers["op-new"] = signer
    async with office.database.writing() as work:
        slow = operator("op-new", key, role=Role.DESK, opens_hour=2, door_hour=1)
        await operators.add(work, slow, office.now_ms)
    await office.wish(by="op-new")
    with pytest.raises(WishError, match="1 openings an hour for kitchen-door"):
        await office.wish(by="op-new")
    await office.wish(by="op-new", door="store-door")
    with pytest.raises(WishError, match="2 openings an hour for op-new"):
        await office.wish(by="op-new", door="a-third")
    with pytest.raises(WishError, match="is of the desk"):
        await office.wish(Action.ERASE, by="op-new", holder="h-1")


async def test_a_wish_that_its_operator_did_not_sign_is_not_signed(
    office: Office,
) -> None:
    await office.greet()
    office.signers[LUO] = office.signers[CHEN]
    with pytest.raises(WishError, match="not the key of op-luo"):
        await office.wish(by=LUO)
    number = await office.wish()
    async with office.database.writing() as work:  # who holds the database alone
        await work.execute("UPDATE wish SET operator = ?1", LUO)
    assert await office.due() == []
    assert await office.state(number) == "forged"


async def test_one_who_is_retired_has_nothing_done(office: Office) -> None:
    await office.greet()
    first = await office.wish()
    async with office.database.writing() as work:
        await operators.retire(work, CHEN, office.now_ms)
    assert await office.due() == []
    assert await office.state(first) == "cancelled"
    with pytest.raises(WishError, match="no operator op-chen at work"):
        await office.wish()
    again = operator("op-again", public_keys()[CHEN])
    async with office.database.writing() as work:
        with pytest.raises(OperatorError, match="another operator has this key"):
            await operators.add(work, again, office.now_ms)


@pytest.mark.parametrize(
    ("action", "fields", "why"),
    [
        (Action.OPEN, {"door": ""}, "'door'"),
        (Action.MODE, {"door": "d", "mode": "LOCKED_OPEN"}, "'mode'"),
        (Action.MESSAGE, {"text": "x" * 141}, "'text'"),
        (Action.ERASE, {"holder": "telephone"}, "name the person nowhere"),
        (Action.RESIDENT_OPEN, {"door": "d"}, "is of the manager"),
    ],
)
async def test_what_a_gateway_would_refuse_is_refused_here(
    office: Office, action: Action, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(WishError, match=why):
        await office.wish(action, **fields)


async def test_a_cancelled_wish_is_not_signed(office: Office) -> None:
    number = await office.wish()
    async with office.database.writing() as work:
        await wishes.cancel(work, number)
    await office.greet()
    assert await office.send() == 0
    assert await office.state(number) == "cancelled"


async def test_a_shelter_goes_out_with_two_seals_and_no_less(office: Office) -> None:
    await office.greet()
    number = await office.wish(Action.SHELTER, site=SITE, reason="typhoon")

    async def stand_by(*names: str) -> str:
        async with office.database.writing() as work:
            for name in names:
                order = await sealing.stand_by(work, number, name, office.now_ms)
        return order

    async def put(name: str, order: str) -> None:
        async with office.database.writing() as work:
            await sealing.put_seal(work, number, name, order, office.signers[name])

    await stand_by(CHEN)
    assert await office.due() == []
    assert await stand_by(CHEN) == "", "one alone has nothing to seal"
    await stand_by(LUO)
    assert await office.due() == []
    order = await stand_by(CHEN)
    assert sealing.is_meant(order, gateway=GATEWAY, site=SITE)
    assert not sealing.is_meant(order, gateway=GATEWAY, site="hall-8")
    await put(CHEN, order)
    assert await office.due() == [], "one seal is not two"
    office.wait(31.0)
    await stand_by(CHEN, LUO)
    await put(LUO, order)
    assert await office.due() == [], "an order that is over is drawn anew"
    fresh = await stand_by(CHEN, LUO)
    assert fresh != order
    await put(CHEN, fresh)
    await put(LUO, fresh)
    [sent] = await office.due()
    body = PlatformKeys(Signer(KID, SEED).public_keys).open(
        sent.payload, "mn.cmd.v1", GATEWAY
    )
    assert isinstance(body, dict)
    witnesses = Witnesses(public_keys(), site=SITE, gateway=GATEWAY)
    seals = body.pop("seals")
    assert witnesses.of(canonical(body), seals) == (CHEN, LUO)
    assert await office.state(number) == "sent"


BOOKED = {"holder": "h-1", "space": "kitchen", "state": "CONFIRMED", "party": 1}
ENABLED = {"enabled": 1, "credentials": ["CARD:" + "ab" * 16]}


async def put_rows(office: Office, **bodies: dict[str, Any]) -> None:
    """Let the feed have these rows: ``kind__id=body``."""
    put = {
        (kind, name): canonical(body)
        for (kind, _, name), body in (
            (told.partition("__"), body) for told, body in bodies.items()
        )
    }
    async with office.database.writing() as work:
        await feeds.change(work, GATEWAY, feeds.Change(put=put), office.now_ms)


async def residents_wish(office: Office, holder: str = "h-1") -> int:
    wanted = Wanted(
        gateway=GATEWAY,
        action=Action.RESIDENT_OPEN,
        by=holder,
        reason="code at the door",
        fields={"door": DOOR},
    )
    async with office.database.writing() as work:
        return await wishes.make_for_resident(work, wanted, office.now_ms)


async def test_a_resident_with_a_booking_for_this_room_now_is_let_in(
    office: Office,
) -> None:
    await office.greet()
    now_ms = office.now_ms
    hour = {"from": now_ms + 9 * 60_000, "to": now_ms + 3_600_000}
    await put_rows(office, holder__h_1={}, booking__b1=BOOKED | hour)
    await put_rows(office, **{"holder__h-1": ENABLED})
    with pytest.raises(ResidentError, match="nobody has said of which room"):
        await residents_wish(office)
    async with office.database.writing() as work:
        await residents.set_door(work, GATEWAY, DOOR, "kitchen", (10, 5))
    number = await residents_wish(office)
    assert await office.send() == 1
    assert await office.state(number) == "actuated"
    [event] = office.far.events(EventKind.COMMAND_RECEIVED)
    assert (event.person.holder, event.person.booking) == ("h-1", "b1")
    with pytest.raises(ResidentError, match="too often"):
        await residents_wish(office)
    for changed, why in (
        ({"space": "lounge"}, "no booking for this room now"),
        ({"from": now_ms + 12 * 60_000}, "no booking for this room now"),
        ({"to": now_ms - 6 * 60_000, "from": 1}, "no booking for this room now"),
        ({"state": "CANCELLED"}, "no booking for this room now"),
        ({"holder": "H-1"}, "no booking for this room now"),
        ({"due": 500}, "not paid yet"),
    ):
        await put_rows(office, booking__b1=BOOKED | hour | changed)
        with pytest.raises(ResidentError, match=why):
            await residents_wish(office)
    await put_rows(office, booking__b1=BOOKED | hour)
    await put_rows(office, revocation__r1={"holder": "h-1", "reason": "LEFT"})
    with pytest.raises(ResidentError, match="revoked"):
        await residents_wish(office)
    await put_rows(office, **{"holder__h-1": ENABLED | {"enabled": 0}})
    with pytest.raises(ResidentError, match="nobody of that name"):
        await residents_wish(office)


async def test_a_person_is_erased_here_and_there_and_counts_go_on(
    office: Office, desk: Desk
) -> None:
    await office.greet()
    his = "holder-wang"
    office.far.stage.scan("wang")
    office.far.stage.walk_through(DOOR)
    office.wait(4 * 3600.0)
    office.far._write()
    office.far.tick(1.0)
    await office.carry()
    await put_rows(
        office,
        **{
            "holder__holder-wang": ENABLED,
            "holder__holder-wang2": ENABLED,
            "booking__b1": BOOKED | {"holder": his},
            "booking__b2": BOOKED | {"holder": "holder-wang2"},
            "revocation__r1": {"token": "ab" * 16, "reason": "LOST"},
        },
    )
    visits = "SELECT count(*) FROM event WHERE kind = 'VISIT_CLOSED'"
    before = await desk.table(visits)
    async with office.database.writing() as work:
        gone = await erasing.erase(work, GATEWAY, his, office.now_ms)
    assert gone.events > 2
    left = await desk.table("SELECT kind, id FROM feed_row ORDER BY id")
    assert left == [("booking", "b2"), ("holder", "holder-wang2")]
    assert await desk.table(visits) == before
    number = await office.wish(Action.ERASE, holder=his, reason="asked for it")
    await office.send()
    office.far.tick(1.0)
    await office.carry()
    assert await office.state(number) == "actuated"
    for table, column in (("event", "pii"), ("wish", "fields"), ("wish", "signed")):
        rows = await desk.table(f"SELECT {column} FROM {table}")  # noqa: S608
        assert his not in str(rows)
    heads = await desk.table("SELECT hash FROM event ORDER BY seq")
    held = [record.hash for record in office.far.journal]
    assert [bytes(head) for (head,) in heads] == held[: len(heads)]
    assert await desk.alarms() == []
