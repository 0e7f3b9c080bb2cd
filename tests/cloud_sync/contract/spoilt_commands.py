# SPDX-License-Identifier: Apache-2.0
"""Bad commands and results, each with why and what becomes of it.

The law of the module: as in spoiling.py; a verdict is the product's own word for what
becomes of the value.
"""

from __future__ import annotations

from tests.cloud_sync.contract.spoiling import GONE, Path, Spoilt, bad, unsaid, without

_IAT_S = 1_760_000_000


def _of(of: str, *changes: tuple[str, Path, object]) -> tuple[Spoilt, ...]:
    """Spoil the sample ``of`` that name; its body no longer fits its action."""
    return tuple(
        Spoilt(why=f"{of}: {why}", path=path, value=value, verdict="BODY", of=of)
        for why, path, value in changes
    )


COMMAND = (
    *without("BODY", "jti", "nonce", "iat", "exp", "by", "reason", "door"),
    *without("ACTION", "action"),
    *bad(
        "ACTION",
        ("an action of tomorrow", "action", "fireworks"),
        ("fire, which is never begun from afar", "action", "fire"),
        ("an action in capitals", "action", "OPEN"),
        ("an action that is a number", "action", 1),
    ),
    *bad(
        "BODY",
        ("a name of 31 digits", "jti", "0" * 31),
        ("a name in capitals", "jti", "A" * 32),
        ("a name with a line end", "jti", "a" * 32 + "\n"),
        ("a nonce that is none", "nonce", "1"),
        ("a nonce that is a number", "nonce", 17),
        ("signed before 1970", "iat", -1),
        ("signed at a time that is text", "iat", "2025-10-09T08:53:20Z"),
        ("signed at a truth value", "iat", True),
        ("signed at half a second", "iat", _IAT_S + 0.5),
        ("ends in milliseconds", "exp", (_IAT_S + 15) * 1000),
        ("ends in the year 10000", "exp", 253_402_300_799),
        ("no end", "exp", None),
        ("by nobody", "by", ""),
        ("no door", "door", ""),
        ("by somebody of spaces", "by", "  "),
        ("by somebody of 65 characters", "by", "y" * 65),
        ("a reason of spaces", "reason", " "),
        ("a reason of 65 characters", "reason", "y" * 65),
        ("a reason with a line end", "reason", "telephone\n"),
        ("a door that is a number", "door", 1),
        ("a wish of 31 digits", "wish", "0" * 31),
        ("a wish without a name", "wish", ""),
    ),
    *_of(
        "resident_open",
        ("without its door", "door", GONE),
        ("no booking", "booking", ""),
        ("a booking that is a number", "booking", 2210),
    ),
    *_of(
        "mode",
        ("without its mode", "mode", GONE),
        ("without its end", "until", GONE),
        ("a mode for hands alone", "mode", "LOCKED_OPEN"),
        ("an end that is text", "until", "18:00"),
        ("an end before 1970", "until", -1),
        ("ends never", "until", 253_402_300_799_999),
    ),
    *_of("back to what the door was", ("without its door", "door", GONE)),
    *_of(
        "locker_open",
        ("without its bank", "bank", GONE),
        ("without its compartment", "number", GONE),
        ("compartment 0", "number", 0),
        ("compartment 65", "number", 65),
        ("a compartment that is text", "number", "7"),
    ),
    *_of("revoke_now", ("without its holder", "holder", GONE)),
    *_of(
        "message",
        ("without its text", "text", GONE),
        ("141 characters", "text", "y" * 141),
        ("of spaces", "text", " "),
        ("of two lines", "text", "a\nb"),
    ),
    *_of(
        "shelter",
        ("without its site", "site", GONE),
        ("a site that is a number", "site", 7),
        ("without seals", "seals", GONE),
        ("one seal", "seals", ["e30.e30.e30"]),
        ("five seals", "seals", ["e30.e30.e30"] * 5),
        ("a seal that is a number", "seals", ["e30.e30.e30", 7]),
        ("an empty seal", "seals", ["e30.e30.e30", ""]),
        ("a seal in Chinese", "seals", ["e30.e30.e30", "章"]),
        ("seals in one text", "seals", "e30.e30.e30"),
    ),
    *_of(
        "erase",
        ("without its holder", "holder", GONE),
        ("nobody", "holder", ""),
        ("several at once", "holder", ["h-0817", "h-0818"]),
    ),
    *unsaid(
        "NONCE",
        "which connection stands",
        ("for an earlier connection", "nonce", "f" * 32),
    ),
    *unsaid(
        "LIFETIME",
        "that two fields agree",
        ("lives for 31 s", "exp", _IAT_S + 31),
        ("ends when it is signed", "exp", _IAT_S),
        ("ends before it is signed", "iat", _IAT_S + 16),
    ),
    *unsaid(
        "EXPIRED",
        "what time it is",
        ("its time is over", "exp", _IAT_S + 1),
    ),
)
RESULT = (
    *without("GARBLED", "data/jti", "data/state"),
    *bad(
        "GARBLED",
        ("a name of 31 digits", "data/jti", "0" * 31),
        ("a state of tomorrow", "data/state", "sleeping"),
        ("a state that is a number", "data/state", 1),
        ("a reason that is a number", "data/reason", 7),
        ("why is a list", "data/why", []),
        ("a negative event", "data/seq", -1),
        ("an event that is text", "data/seq", "1207"),
        ("an event beyond 63 bits", "data/seq", 1 << 63),
        ("an id without the state", "id", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("the id names another command", "id", f"{'f' * 32}:received"),
        ("the id names another state", "data/state", "actuated"),
    ),
)
