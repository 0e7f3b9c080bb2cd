# SPDX-License-Identifier: Apache-2.0
"""What somebody wants done at a site: made, checked and kept until it is done.

The law of the module: a wish is one act at one place, and there is no other way to a
command: nothing opens many doors at once. Limits are counted in the transaction that
makes it. An operator signs his wish with his own key, and that is looked at again
before the platform signs.
Source: docs/platform.md, "Commands".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud_sync.command_body import SignedCommand, read_command
from cloud_sync.platform import registry
from cloud_sync.platform.commanding import places, residents
from cloud_sync.platform.commanding.operators import MAY, Operator, Role, at_work
from cloud_sync.refusal import Refused
from cloud_sync.signing import PlatformKeys
from edge.core.chain import canonical
from edge.core.remote.command import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Row, Work
    from cloud_sync.platform.keys import Signer

#: What an operator signs.
PURPOSE = "mn.wish.v1"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
#: How long a wish lives that nobody heard of; who stands at a door does not wait long:
#: a resident has been told to show his card by then, and nothing is signed behind that.
LIVES_MS: dict[Action, int] = {
    Action.RESIDENT_OPEN: 2_000,
    Action.OPEN: MINUTE_MS,
    Action.LOCKER_OPEN: MINUTE_MS,
    Action.MODE: 10 * MINUTE_MS,
    Action.SHELTER: 10 * MINUTE_MS,
    Action.FEED_REFRESH: HOUR_MS,
    Action.MESSAGE: 24 * HOUR_MS,
    Action.REVOKE_NOW: 30 * 24 * HOUR_MS,
    Action.ERASE: 366 * 24 * HOUR_MS,
}
#: Openings of operators at one site in an hour, whoever they are.
OPENS_A_SITE = 10
#: Whatever one operator wants in an hour.
ACTS_AN_HOUR = 120
#: Openings for residents at one door: one in such a time, and so many an hour.
RESIDENT_EVERY_MS, RESIDENTS_AN_HOUR = 10_000, 60
OPENING = ("open", "locker_open", "mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One act: what, where, by whom and why; ``fields`` are the action's own."""

    gateway: str
    action: Action
    by: str
    reason: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The leaf that it opens, "" for none."""
        if self.action is Action.MODE and self.fields.get("mode") != "UNLOCKED":
            return ""
        bank = self.fields.get("bank")
        if bank is not None:
            return f"{bank}#{self.fields.get('number')}"
        return str(self.fields.get("door", ""))

    def flaw(self) -> str:
        """Return what a gateway would find wrong with it, "" for nothing."""
        body = {"jti": "0" * 32, "nonce": "0" * 32, "iat": 1, "exp": 2}
        body |= {"gw": self.gateway, "action": self.action.value, "by": self.by}
        body |= {"reason": self.reason, **self.fields}
        if self.action is Action.SHELTER:
            body["seals"] = ["-", "-"]
        read = read_command(body)
        wish = read.wish if isinstance(read, SignedCommand) else read
        if isinstance(wish, Refused):
            return wish.why
        if self.action is Action.ERASE:
            holder = str(self.fields["holder"])
            if holder in self.by or holder in self.reason:
                return "'by' and 'reason' stay for good: name the person nowhere"
        return ""


class WishError(Exception):
    """Something cannot be wished; the text says why and what to do."""


async def make(work: Work, wanted: Wanted, signer: Signer, now_ms: int) -> int:
    """Note an operator's wish, signed with his own key; return its number."""
    operator = await _allowed(work, wanted, now_ms)
    signed = signer.sign(PURPOSE, _own_word(wanted, now_ms)).decode()
    if not holds(operator, wanted, signed, now_ms):
        raise WishError(
            f"this is not the key of {operator.operator}; name his key with --key"
        )
    await _check_limits(work, operator, wanted, now_ms)
    return await _insert(work, wanted, signed, now_ms)


async def make_for_resident(
    work: Work, wanted: Wanted, now_ms: int, code: str = ""
) -> int:
    """Note that a resident wants in who scanned the code at the door.

    ``code`` is what the door's screen showed, "" where he scanned its poster. Place
    and booking are ours to check, and both stand in the command. ResidentError says
    why he is not let in.
    """
    await registry.known(work, wanted.gateway)
    door = str(wanted.fields["door"])
    await places.check(work, wanted.gateway, door, code, now_ms)
    booking = await residents.booking_now(work, wanted.gateway, door, wanted.by, now_ms)
    lately = await _made(work, wanted.gateway, door, now_ms, ("resident_open",))
    if len(lately) >= RESIDENTS_AN_HOUR or any(
        now_ms - made_ms < RESIDENT_EVERY_MS for _, made_ms in lately
    ):
        raise residents.ResidentError(
            residents.Refusal.TOO_OFTEN,
            "too often; wait ten seconds, or show your card",
        )
    known = Wanted(
        gateway=wanted.gateway,
        action=Action.RESIDENT_OPEN,
        by=wanted.by,
        reason=places.SCREEN if code else places.POSTER,
        fields={"door": door, "booking": booking},
    )
    if known.flaw():
        raise WishError(known.flaw())
    return await _insert(work, known, "", now_ms)


