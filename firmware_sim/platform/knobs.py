# SPDX-License-Identifier: Apache-2.0
"""What a test may turn to make the platform misbehave.

The law of the module: every knob is an integer, 0 is its rest, and none of them
touches what is stored: a platform lies in what it says, never in its ledgers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """All knobs; those called a number or "the next" count down to rest.

    ``lose_ack`` the n-th acknowledgement from now is not sent; ``delay_ack_ms`` and
    ``delay_hello_ms`` hold back what was signed in time; ``forge`` the next so many
    messages carry a stranger's signature; ``corrupt_part``, ``corrupt_hash`` and
    ``lose_part`` the next so many snapshots have an altered row, another hash, no
    first part; ``clock_offset_ms`` and ``feed_rev_offset`` are added to the time and
    the revision that are told, so that a negative one goes back in time.
    """

    lose_ack: int = 0
    delay_ack_ms: int = 0
    delay_hello_ms: int = 0
    forge: int = 0
    corrupt_part: int = 0
    corrupt_hash: int = 0
    lose_part: int = 0
    clock_offset_ms: int = 0
    feed_rev_offset: int = 0

    def turned(self, name: str, value: int) -> Knobs:
        """Return the knobs with that one turned; ValueError for a wrong name."""
        if name not in KNOB_NAMES:
            raise ValueError(f"no knob {name!r}; there are {', '.join(KNOB_NAMES)}")
        return replace(self, **{name: value})

    def counted(self, name: str) -> Knobs:
        """Return the knobs with that one a step nearer to rest."""
        value = getattr(self, name)
        return replace(self, **{name: value - 1}) if value > 0 else self


KNOB_NAMES = tuple(field.name for field in fields(Knobs))
