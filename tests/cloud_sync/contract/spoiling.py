# SPDX-License-Identifier: Apache-2.0
"""How a good value is spoilt, for the vectors that have to be refused.

The law of the module: one thing is wrong with each, and the verdict is said by hand,
never computed. Where no schema can say it (two fields that have to agree, what the
gateway holds), ``unsaid`` names what it would have to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

GONE: Final = object()
#: What the platform stores and acknowledges although the schema refuses it: one odd
#: event must not hold up the line.
STORED = "STORED"
Path = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What to change in a schema's first sample, or in the sample ``of`` that name.

    ``path`` leads to the field; a ``value`` of ``None`` is JSON's null.
    """

    why: str
    path: Path
    value: Any
    verdict: str
    unsaid: str = ""
    of: str = ""

    def of_value(self, value: Any) -> Any:
        """Return a copy of ``value`` with the one change."""
        head, _, rest = self.path.partition("/")
        key: Any = int(head) if isinstance(value, list) else head
        copied = value.copy()
        if rest:
            inner = Spoilt(why="", path=rest, value=self.value, verdict="")
            copied[key] = inner.of_value(value[key])
        elif self.value is GONE:
            del copied[key]
        else:
            copied[key] = self.value
        return copied


def bad(verdict: str, *changes: tuple[str, Path, Any]) -> tuple[Spoilt, ...]:
    """Change one field at a time: ``(why, path, value)``."""
    return tuple(
        Spoilt(why=why, path=path, value=value, verdict=verdict)
        for why, path, value in changes
    )


def without(verdict: str, *paths: Path) -> tuple[Spoilt, ...]:
    """Leave out one field at a time."""
    return bad(verdict, *((f"without {path}", path, GONE) for path in paths))


def unsaid(
    verdict: str, what: str, *changes: tuple[str, Path, Any], of: str = ""
) -> tuple[Spoilt, ...]:
    """Change a field into what only somebody who knows ``what`` can refuse."""
    return tuple(
        Spoilt(why=why, path=path, value=value, verdict=verdict, unsaid=what, of=of)
        for why, path, value in changes
    )
