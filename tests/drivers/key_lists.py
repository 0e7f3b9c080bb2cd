# SPDX-License-Identifier: Apache-2.0
"""Keys as a scanner presses them: lists of (code, value), and the kernel's events."""

from __future__ import annotations

import struct

#: The main rows of a US keyboard by their codes, as printed on its keys; not the
#: driver's table.
KEYS = {
    "1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11,
    "-": 12, "=": 13, "Q": 16, "W": 17, "E": 18, "R": 19, "T": 20, "Y": 21, "U": 22,
    "I": 23, "O": 24, "P": 25, "[": 26, "]": 27, "A": 30, "S": 31, "D": 32, "F": 33,
    "G": 34, "H": 35, "J": 36, "K": 37, "L": 38, ";": 39, "'": 40, "`": 41, "\\": 43,
    "Z": 44, "X": 45, "C": 46, "V": 47, "B": 48, "N": 49, "M": 50, ",": 51, ".": 52,
    "/": 53, " ": 57,
}  # fmt: skip
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))
ENTER, TAB, SHIFT, RIGHT_SHIFT, ALT, CTRL, CAPS = 28, 15, 42, 54, 56, 29, 58
UP, DOWN, REPEAT = 0, 1, 2

Presses = list[tuple[int, int]]


def tap(code: int) -> Presses:
    return [(code, DOWN), (code, UP)]


def typed(text: bytes, *, end: int | None = ENTER, shift: int = SHIFT) -> Presses:
    """What a scanner presses for a text: shift around each character that needs it."""
    presses: Presses = []
    for character in text.decode("ascii"):
        key = SHIFTED.get(character, character)
        code = KEYS[key.upper()]
        if key != character or character.isupper():
            presses += [(shift, DOWN), *tap(code), (shift, UP)]
        else:
            presses += tap(code)
    return presses + (tap(end) if end is not None else [])


def events(presses: Presses, *, size: int = 24) -> bytes:
    """The events of the kernel: MSC_SCAN, the key, SYN_REPORT, with a time."""
    layout = struct.Struct({24: "=qqHHi", 16: "=iiHHi"}[size])
    data = b""
    for index, (code, value) in enumerate(presses):
        at = (1_700_000_000, index * 1000)
        data += layout.pack(*at, 4, 4, 0x70000 + code)
        data += layout.pack(*at, 1, code, value)
        data += layout.pack(*at, 0, 0, 0)
    return data
