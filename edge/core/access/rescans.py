# SPDX-License-Identifier: Apache-2.0
"""Scans that make no decision: the same card again at once, and stale ones.

The law of the module: it knows the credential, not the person; a change of the
door's mode in between ends the three seconds, there and back again too; a grant
that nobody used re-opens nothing. Stale scans are only counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.stimulus import Scan

#: "Within 3 s" is less than this, counted from the first grant.
AGAIN_S = 3.0
#: Stale scans are told together after this time.
STALE_WINDOW_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    credential: Credential
    mode_changes: int
    cause: int
    release_s: float
    until_s: float


class Rescans:
    """The last grant of each access point, and the stale scans not yet told."""

    def __init__(self) -> None:
        self._grants: dict[str, _Grant] = {}
        self._stale: Counter[str] = Counter()
        self._tell_s: float | None = None

    def granted(
        self,
        scan: Scan,
        mode_changes: int,
        cause: int,
        release_s: float,
        now_s: float,
    ) -> None:
        """Remember a grant for three seconds; no release at a door that is free."""
        self._grants[scan.access_point] = _Grant(
            credential=scan.credential,
            mode_changes=mode_changes,
            cause=cause,
            release_s=release_s,
            until_s=now_s + AGAIN_S,
        )

    def find(
        self, scan: Scan, mode_changes: int, now_s: float
    ) -> tuple[int, float] | None:
        """Return the grant's seq and release seconds if this is the same card again."""
        grant = self._grants.get(scan.access_point)
        if grant is None or now_s >= grant.until_s:
            return None
        if grant.mode_changes != mode_changes or not grant.credential.is_same(
            scan.credential
        ):
            return None
        return grant.cause, grant.release_s

    def forget(self, cause: int) -> None:
        """Drop a grant that nobody used: its person has been given back."""
        self._grants = {n: g for n, g in self._grants.items() if g.cause != cause}

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        for access_point, grant in self._grants.items():
            self._grants[access_point] = replace(grant, cause=grant.cause + shift)

    def stale(self, access_point: str, now_s: float) -> None:
        """Count a scan that came too late."""
        self._stale[access_point] += 1
        if self._tell_s is None:
            self._tell_s = now_s + STALE_WINDOW_S

    def deadline(self) -> float | None:
        """Return when counted scans are to be told."""
        return self._tell_s

    def collect(self, now_s: float, *, is_final: bool = False) -> list[tuple[str, int]]:
        """Return ``(access point, scans)`` once their window is over."""
        if self._tell_s is None or (now_s < self._tell_s and not is_final):
            return []
        self._tell_s = None
        counted = list(self._stale.items())
        self._stale.clear()
        return counted
