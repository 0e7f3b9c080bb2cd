# SPDX-License-Identifier: Apache-2.0
"""What a site file may say of a reader, and what is refused before a byte is sent."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.osdp.bus import OsdpReaders
from drivers.osdp.options import OsdpReaderOptions
from tests.drivers.osdp_wire import KEY, key_of


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "scbk must be 32 hexadecimal digits, not 0 characters"),
        ({"scbk": "xyz"}, "scbk must be 32 hexadecimal digits"),
        ({"scbk": KEY[:-2]}, "scbk must be 32 hexadecimal digits, not 30"),
        ({"scbk": "00" * 16}, "follows a pattern .*; pair the reader"),
        ({"scbk": bytes(range(0x30, 0x40)).hex()}, "default key of install mode"),
        ({"scbk": bytes(range(0x10, 0x20)).hex()}, "follows a pattern"),
        ({"scbk": KEY, "cuid": "12"}, "cuid must be 16 hexadecimal digits"),
        ({"scbk": KEY, "poll_ms": 5}, "poll_ms must be 20 to 1000"),
        ({"scbk": KEY, "turnaround_ms": 51}, "turnaround_ms must be 0 to 50"),
        ({"scbk": KEY, "reply_timeout_ms": 5}, "reply_timeout_ms must be 50 to 1000"),
    ],
)
def test_wrong_options_are_refused(values: dict[str, int | str], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        OsdpReaderOptions(**values)  # type: ignore[arg-type]


def test_options_do_not_show_their_key() -> None:
    assert KEY not in repr(OsdpReaderOptions(scbk=KEY))
    with pytest.raises(LocalError) as caught:
        OsdpReaderOptions(scbk="00" * 16)
    assert "0000" not in str(caught.value)


def test_two_readers_of_one_line_with_one_key_are_refused() -> None:
    """Whoever opens one of them would hold the other's key too."""
    same = [OsdpReaderOptions(scbk=key) for key in (KEY, KEY.lower())]
    other = OsdpReaderOptions(scbk=key_of(2))
    readers = {1: same[0], 2: other, 3: same[1]}
    words = "the readers 1 and 3 have the same scbk; pair each"
    with pytest.raises(LocalError, match=words) as caught:
        OsdpReaders(readers=readers, random_bytes=bytes)
    assert KEY[:8].lower() not in str(caught.value).lower()
    OsdpReaders(readers={1: same[0], 2: other}, random_bytes=bytes)


@pytest.mark.parametrize("address", [-1, 0x7F, 0x80])
def test_wrong_addresses_are_refused(address: int) -> None:
    options = OsdpReaderOptions(scbk=KEY)
    with pytest.raises(LocalError, match="address 0 to 126"):
        OsdpReaders(readers={address: options}, random_bytes=bytes)
    with pytest.raises(LocalError, match="at least one reader"):
        OsdpReaders(readers={}, random_bytes=bytes)
