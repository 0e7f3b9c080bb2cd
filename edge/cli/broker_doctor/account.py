# SPDX-License-Identifier: Apache-2.0
"""Who the doctor enters as: a name, and a password or a certificate if it has one.

The law of the module: a password comes from a file, never from the command line, where
everybody on the machine could read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloud_sync.topics import Topics


class AccountError(ValueError):
    """The words that name an account name none; says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the broker; ``name`` is user name, gateway id and client id in one."""

    name: str
    password: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to prove the name with."""
        return self.password is not None or self.certificate is not None


def read_gateway(words: str) -> Account:
    """Read an account whose name is a level of topics, too."""
    account = read_account(words)
    try:
        Topics(gateway=account.name, shard="00")
    except ValueError as fault:
        raise AccountError(str(fault)) from fault
    return account


def read_account(words: str) -> Account:
    """Read ``NAME``, ``NAME=PASSWORD_FILE`` or ``NAME=CERTIFICATE,KEY``."""
    name, has_files, files = words.partition("=")
    if not has_files:
        return Account(name=name)
    first, has_key, second = files.partition(",")
    for path in (first, second) if has_key else (first,):
        if not Path(path).is_file():
            raise AccountError(f"{path!r} of {name} is not a file; give a path to one")
    if has_key:
        return Account(name=name, certificate=Path(first), key=Path(second))
    try:
        password = Path(first).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise AccountError(f"{first} of {name} cannot be read: {fault}") from fault
    return Account(name=name, password=password)
