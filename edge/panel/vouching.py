# SPDX-License-Identifier: Apache-2.0
"""Fields that forms of people share, and the second person who agrees with a PIN.

The law of the module: who could agree is the gateway's list, read so that nothing of
it can go wrong; whether he did is the gateway's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form

from edge.panel.fields import rows, text

if TYPE_CHECKING:
    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=64)]
Pin = Annotated[str, Form(max_length=12)]
MAX_ACCOUNTS = 200


async def accounts_of(ground: Ground, visitor: Visitor) -> list[dict[str, Any]]:
    """Return everybody who has an account, as a manager may know them."""
    known = rows((await ground.ask("accounts", visitor)).get("accounts"), MAX_ACCOUNTS)
    words = ("id", "name", "role")
    claims = ("has_pin", "has_card", "is_retired", "is_on_duty")
    return [
        {
            **{word: text(one.get(word), 64) for word in words},
            **{claim: one.get(claim) is True for claim in claims},
        }
        for one in known
    ]


def others(
    accounts: list[dict[str, Any]], visitor: Visitor, *but: str
) -> list[dict[str, Any]]:
    """Return who could agree as a second person: not he who asks, nor ``but`` these."""
    return [
        one
        for one in accounts
        if one["has_pin"]
        and not one["is_retired"]
        and one["id"] not in (visitor.account, *but)
    ]


def vouched(account: str, pin: str) -> dict[str, str]:
    """Return the fields of who agreed; none where nobody was named."""
    return {"second_account": account, "second_pin": pin} if account else {}
