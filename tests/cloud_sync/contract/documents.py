# SPDX-License-Identifier: Apache-2.0
"""The AsyncAPI document, with its references followed.

The law of the module: a reference leads within the document or to a schema's file;
anything else is a mistake of the document.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from tests.cloud_sync.contract.schemas import ROOM, SCHEMAS, Json

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: Json = yaml.safe_load((ROOM / "asyncapi.yaml").read_text(encoding="utf-8"))


def followed(value: Json) -> Json:
    """Return what a reference leads to within the document, or the value itself."""
    while "$ref" in value and value["$ref"].startswith("#/"):
        found: Any = DOCUMENT
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def schema_of(message: Json) -> str:
    """Return the name of the file that a message's payload refers to."""
    return PurePosixPath(message["payload"]["$ref"]).name


def operations(action: str) -> list[Json]:
    """Return the operations that send, or that receive."""
    every: list[Json] = list(DOCUMENT["operations"].values())
    return [operation for operation in every if operation["action"] == action]


def message_of(operation: Json) -> Json:
    """Return the one message of an operation, or of its reply."""
    (message,) = operation["messages"]
    return followed(message)


def references(value: object) -> Iterator[tuple[str, Json]]:
    """Yield every reference in a document with the object it stands in."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"], value
        for entry in value.values():
            yield from references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from references(entry)


def files_reached() -> set[str]:
    """Return the schemas that the document leads to, directly or by others."""
    reached: set[str] = set()
    waiting = {PurePosixPath(to).name for to, _ in references(DOCUMENT) if to[0] != "#"}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        named = {to.partition("#")[0] for to, _ in references(SCHEMAS[name])}
        waiting |= {file for file in named if file} - reached
    return reached
