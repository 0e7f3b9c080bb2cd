# SPDX-License-Identifier: Apache-2.0
"""The site file: TOML in, checked values out, faults with file, line and mend.

The law of the module: an unknown key is an error, never ignored; what could lock
somebody in, or leave a lock open when the gateway dies, is refused here. Every fault
is one line ``file:line key: what, what instead``.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import tomllib
import typing
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from edge.settings.check import Where, cross_check
from edge.settings.errors import SettingsError
from edge.settings.lines import line_of
from edge.settings.site import Settings
from edge.settings.words import words

if TYPE_CHECKING:
    from pathlib import Path


def load(path: Path) -> Settings:
    """Read and check a site file; SettingsError lists every fault found."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        where = f"{path}:{raw[: error.start].count(10) + 1}"
        raise SettingsError([f"{where}: not UTF-8, save it as UTF-8"]) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax(path, text, error)]) from error
    revision = hashlib.sha256(raw).hexdigest()[:8]
    return parse(document, path=path, text=text, revision=revision)


def parse(
    document: dict[str, Any], *, path: Path, text: str, revision: str
) -> Settings:
    """Check a document; ``text`` is its source, for the line numbers."""
    if "revision" in document:  # ours, made of the file itself
        where: Where = ("revision",)
        fault = f"{path}:{line_of(text, where)} revision: {_unknown(where)}"
        raise SettingsError([fault])
    # As JSON, where a table becomes what it describes; a date becomes a text, which
    # no field takes.
    text_of_it = json.dumps({**document, "revision": revision}, default=str)
    try:
        settings = _checker().validate_json(text_of_it, strict=True)
    except ValidationError as error:
        # An option of no possible type is found wrong once for each of them.
        faults = list(dict.fromkeys(_fault(path, text, e) for e in error.errors()))
        raise SettingsError(faults) from error
    faults = [
        f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"
        for where, what in cross_check(settings)
    ]
    if faults:
        raise SettingsError(faults)
    return settings


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    line = found[1] if found else text.count("\n") + 1  # "at end of document"
    what = str(error).split(" (at ")[0]
    return f"{path}:{line}: not TOML: {what}"


def _dotted(where: Where) -> str:
    return ".".join(f"{part + 1}" if isinstance(part, int) else part for part in where)


def _fault(path: Path, text: str, entry: Any) -> str:
    where: Where = tuple(entry["loc"])
    is_option = where[:1] == ("device",) and where[2:3] == ("options",)
    if is_option and len(where) > _OPTION_DEPTH:
        where = where[:_OPTION_DEPTH]  # pydantic names the type it tried; people do not
        what = f"{entry['input']!r} does not fit, use true, false, a number or a text"
    elif entry["type"] == "unexpected_keyword_argument":
        what = _unknown(where)
    else:
        what = words(entry)
    return f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"


#: ``("device", 2, "options", "model")``.
_OPTION_DEPTH = 4


def _unknown(where: Where) -> str:
    known = _keys_at(where[:-1])
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f"unknown key, did you mean {close[0]!r}?"
    return f"unknown key, possible here: {', '.join(sorted(known))}"


def _keys_at(where: Where) -> list[str]:
    """Return the keys that the table at ``where`` may have."""
    table: Any = Settings
    for part in where:
        if isinstance(part, str):
            table = _table_of(typing.get_type_hints(table).get(part))
            if table is None:
                return []
    names = [field.name for field in dataclasses.fields(table)]
    return [name for name in names if name != "revision"]


def _table_of(hint: Any) -> Any:
    """Return the table that a field holds, alone, perhaps, or many times."""
    if dataclasses.is_dataclass(hint):
        return hint
    found = (_table_of(part) for part in typing.get_args(hint))
    return next((table for table in found if table is not None), None)


@cache
def _checker() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)