def holds(operator: Operator, wanted: Wanted, signed: str, now_ms: int) -> bool:
    """Say whether this very wish is the operator's own word, and still young enough.

    A row of the table may have been altered, or put beside the word for another act.
    """
    keys = PlatformKeys({operator.operator: operator.key})
    told = keys.open(signed.encode(), PURPOSE, wanted.gateway)
    if isinstance(told, Refused):
        return False
    made_ms = told.get("made")
    if not isinstance(made_ms, int) or now_ms >= made_ms + LIVES_MS[wanted.action]:
        return False
    return canonical(told) == _own_word(wanted, made_ms)


async def cancel(work: Work, number: int) -> None:
    """Have a wish signed no more; what was sent may still be done."""
    done = await work.fetch(
        "UPDATE wish SET is_open = 0, state = CASE WHEN state = 'waiting' THEN"
        " 'cancelled' ELSE state END WHERE id = ?1 AND is_open = 1 RETURNING id",
        number,
    )
    if not done:
        raise WishError(f"wish {number} is not waiting for anything")


async def state_of(work: Work, number: int) -> tuple[str, str]:
    """Return how far a wish has come, and why, where there is a reason."""
    rows = await work.fetch("SELECT state, why FROM wish WHERE id = ?1", number)
    if not rows:
        raise WishError(f"there is no wish {number}")
    return rows[0][0], rows[0][1]


async def recent(work: Work, count: int) -> Sequence[Row]:
    """Return the newest wishes with how many commands were signed for each."""
    return await work.fetch(
        "SELECT w.id, w.made_ms, w.gateway, w.operator, w.action, w.fields, w.state,"
        " w.why, w.told_ms,"
        " (SELECT count(*) FROM command AS c WHERE c.wish = w.id),"
        " (SELECT min(c.signed_ms) FROM command AS c WHERE c.wish = w.id)"
        " FROM wish AS w ORDER BY w.id DESC LIMIT ?1",
        count,
    )


async def _allowed(work: Work, wanted: Wanted, now_ms: int) -> Operator:
    await registry.known(work, wanted.gateway)
    operator = await at_work(work, wanted.by)
    if operator is None:
        raise WishError(f"no operator {wanted.by} at work; see `operator list`")
    if wanted.action not in MAY[operator.role]:
        raise WishError(
            f"{wanted.by} is of the {operator.role.value}; a {Role.MANAGER.value} may"
        )
    if now_ms <= 0 or wanted.flaw():
        raise WishError(wanted.flaw())
    return operator


async def _check_limits(
    work: Work, operator: Operator, wanted: Wanted, now_ms: int
) -> None:
    since_ms = now_ms - HOUR_MS
    [(acts,)] = await work.fetch(
        "SELECT count(*) FROM wish WHERE operator = ?1 AND made_ms > ?2",
        operator.operator,
        since_ms,
    )
    if acts >= ACTS_AN_HOUR:
        raise WishError(f"{ACTS_AN_HOUR} wishes an hour, wait")
    if not wanted.place:
        return
    opened = await work.fetch(
        "SELECT gateway, operator, place FROM wish WHERE made_ms > ?1 AND place <> ''"
        " AND operator <> '' AND state <> 'cancelled'",
        since_ms,
    )
    here = [each for each in opened if each[0] == wanted.gateway]
    for limit, found, what in (
        (OPENS_A_SITE, here, "this site"),
        (operator.door_hour, [e for e in here if e[2] == wanted.place], wanted.place),
        (
            operator.opens_hour,
            [each for each in opened if each[1] == operator.operator],
            operator.operator,
        ),
    ):
        if len(found) >= limit:
            raise WishError(f"{limit} openings an hour for {what} are used up")


async def _made(
    work: Work, gateway: str, place: str, now_ms: int, actions: Sequence[str]
) -> list[tuple[str, int]]:
    rows = await work.fetch(
        "SELECT action, made_ms FROM wish WHERE gateway = ?1 AND place = ?2"
        " AND made_ms > ?3",
        gateway,
        place,
        now_ms - HOUR_MS,
    )
    return [(action, made_ms) for action, made_ms in rows if action in actions]


async def _insert(work: Work, wanted: Wanted, signed: str, now_ms: int) -> int:
    is_resident = wanted.action is Action.RESIDENT_OPEN
    [(number,)] = await work.fetch(
        "INSERT INTO wish (name, key, gateway, operator, action, place, fields,"
        " reason, signed, made_ms, until_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
        secrets.token_hex(16),
        secrets.token_hex(16),
        wanted.gateway,
        "" if is_resident else wanted.by,
        wanted.action.value,
        wanted.place,
        canonical(wanted.fields | ({"by": wanted.by} if is_resident else {})),
        wanted.reason,
        signed,
        now_ms,
        now_ms + LIVES_MS[wanted.action],
    )
    return int(number)


def _own_word(wanted: Wanted, now_ms: int) -> str:
    told: dict[str, Any] = {"gw": wanted.gateway, "action": wanted.action.value}
    told |= {
        "by": wanted.by,
        "reason": wanted.reason,
        "fields": wanted.fields,
        "made": now_ms,
    }
    return canonical(told)
