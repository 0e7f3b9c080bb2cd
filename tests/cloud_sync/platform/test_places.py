# SPDX-License-Identifier: Apache-2.0
"""Where a resident stands: which code he scanned, of which door, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.door_code import FRESH_MS, SLOT_MS, CodeFlaw, make_code
from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.platform import boxes
from cloud_sync.platform.boxes import BoxError
from cloud_sync.platform.commanding import places, residents, wishes
from cloud_sync.platform.commanding.passes import DAY_MS, PassReader, issue
from cloud_sync.platform.commanding.residents import Refusal, ResidentError
from cloud_sync.platform.commanding.wishes import Wanted
from cloud_sync.platform.enrolment import certificates
from cloud_sync.platform.keys import Signer
from edge.core.event import EventKind
from edge.core.remote.command import Action
from tests.cloud_sync.platform.office import DOOR
from tests.cloud_sync.platform.test_residents_and_erasing import (
    BOOKED,
    ENABLED,
    put_rows,
)
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED

if TYPE_CHECKING:
    from tests.cloud_sync.platform.office import Office

BOX = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = BOX.public_key().public_bytes_raw()


async def booked(
    office: Office, *, is_fresh: bool = False, space: str = "kitchen"
) -> None:
    """Let h-1 have a booking for now, and the door stand under an address."""
    now_ms = office.now_ms
    hour = {"from": now_ms - 60_000, "to": now_ms + 3_600_000}
    rows = {"holder__h-1": ENABLED, "booking__b1": BOOKED | hour | {"space": space}}
    await put_rows(office, **rows)
    async with office.database.writing() as work:
        await residents.set_door(work, GATEWAY, DOOR, "kitchen", (10, 5))
        await places.set_address(work, "site-1", DOOR, GATEWAY, is_fresh=is_fresh)


async def trust(office: Office, fingerprint: str = "") -> None:
    async with office.database.writing() as work:
        typed = fingerprint or fingerprint_of(PUBLIC)
        await boxes.trust(work, GATEWAY, PUBLIC.hex(), typed, office.now_ms)


async def asks(office: Office, code: str = "") -> int:
    wanted = Wanted(
        gateway=GATEWAY,
        action=Action.RESIDENT_OPEN,
        by="h-1",
        reason="",
        fields={"door": DOOR},
    )
    async with office.database.writing() as work:
        return await wishes.make_for_resident(work, wanted, office.now_ms, code)


async def refused(office: Office, code: str = "") -> str:
    with pytest.raises(ResidentError) as caught:
        await asks(office, code)
    return caught.value.name


def shown(office: Office, ago_ms: int = 0, door: str = DOOR) -> str:
    return make_code(BOX.sign, GATEWAY, door, office.now_ms - ago_ms)


async def test_the_code_on_the_screen_opens_and_stands_in_the_journal(
    office: Office,
) -> None:
    await office.greet()
    await booked(office, is_fresh=True)
    assert await refused(office) == Refusal.CODE_MISSING
    # A box whose key nobody has compared proves nothing.
    assert await refused(office, shown(office)) == CodeFlaw.CODE_FORGED
    await trust(office)
    for code, name in (
        (shown(office, FRESH_MS + SLOT_MS), CodeFlaw.CODE_STALE),
        (shown(office, -2 * SLOT_MS), CodeFlaw.CODE_AHEAD),
        (shown(office, door="hall-door"), CodeFlaw.CODE_FORGED),
        ("x", CodeFlaw.CODE_UNREADABLE),
    ):
        assert await refused(office, code) == name
    number = await asks(office, shown(office))
    assert await office.send() == 1
    assert await office.state(number) == "actuated"
    [event] = office.far.events(EventKind.COMMAND_RECEIVED)
    assert dict(event.facts)["reason"] == places.SCREEN
    assert await refused(office, shown(office)) == Refusal.TOO_OFTEN


async def test_a_poster_does_where_the_site_says_so_and_a_bad_code_never(
    office: Office,
) -> None:
    await office.greet()
    await booked(office)
    await trust(office)
    assert await refused(office, shown(office, 86_400_000)) == CodeFlaw.CODE_STALE
    await asks(office)


async def test_a_booking_for_another_room_is_told_apart_from_none(
    office: Office,
) -> None:
    await booked(office, space="lounge")
    assert await refused(office) == Refusal.WRONG_SPACE
    await put_rows(office, booking__b1=BOOKED | {"from": 1, "to": 2})
    assert await refused(office) == Refusal.NO_BOOKING


async def test_a_key_counts_once_its_fingerprint_was_compared_and_not_when_revoked(
    office: Office,
) -> None:
    other = fingerprint_of(bytes(32))
    with pytest.raises(BoxError, match="another than was typed"):
        await trust(office, other)
    await trust(office, fingerprint_of(PUBLIC).replace("-", " ").upper())
    async with office.database.writing() as work:
        assert await boxes.key_of(work, GATEWAY) == PUBLIC
        await boxes.forget(work, GATEWAY)
        assert await boxes.key_of(work, GATEWAY) is None
        with pytest.raises(BoxError, match="compared by hand"):
            await boxes.forget(work, GATEWAY)
        await work.execute(
            "INSERT INTO box (gateway, site, box, seal, enrolled_ms)"
            " VALUES (?1, 'site-1', ?2, ?2, 1)",
            GATEWAY,
            PUBLIC.hex(),
        )
        assert await boxes.key_of(work, GATEWAY) == PUBLIC
        await work.execute(
            "INSERT INTO certificate (serial, gateway, issued_ms, ends_ms,"
            " revoked_ms) VALUES ('1', ?1, 1, 2, 2)",
            GATEWAY,
        )
        assert await boxes.key_of(work, GATEWAY) is None
    # Compared by hand before it was stolen: it ends with its certificates.
    await trust(office)
    async with office.database.writing() as work:
        await certificates.revoke(work, GATEWAY, office.now_ms, but="9")
        assert await boxes.key_of(work, GATEWAY) == PUBLIC
        await certificates.revoke(work, GATEWAY, office.now_ms)
        assert await boxes.key_of(work, GATEWAY) is None


async def test_a_pass_is_one_holders_at_one_gateway_for_a_time(office: Office) -> None:
    await booked(office)
    signer, now_ms = Signer(KID, SEED), office.now_ms
    async with office.database.reading() as work:
        made = await issue(work, signer, GATEWAY, "h-1", 30, now_ms)
        with pytest.raises(ResidentError, match="no holder h-9"):
            await issue(work, signer, GATEWAY, "h-9", 30, now_ms)
    reader, stranger = PassReader(signer), PassReader(Signer(KID, bytes(32)))
    assert reader.holder(f" {made}\n", GATEWAY, now_ms) == "h-1"
    assert reader.holder(made, GATEWAY, now_ms + 30 * DAY_MS) is None
    assert reader.holder(made, "gw-other", now_ms) is None
    assert stranger.holder(made, GATEWAY, now_ms) is None
    for nonsense in ("", "é", made[:-4], made + "A" * 600, "a.b.c"):
        assert reader.holder(nonsense, GATEWAY, now_ms) is None
