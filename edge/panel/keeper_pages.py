# SPDX-License-Identifier: Apache-2.0
"""People and tablets, for the manager; tablets for the installer too.

The law of the module: what may be done is the gateway's to say; a PIN that was typed
stands in no answer. A second person agrees with a PIN of his own where it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.vouching import Pin, Short, Token, accounts_of, others, vouched

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor


def qr(text: str) -> Markup:
    """Draw a code as an inline picture, without a style of its own."""
    import segno  # noqa: PLC0415  1 MB, for a page or two that few open

    drawn = segno.make(text, micro=False, error="m")
    return Markup(drawn.svg_inline(scale=6, border=3, svgclass=None, lineclass=None))  # noqa: S704  our own address


def add_keepers(app: FastAPI, ground: Ground) -> None:
    """Add the pages of people and of tablets."""
    _add_people(app, ground)
    _add_tablets(app, ground)
    _add_last_questions(app, ground)


def _add_people(app: FastAPI, ground: Ground) -> None:
    @app.get("/people")
    async def read_people(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        accounts = await accounts_of(ground, visitor)
        return ground.draw(
            "people.html",
            visitor,
            told,
            accounts=accounts,
            others=others(accounts, visitor),
        )

    @app.get("/people/{account}")
    async def read_person(request: Request, account: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        each, agree = await _person(ground, visitor, account)
        return ground.draw("person.html", visitor, each=each, others=agree)

    @app.post("/people/add")
    async def add(
        request: Request,
        *,
        token: Token,
        name: Short,
        role: Short = "VOLUNTEER",
        holder: Short = "",
        pin: Pin = "",
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        fields = {"name": name, "role": role, "holder": holder, "pin": pin}
        fields |= vouched(second, second_pin)
        done = await _change(ground, request, token, "account-add", fields)
        return go(told("/people", "added" if done == "done" else done))

    @app.post("/people/retire")
    async def retire(
        request: Request,
        *,
        token: Token,
        account: Short,
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        fields = {"account": account} | vouched(second, second_pin)
        done = await _change(ground, request, token, "account-retire", fields)
        return go(told("/people", "retired" if done == "done" else done))

    @app.post("/people/pin")
    async def set_pin(
        request: Request,
        *,
        token: Token,
        account: Short,
        pin: Pin,
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        fields = {"account": account, "pin": pin} | vouched(second, second_pin)
        done = await _change(ground, request, token, "account-pin", fields)
        return go(told("/people", "pin_set" if done == "done" else done))


async def _person(
    ground: Ground, visitor: Visitor, account: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return somebody who may still be changed, and who could agree to it."""
    accounts = await accounts_of(ground, visitor)
    mine = [one for one in accounts if one["id"] == account]
    if not mine or mine[0]["is_retired"]:
        raise HTTPException(404)
    return mine[0], others(accounts, visitor, account)


async def _change(
    ground: Ground, request: Request, token: str, verb: str, fields: dict[str, str]
) -> str:
    """Have somebody changed; return the word for what became of it."""
    visitor: Visitor = request.state.visitor
    ground.spend(visitor, token, "/people")
    answer = await ground.ask(verb, visitor, within_s=2 * PIN_S, **fields)
    # What the gateway refuses outright here is a second person who is missing.
    return str(answer.get("state")) if answer.get("ok") else "second"


def _add_tablets(app: FastAPI, ground: Ground) -> None:
    @app.get("/tablets")
    async def read_tablets(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known = await ground.ask("tablets", visitor)
        url = f"{ground.address.url}pair?t={known.get('code')}"
        drawn = qr(url) if known.get("code") else ""
        return ground.draw("tablets.html", visitor, told, known=known, qr=drawn)

    @app.post("/tablets/pair")
    async def begin(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/tablets")
        answer = await ground.ask("pair-begin", visitor)
        return go("/tablets" if answer.get("ok") else told("/tablets", "full"))

    @app.post("/tablets/retire")
    async def retire(request: Request, token: Token, id: Short) -> RedirectResponse:  # noqa: A002  the field's name
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/tablets")
        answer = await ground.ask("tablet-retire", visitor, id=id)
        state = str(answer.get("state"))
        return go(told("/tablets", "tablet_retired" if state == "done" else state))


def _add_last_questions(app: FastAPI, ground: Ground) -> None:
    """Add what is asked once more before somebody, or a tablet, ends."""

    @app.get("/people/{account}/retire")
    async def ask_for_account(request: Request, account: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        each, agree = await _person(ground, visitor, account)
        if each["id"] == visitor.account:
            raise HTTPException(404)
        return ground.draw(
            "retire.html",
            visitor,
            words="people.retire",
            who=each["name"],
            back=f"/people/{each['id']}",
            action="/people/retire",
            field="account",
            how="screens.ends_account",
            id=each["id"],
            others=agree if each["role"] != "VOLUNTEER" else (),
            is_this=False,
        )

    @app.get("/tablets/{tablet}/retire")
    async def ask_for_tablet(request: Request, tablet: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known = (await ground.ask("tablets", visitor)).get("tablets", [])
        each = next((one for one in known if one["id"] == tablet), None)
        if each is None:
            raise HTTPException(404)
        return ground.draw(
            "retire.html",
            visitor,
            words="tablets.retire",
            who=each["name"],
            back="/tablets",
            action="/tablets/retire",
            field="id",
            how="screens.ends_tablet",
            id=each["id"],
            others=(),
            is_this=each["is_this"],
        )
