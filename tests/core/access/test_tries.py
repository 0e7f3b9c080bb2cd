# SPDX-License-Identifier: Apache-2.0
"""Five wrong tries in a row at a reader: an alarm once, and codes wait 60 s."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.access.answers import DenyReason
from edge.core.access.ticket import Rotation, ShownTicket, SpoiltTicket, TicketFlaw
from edge.core.access.tries import MAX_TRIES, PAUSE_S, Tries
from edge.core.credential import Credential, CredentialKind
from edge.core.people.rolls import Rolls
from edge.core.stimulus import Scan
from tests.core.access.asking import TICKET
from tests.core.scene import SITE, neighbours, token

if TYPE_CHECKING:
    from edge.core.event import Facts

UNKNOWN = DenyReason.CREDENTIAL_NOT_FOUND
KNOWN = Rolls(SITE, roster=neighbours()).find(token("wang"))


def _scan(kind: CredentialKind, ticket: ShownTicket | None = None) -> Scan:
    credential = Credential(kind=kind, token=token("wang"))
    return Scan(access_point="in", credential=credential, received_s=0.0, ticket=ticket)


def _alarmed() -> Tries:
    tries = Tries()
    for number in range(MAX_TRIES):
        assert tries.refused("in", UNKNOWN, 0.0) is (number == MAX_TRIES - 1)
    return tries


def test_the_fifth_in_a_row_raises_the_alarm_once() -> None:
    tries = _alarmed()
    assert not any(tries.refused("in", UNKNOWN, 1.0 * n) for n in range(20))


@pytest.mark.parametrize("reason", DenyReason)
def test_only_what_nobody_was_given_is_a_wrong_try(reason: DenyReason) -> None:
    tries = Tries()
    told = [tries.refused("in", reason, 0.0) for _ in range(MAX_TRIES)]
    is_wrong = reason in (UNKNOWN, DenyReason.INVALID_SIGNATURE)
    assert told[-1] is is_wrong
    assert not any(told[:-1])


def test_a_wrong_changing_code_is_a_wrong_try_and_an_old_ticket_is_none() -> None:
    for flaw, is_wrong in (("rotation", True), ("expired", False)):
        tries, reason = Tries(), DenyReason.QR_EXPIRED
        facts: Facts = (("detail", flaw),)
        told = [tries.refused("in", reason, 0.0, facts) for _ in range(MAX_TRIES)]
        assert told[-1] is is_wrong


def test_a_grant_ends_the_row() -> None:
    tries = Tries()
    for _ in range(MAX_TRIES - 1):
        tries.refused("in", UNKNOWN, 0.0)
    tries.granted("in", 0.0)
    told = [tries.refused("in", UNKNOWN, 0.0) for _ in range(MAX_TRIES)]
    assert told == [False] * (MAX_TRIES - 1) + [True]


def test_another_refusal_in_between_does_not_end_it() -> None:
    tries = Tries()
    for _ in range(MAX_TRIES - 1):
        tries.refused("in", UNKNOWN, 0.0)
        assert not tries.refused("in", DenyReason.TOO_EARLY, 0.0)
    assert tries.refused("in", UNKNOWN, 0.0)


def test_codes_wait_for_less_than_60_s_from_the_fifth() -> None:
    tries = _alarmed()
    denied = tries.paused(_scan(CredentialKind.PIN), None, 0.0)
    assert denied is not None
    assert denied.reason is DenyReason.READER_PAUSED
    assert denied.facts == (("wait_s", 60),)
    late = tries.paused(_scan(CredentialKind.PIN), None, PAUSE_S - 0.001)
    assert late is not None
    assert late.facts == (("wait_s", 1),)
    assert tries.paused(_scan(CredentialKind.PIN), None, PAUSE_S) is None


def test_the_right_pin_waits_too_and_is_not_named() -> None:
    denied = _alarmed().paused(_scan(CredentialKind.PIN), KNOWN, 1.0)
    assert denied is not None
    assert denied.person.holder is None


def test_cards_and_known_codes_never_wait() -> None:
    tries = _alarmed()
    spoilt = SpoiltTicket(flaw=TicketFlaw.SIGNATURE)
    assert tries.paused(_scan(CredentialKind.CARD), None, 1.0) is None
    assert tries.paused(_scan(CredentialKind.ID_CARD), None, 1.0) is None
    assert tries.paused(_scan(CredentialKind.QR), KNOWN, 1.0) is None
    assert tries.paused(_scan(CredentialKind.QR, TICKET), None, 1.0) is None
    guessed = replace(TICKET, rotation=Rotation.WRONG)
    for ticket in (spoilt, guessed):
        denied = tries.paused(_scan(CredentialKind.QR, ticket), None, 1.0)
        assert denied is not None
        assert denied.facts == (("wait_s", 59), ("detail", "rate_limited"))
    assert tries.paused(_scan(CredentialKind.QR), None, 1.0) is not None


def test_a_grant_by_card_does_not_end_the_pause() -> None:
    tries = _alarmed()
    tries.granted("in", 1.0)
    assert tries.paused(_scan(CredentialKind.PIN), None, 2.0) is not None


def test_after_the_pause_a_new_row_begins() -> None:
    tries = _alarmed()
    told = [tries.refused("in", UNKNOWN, PAUSE_S) for _ in range(MAX_TRIES)]
    assert told == [False] * (MAX_TRIES - 1) + [True]


def test_each_reader_has_its_own_row() -> None:
    tries = _alarmed()
    elsewhere = Scan(
        access_point="yard",
        credential=Credential(kind=CredentialKind.PIN, token=token("1234")),
        received_s=0.0,
    )
    assert tries.paused(elsewhere, None, 1.0) is None
