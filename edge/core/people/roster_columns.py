# SPDX-License-Identifier: Apache-2.0
"""A roster's rows as columns of machine words, and the image of them on a disk.

The law of the module: columns are filled by a builder and never changed afterwards.
An image is a cache of them: it is taken only whole, of this format, of this machine's
byte order and of the very feed that is asked for; everything else counts as none.
"""

from __future__ import annotations

import json
import sys
from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

#: Keys of one step: about a millisecond.
STEP_KEYS = 4096
#: Raised whenever a column is added, dropped, or means something else.
IMAGE_FORMAT = 1


class Texts:
    """Many short strings in one buffer."""

    def __init__(self, buffer: bytes = b"", ends: array[int] | None = None) -> None:
        self.buffer = bytearray(buffer)
        self.ends = array("I") if ends is None else ends

    def append(self, text: str) -> None:
        """Add a string behind the others."""
        self.buffer += text.encode()
        self.ends.append(len(self.buffer))

    def __getitem__(self, index: int) -> str:
        start = self.ends[index - 1] if index else 0
        return self.buffer[start : self.ends[index]].decode()


class Columns:
    """The columns of one roster; ``words`` are strings that repeat, kept once.

    Of a holder: name, flags, and two words (roles, language). Of a token: its halves
    and the holder's index. Of a booking: its name and its holder's, two times, two
    words (space, party), its size's number. Once sorted, tokens stand in the order
    of their heads, and so do the keys of bookings, each with its booking's place.
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        self.revoked: dict[bytes, str] = {}
        self.holders = Texts()
        self.holder_flags = array("B")
        self.holder_words = array("I")
        self.token_heads = array("Q")
        self.token_tails = array("Q")
        self.token_owners = array("I")
        self.bookings = Texts()
        self.booking_keys = array("Q")
        self.booking_order = array("I")
        self.booking_times = array("q")
        self.booking_words = array("I")
        self.booking_sizes = array("B")

    def sorting(self) -> Iterator[None]:
        """Put tokens and the index of bookings in order, a short step at a time."""
        order = yield from _order(self.token_heads)
        for name in ("token_heads", "token_tails", "token_owners"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, map(column.__getitem__, order)))
            yield
        self.booking_order = yield from _order(self.booking_keys)
        keys = self.booking_keys
        self.booking_keys = array("Q", map(keys.__getitem__, self.booking_order))


def _order(keys: array[int]) -> Generator[None, None, array[int]]:
    """Return the indexes of 64-bit ``keys`` in the keys' order.

    Keys are hashes: their first byte parts them into 256 heaps of like size, each
    sorted by itself, so that 100,000 need no long pause and no second list of them.
    """
    heaps = [array("I") for _ in range(256)]
    for start in range(0, len(keys), STEP_KEYS):
        for index, key in enumerate(keys[start : start + STEP_KEYS], start):
            heaps[key >> 56].append(index)
        yield
    order = array("I")
    for heap in heaps:
        order.extend(sorted(heap, key=keys.__getitem__))
        yield
    return order


#: The sections of an image that are columns, in their order; texts take two each.
_TEXTS = ("holders", "bookings")
_ARRAYS = (
    *("holder_flags", "holder_words", "token_heads", "token_tails", "token_owners"),
    *("booking_keys", "booking_order", "booking_times", "booking_words"),
    "booking_sizes",
)
_SECTIONS = 1 + 2 * len(_TEXTS) + len(_ARRAYS)


def pack(columns: Columns, feed: str) -> Iterator[bytes]:
    """Yield the image's parts: its sections, then the seal with ``feed``'s name."""
    digest = blake2b(digest_size=16)
    for section in _sections(columns):
        digest.update(b"%d " % len(section))
        digest.update(section)
        yield section
    yield _seal(feed, digest.hexdigest())


def _sections(columns: Columns) -> Iterator[bytes]:
    revoked = {token.hex(): reason for token, reason in columns.revoked.items()}
    yield json.dumps([columns.words, revoked]).encode()
    for name in _TEXTS:
        texts: Texts = getattr(columns, name)
        yield bytes(texts.buffer)
        yield texts.ends.tobytes()
    for name in _ARRAYS:
        column: array[int] = getattr(columns, name)
        yield column.tobytes()


def _seal(feed: str, digest: str) -> bytes:
    return f"{IMAGE_FORMAT} {sys.byteorder} {digest} {feed}".encode()


class Unpacking:
    """Takes an image part by part, so that no second copy of it stands in memory."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._columns = Columns()
        self._digest = blake2b(digest_size=16)
        self._taken = 0
        self._buffer = b""
        self._is_whole = False
        self._is_spoilt = False

    def take(self, part: bytes) -> None:
        """Take the next part; one that does not fit spoils the image."""
        try:
            if self._taken >= _SECTIONS:
                seal = _seal(self._feed, self._digest.hexdigest())
                self._is_whole = part == seal
            else:
                self._digest.update(b"%d " % len(part))
                self._digest.update(part)
                self._fill(self._taken, part)
        except (ValueError, TypeError, AttributeError):  # of the arrays and of JSON
            self._is_spoilt = True
        self._taken += 1

    def columns(self) -> Columns | None:
        """Return the columns; None unless every part came and fits the seal."""
        is_good = self._is_whole and not self._is_spoilt
        return self._columns if is_good and self._taken == _SECTIONS + 1 else None

    def _fill(self, number: int, part: bytes) -> None:
        if number == 0:
            self._columns.words, revoked = json.loads(part)
            self._columns.revoked = {
                bytes.fromhex(token): reason for token, reason in revoked.items()
            }
            return
        text, half = divmod(number - 1, 2)
        if text >= len(_TEXTS):
            getattr(self._columns, _ARRAYS[number - 1 - 2 * len(_TEXTS)]).frombytes(
                part
            )
        elif half == 0:
            self._buffer = part
        else:
            ends = array("I")
            ends.frombytes(part)
            setattr(self._columns, _TEXTS[text], Texts(self._buffer, ends))
            self._buffer = b""
