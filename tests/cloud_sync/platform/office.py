# SPDX-License-Identifier: Apache-2.0
"""A platform with two operators and one gateway at the end of a bad line.

The law of the module: both sides are the product's; what gets lost, tests say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_sync.platform.commanding import (
    operators,
    wishes,
)
from cloud_sync.platform.commanding.commander import Commander
from cloud_sync.platform.commanding.operators import Operator, Role
from cloud_sync.platform.commanding.wishes import Wanted
from cloud_sync.platform.keys import Signer
from edge.core.remote.command import Action
from tests.cloud_sync.driving import moment
from tests.cloud_sync.operators import OPERATORS, public_keys
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED

if TYPE_CHECKING:
    from cloud_sync.platform.answers import Publish
    from cloud_sync.platform.database import Database
    from tests.cloud_sync.platform.desk import Desk
    from tests.cloud_sync.platform.far_gateway import FarGateway

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
    told: dict[str, Any] = {
        "name": name,
        "role": Role.MANAGER,
        "opens_hour": 10,
        "door_hour": 10,
    }
    return Operator(operator=name, key=key, **(told | more))
