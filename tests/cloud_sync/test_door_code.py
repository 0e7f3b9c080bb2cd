# SPDX-License-Identifier: Apache-2.0
"""The code on a door's screen says that somebody was there just now, or nothing."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.door_code import (
    AHEAD_MS,
    FRESH_MS,
    SLOT_MS,
    CodeFlaw,
    flaw_of,
    make_code,
)

BOX = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = BOX.public_key().public_bytes_raw()
GATEWAY, DOOR = "gw-kitchen-01", "kitchen-door"
#: The beginning of a half minute.
NOW_MS = 1_760_000_010_000 // SLOT_MS * SLOT_MS


def flaw(code: str, now_ms: int = NOW_MS, **other: str) -> CodeFlaw | None:
    gateway, door = other.get("gateway", GATEWAY), other.get("door", DOOR)
    return flaw_of(PUBLIC, gateway, door, code, now_ms)


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (0, None),
        (FRESH_MS, None),
        (FRESH_MS + 1, CodeFlaw.CODE_STALE),
        (86_400_000, CodeFlaw.CODE_STALE),
        (-AHEAD_MS, None),
        (-AHEAD_MS - 1, CodeFlaw.CODE_AHEAD),
    ],
)
def test_a_code_counts_for_a_minute_from_its_beginning(
    age_ms: int, expected: CodeFlaw | None
) -> None:
    assert flaw(make_code(BOX.sign, GATEWAY, DOOR, NOW_MS), NOW_MS + age_ms) is expected


def test_a_screen_shows_one_code_for_half_a_minute_and_then_another() -> None:
    at = [NOW_MS, NOW_MS + SLOT_MS - 1, NOW_MS + SLOT_MS]
    first, same, other = (make_code(BOX.sign, GATEWAY, DOOR, each) for each in at)
    assert first == same != other
    # Who read it in its last moment has half a minute to press.
    assert flaw(first, NOW_MS + SLOT_MS + SLOT_MS - 1) is None


def test_a_code_is_of_one_door_of_one_box() -> None:
    code = make_code(BOX.sign, GATEWAY, DOOR, NOW_MS)
    assert flaw(code, door="hall-door") is CodeFlaw.CODE_FORGED
    assert flaw(code, gateway="gw-kitchen-02") is CodeFlaw.CODE_FORGED
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = make_code(other.sign, GATEWAY, DOOR, NOW_MS)
    assert flaw(forged) is CodeFlaw.CODE_FORGED
    slot, _, signature = code.partition(".")
    assert flaw(f"{int(slot) + 1}.{signature}") is CodeFlaw.CODE_FORGED
    assert flaw(f"0{slot}.{signature}") is None  # the same number, the same word
    assert flaw_of(bytes(31), GATEWAY, DOOR, code, NOW_MS) is CodeFlaw.CODE_FORGED


@pytest.mark.parametrize(
    "code",
    [
        *("", ".", "x", "1", "1.", "1.AA", "-1." + "A" * 86, "1." + "A" * 87),
        *(
            "١." + "A" * 86,
            "1." + "é" * 86,
            "1" * 13 + "." + "A" * 86,
            "1.\n" + "A" * 85,
        ),
    ],
)
def test_what_is_no_code_is_unreadable(code: str) -> None:
    assert flaw(code) is CodeFlaw.CODE_UNREADABLE
