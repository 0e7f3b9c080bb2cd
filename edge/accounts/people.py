# SPDX-License-Identifier: Apache-2.0
"""Accounts, tablets and sessions as values.

The law of the module: no secret is kept here but as its hash, and none is printed. An
account's name is what people call somebody; the platform never hears it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.core.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Mapping

#: People and tablets of one box; more is somebody's mistake.
MAX_ACCOUNTS = 200
MAX_TABLETS = 24
MAX_NAME = 24


class Role(StrEnum):
    """What somebody is at the panel: 值班员, 站长, 安装员."""

    VOLUNTEER = "VOLUNTEER"
    MANAGER = "MANAGER"
    INSTALLER = "INSTALLER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who acts at the panel.

    ``holder`` is who he is on the roster, "" for nobody: his card logs him in. ``pin``
    is the hash of his PIN, "" for none.
    """

    id: str
    name: str
    role: Role
    holder: str = ""
    pin: str = field(default="", repr=False)
    is_retired: bool = False

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Account:
        """Take what :meth:`dump` returned."""
        return cls(**{**told, "role": Role(told["role"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tablet:
    """A paired device; ``is_first`` may set up the first manager."""

    id: str
    name: str
    secret: str = field(repr=False)
    is_first: bool = False

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Tablet:
        """Take what :meth:`dump` returned."""
        return cls(**told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody's turn at one tablet, since ``since``.

    ``actor`` is how events name him: his account, or this turn of a card without one.
    ``has_shift``: it lasts as long as the shift of ``holder``.
    """

    id: str
    secret: str = field(repr=False)
    tablet: str
    actor: str
    account: str
    holder: str
    name: str
    role: Role
    has_shift: bool
    since: Moment

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "since": self.since.dump()}

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Session:
        """Take what :meth:`dump` returned."""
        since = Moment.load(told["since"])
        return cls(**{**told, "role": Role(told["role"]), "since": since})


def name_of(text: object) -> str:
    """Return a name as people write it; ValueError says what fits.

    A row of digits is no name: nobody's number stands on a screen by mistake.
    """
    name = " ".join(text.split()) if isinstance(text, str) else ""
    digits = sum(letter.isdigit() for letter in name)
    if not name or len(name) > MAX_NAME or not name.isprintable() or digits > 5:
        raise ValueError(
            f"name: 1 to {MAX_NAME} characters, and no number of more than 5 digits"
        )
    return name
