# SPDX-License-Identifier: Apache-2.0
"""A secret is taken once, never shown, never copied."""

from __future__ import annotations

import copy
import pickle

import pytest

from drivers.device import CardRead, CodeRead, Garbled
from drivers.errors import LocalError
from drivers.secret import Secret


def test_it_is_taken_once() -> None:
    secret = Secret(bytearray(b"990105198002290017"))
    assert secret.take() == b"990105198002290017"
    with pytest.raises(LocalError, match="taken or wiped"):
        secret.take()


def test_it_is_never_printed() -> None:
    secret = Secret(bytearray(b"990105198002290017"))
    read = CardRead(unit=0, secret=secret)
    for shown in (repr(secret), str(secret), f"{secret}", repr(read), f"{read}"):
        assert "***" in shown
        assert "9901" not in shown


def test_it_is_neither_copied_nor_pickled() -> None:
    secret = Secret(bytearray(b"990105198002290017"))
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(LocalError, match="neither copied nor pickled"):
            act(secret)


def test_wiping_zeroes_the_bytes_where_they_lie() -> None:
    value = bytearray(b"990105198002290017")
    secret = Secret(value)
    secret.wipe()
    secret.wipe()
    assert value == bytes(18)
    with pytest.raises(LocalError):
        secret.take()


def test_one_that_nobody_takes_is_wiped_and_one_that_was_taken_is_not() -> None:
    lost, kept = bytearray(b"lost"), bytearray(b"kept")
    Secret(lost)
    assert lost == bytes(4)
    assert Secret(kept).take() is kept
    assert kept == b"kept"


def test_codes_and_garbled_bytes_are_not_printed() -> None:
    assert "MS1" not in repr(CodeRead(unit=0, payload=b"MS112345"))
    assert "9901" not in repr(Garbled(unit=0, raw=b"990105", why="not printable"))
