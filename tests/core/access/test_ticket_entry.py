# SPDX-License-Identifier: Apache-2.0
"""A ticket at a door: what its grant must tell, and an emergency ticket's rights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.core.access.answers import Decision, Denied, DenyReason, Granted
from edge.core.access.decision import decide
from edge.core.access.redemptions import MAX_TICKETS, Redemption, Redemptions
from edge.core.access.ticket import Rotation, Ticket
from edge.core.credential import Credential, CredentialKind
from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS
from tests.core.access.asking import TICKET
from tests.core.decision_case import Room, question
from tests.core.scene import clock_ms, moment, neighbours, token

NOW_MS = clock_ms("15:00")
EMERGENCY = replace(TICKET, is_emergency=True)


def _shown(ticket: Ticket, latest_ms: int = NOW_MS, **fields: Any) -> Decision:
    now = moment(NOW_MS, latest_ms)
    return decide(question(neighbours(), _code(), now, ticket=ticket, **fields))


def test_a_grant_names_the_ticket_and_nobody() -> None:
    answer = _shown(TICKET)
    assert isinstance(answer, Granted)
    assert answer.rule == "ticket"
    person = answer.person
    assert (person.holder, person.booking) == (None, None)
    assert person.ticket == TICKET.ticket_id
    assert answer.facts == (("end", TICKET.expires_ms),)


def test_a_grant_carries_what_its_redemption_remembers() -> None:
    rotating = replace(TICKET, uses=1, rotation=Rotation.PROVEN, rotation_step=7)
    answer = _shown(rotating)
    assert isinstance(answer, Granted)
    facts = dict(answer.facts)
    assert (facts["exp"], facts["step"]) == (TICKET.expires_ms, 7)


def test_a_use_that_cannot_be_remembered_does_not_open() -> None:
    full = Redemptions()
    full.by_ticket = {
        f"t{number}": Redemption(expires_ms=NOW_MS) for number in range(MAX_TICKETS)
    }
    once = replace(TICKET, uses=1)
    answer = _shown(once, redemptions=full)
    assert isinstance(answer, Denied)
    assert (answer.rule, answer.reason) == ("redeemed", DenyReason.STORAGE_FAULT)
    assert isinstance(_shown(TICKET, redemptions=full), Granted)
    full.by_ticket.popitem()
    assert isinstance(_shown(once, redemptions=full), Granted)


@pytest.mark.parametrize("mode", [DoorMode.BLOCKED, DoorMode.LOCKED_DOWN])
def test_an_emergency_ticket_is_a_responders(mode: DoorMode) -> None:
    assert isinstance(_shown(TICKET, mode=mode), Denied)
    assert isinstance(_shown(EMERGENCY, mode=mode), Granted)


@pytest.mark.parametrize("mode", [DoorMode.LOCKED, DoorMode.LOCKED_DOWN])
@pytest.mark.parametrize(
    "ticket",
    [
        replace(EMERGENCY, audience="site-2"),
        replace(EMERGENCY, doors=("lounge",)),
        replace(EMERGENCY, expires_ms=clock_ms("14:30")),
        replace(EMERGENCY, not_before_ms=clock_ms("15:30")),
        replace(EMERGENCY, rotation=Rotation.WRONG),
    ],
)
def test_an_emergency_ticket_must_hold_like_any(ticket: Ticket, mode: DoorMode) -> None:
    answer = _shown(ticket, mode=mode)
    assert isinstance(answer, Denied)
    assert answer.rule == "ticket"


def test_an_emergency_ticket_meets_no_capacity_and_no_unsure_clock() -> None:
    site = question(neighbours(), _code(), moment(NOW_MS)).site
    small = replace(site.spaces["kitchen"], capacity=1)
    tight = replace(site, spaces={**site.spaces, "kitchen": small})
    crowd: dict[str, Any] = {"site": tight, "presence": Room(count=1)}
    assert isinstance(_shown(TICKET, **crowd), Denied)
    assert isinstance(_shown(EMERGENCY, **crowd), Granted)
    answer = _shown(EMERGENCY, UNBOUNDED_MS)
    assert isinstance(answer, Granted)
    assert dict(answer.facts).get("time_unverified") is None


def _code() -> Credential:
    return Credential(kind=CredentialKind.QR, token=token("some code"))
