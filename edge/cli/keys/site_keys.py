# SPDX-License-Identifier: Apache-2.0
"""The file of a site's keys: the one of today, and those of before that are needed.

The law of the module: pure; it says what the file is to be, and whoever installs it
does so whole. A key that was held is never lost by taking another: it goes among the
former ones, until it is given up by its number. One number is one key.
Source: docs/enrolment.md, "A new site key".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge.cli.key_files import KeyFileError
from edge.cli.keys.numbers import numbers
from edge.core.credential import FIRST_KEY, MAX_FORMER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FIRST_KEY", "knows", "merged", "number_of", "read", "without"]

_SECRET = ("site_key", "epoch_salt")


def number_of(state: Path) -> int:
    """Return the number of the site's key where its file does not say it."""
    return numbers(state).get("site", FIRST_KEY)


def read(path: Path, number: int = FIRST_KEY) -> dict[str, Any] | None:
    """Read the file; None if there is none. One of before numbers had ``number``."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {"former": [], "n": number} | content
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValueError) as fault:
        what = f"{path}: cannot be read, restore it from the backup"
        raise KeyFileError(what) from fault


def merged(
    held: Mapping[str, Any] | None, number: int, given: Mapping[str, Any]
) -> dict[str, Any] | str:
    """Return what the file is to be with the given key, or why it stays as it is.

    ``held`` None: nothing is there yet. ``given`` may bring keys of before, too.
    """
    brought = {each["n"]: _secret(each) for each in given.get("former", ())}
    brought[number] = _secret(given)
    if max(brought) != number:
        return "a key of before with a later number"
    keys: dict[int, dict[str, str]] = {}
    if held is not None:
        if held["n"] > number:
            return f"older than {held['n']}, which is held"
        keys = {each["n"]: _secret(each) for each in held["former"]}
        keys[held["n"]] = _secret(held)
    for each, secret in brought.items():
        if keys.get(each, secret) != secret:
            return f"another key than the one held as number {each}"
    keys |= brought
    # The same key under a new number is one key, and no other.
    former = {n: each for n, each in keys.items() if each != keys[number]}
    if len(former) > MAX_FORMER_KEYS:
        oldest = min(former)
        return f"{len(former)} keys of before, {oldest} first is to be given up"
    return keys[number] | {"n": number, "former": _listed(former)}


def knows(given: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Say whether the key that is held is among those that are given."""
    brought = [_secret(each) for each in (given, *given.get("former", ()))]
    return {name: held.get(name) for name in _SECRET} in brought


def without(held: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return what the file is to be when a key of before is given up."""
    former = {e["n"]: _secret(e) for e in held["former"] if e["n"] != number}
    return _secret(held) | {"n": held["n"], "former": _listed(former)}


def _listed(keys: Mapping[int, dict[str, str]]) -> list[dict[str, Any]]:
    return [{"n": number, **keys[number]} for number in sorted(keys)]


def _secret(content: Mapping[str, Any]) -> dict[str, str]:
    return {name: content[name] for name in _SECRET}
