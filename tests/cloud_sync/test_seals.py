# SPDX-License-Identifier: Apache-2.0
"""Two operators' seals over one order, and everything that is less than that."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.command_body import SignedCommand, read_command
from cloud_sync.seals import Witnesses, order_text
from edge.core.remote.command import RemoteCommand
from tests.cloud_sync.operators import OPERATORS, SITE, public_keys, seal, sealed
from tests.cloud_sync.scripted_platform import GATEWAY, OTHER_SEED, SEED, public_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = tuple(OPERATORS)
CHEN, LUO = BOTH
DRAWN = 20261122


def order(**changes: Any) -> dict[str, Any]:
    """Return a shelter as the platform would sign it, before its seals."""
    told = {
        "gw": GATEWAY,
        "jti": "0f" * 16,
        "nonce": "1f" * 16,
        "iat": 1_760_000_000,
        "exp": 1_760_000_030,
        "action": "shelter",
        "by": CHEN,
        "reason": "typhoon",
        "site": SITE,
    }
    return told | changes


def witnesses(**changes: Any) -> Witnesses:
    return Witnesses(public_keys(), **({"site": SITE, "gateway": GATEWAY} | changes))


def who(body: dict[str, Any], at: Witnesses | None = None) -> tuple[str, ...]:
    """Return whose seals count on a command as it comes out of its signature."""
    read = read_command(body)
    assert isinstance(read, SignedCommand), read
    assert isinstance(read.wish, RemoteCommand), read.wish
    return (at or witnesses()).of(read.wish.order_text, read.wish.seals)


def by(*operators: str, **changes: Any) -> list[str]:
    """Return these operators' seals over an order that may be another."""
    return [seal(order(**changes), each) for each in operators]


def test_two_operators_are_two() -> None:
    assert who(sealed(order())) == BOTH
    assert who(order() | {"seals": by(LUO, CHEN)}) == BOTH
    assert who(order() | {"seals": by(LUO, CHEN, LUO)}) == BOTH
    assert who(sealed(order()) | {"newer": 1}) == BOTH


#: What a thief of the platform's key could put together, and who it counts for.
LESS: dict[str, Callable[[], tuple[list[str], tuple[str, ...]]]] = {
    "one operator twice": lambda: (by(CHEN, CHEN), (CHEN,)),
    "one forged": lambda: (
        [*by(CHEN), seal(order(), LUO, seed=OTHER_SEED)],
        (CHEN,),
    ),
    "one under the other's name": lambda: (
        [*by(CHEN), seal(order(), CHEN, kid=LUO)],
        (CHEN,),
    ),
    "the platform's key alone": lambda: (
        [seal(order(), each, seed=SEED) for each in BOTH],
        (),
    ),
    "the platform's key under its own name": lambda: (
        [*by(CHEN), seal(order(), LUO, seed=SEED, kid="platform-1")],
        (CHEN,),
    ),
    "a site's swapped": lambda: (by(*BOTH, site="hall-8"), ()),
    "of another gateway": lambda: (by(*BOTH, gw="gw-hall-02"), ()),
    "replayed from an earlier command": lambda: (by(*BOTH, jti="2f" * 16), ()),
    "replayed from an earlier connection": lambda: (by(*BOTH, nonce="2f" * 16), ()),
    "over an earlier end": lambda: (by(*BOTH, exp=1_760_000_010), ()),
    "over another reason": lambda: (by(*BOTH, reason="rain"), ()),
    "over another action": lambda: (by(*BOTH, action="open"), ()),
    "over more than the order": lambda: (by(*BOTH, door="front"), ()),
    "for another purpose": lambda: (
        [seal(order(), each, typ="mn.cmd.v1") for each in BOTH],
        (),
    ),
    "one alone and noise": lambda: ([*by(LUO), "e30.e30.e30"], (LUO,)),
}


@pytest.mark.parametrize("what", LESS)
def test_less_is_not_two(what: str) -> None:
    seals, counted = LESS[what]()
    assert who(order() | {"seals": seals}) == counted


def test_a_seal_for_a_neighbours_site_counts_at_neither() -> None:
    swapped = sealed(order(site="hall-8"))
    assert who(swapped) == ()
    assert who(swapped, witnesses(site="hall-8")) == BOTH
    assert who(swapped, witnesses(site="hall-8", gateway="gw-hall-02")) == ()


def test_one_key_under_two_names_is_one_operator() -> None:
    keys = dict.fromkeys(BOTH, public_bytes(OPERATORS[CHEN]).hex())
    same = Witnesses(keys, site=SITE, gateway=GATEWAY)
    seals = [seal(order(), CHEN), seal(order(), CHEN, kid=LUO)]
    assert len(who(order() | {"seals": seals}, same)) == 1


def test_where_nobody_is_named_nobody_counts() -> None:
    assert who(sealed(order()), Witnesses({}, site=SITE, gateway=GATEWAY)) == ()


def test_a_key_that_anybody_can_sign_for_is_refused() -> None:
    with pytest.raises(ValueError, match="anybody can sign"):
        Witnesses({CHEN: "00" * 32}, site=SITE, gateway=GATEWAY)


def test_two_thousand_altered_seals_never_make_two() -> None:
    rng = random.Random(DRAWN)
    print(f"seed {DRAWN}")
    site, good = witnesses(), sealed(order())["seals"]
    for _ in range(2_000):
        spoilt = list(good[rng.randrange(2)])
        for _ in range(rng.randint(1, 4)):
            spoilt[rng.randrange(len(spoilt) - 2)] = rng.choice("AZaz09-_.!")
        seals = [rng.choice(good), "".join(spoilt)]
        counted = site.of(order_text(order()), seals)
        is_same = "".join(spoilt) in good
        assert len(counted) < 2 or is_same, json.dumps(seals)
