# SPDX-License-Identifier: Apache-2.0
"""The contract's schemas, and what they say of a value.

The law of the module: the schemas are read as their dialect means them, not as Python
would: a pattern is ECMA's (its ``$`` is the very end, its digits are ASCII), and an
integer is written without a fraction. Nothing is fetched: a reference leads into the
folder or nowhere.
Source: JSON Schema 2020-12; ECMA-262 for patterns.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

import cloud_sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

ROOM = Path(cloud_sync.__file__).parent
SCHEMAS: dict[str, Json] = {
    path.name: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOM / "schemas").glob("*.json"))
}
# Without their "$schema", which would bring back the dialect's reading by Python.
_REGISTRY: Registry[Any] = Registry().with_resources(
    (name, DRAFT202012.create_resource({**schema, "$schema": ""}))
    for name, schema in SCHEMAS.items()
)


def _pattern(
    _: object, pattern: str, instance: object, __: object
) -> Iterator[ValidationError]:
    ecma = re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    if isinstance(instance, str) and not re.search(ecma, instance, re.ASCII):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_integer(_: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


_Validator = extend(
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
_VALIDATORS = {name: _Validator({"$ref": name}, registry=_REGISTRY) for name in SCHEMAS}


def flaws(name: str, value: object) -> list[str]:
    """Return what is wrong with a value by the schema of that name; [] if nothing."""
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in _VALIDATORS[name].iter_errors(value)
    ]


def flaws_as_sent(name: str, text: str) -> list[str]:
    """Return what is wrong with a compact JWS: with its text, header or body.

    The schema's ``contentSchema`` judges the decoded header and body, as a list.
    """
    if found := flaws(name, text):
        return found
    try:
        content = [json.loads(_decoded(part)) for part in text.split(".")[:2]]
    except ValueError as flaw:
        return [f"$: header and body are not both JSON: {flaw}"]
    inside = _Validator(SCHEMAS[name]["contentSchema"], registry=_REGISTRY)
    return [
        f"{error.json_path}: {error.message}" for error in inside.iter_errors(content)
    ]


def _decoded(part: str) -> str:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def looked_up(schema: Mapping[str, Any], name: str) -> tuple[Json, str]:
    """Follow ``$ref`` of a schema in the file ``name`` to its end, with its file."""
    while "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        name = file or name
        schema = SCHEMAS[name]
        for step in filter(None, pointer.split("/")):
            schema = schema[step]
    return dict(schema), name
