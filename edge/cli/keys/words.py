# SPDX-License-Identifier: Apache-2.0
"""What ``menshen keys`` says: to people in lines, to programs in objects.

The law of the module: whoever stands at the box has never done this before, so that
every line says what to do; no claim and no key is repeated.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

#: What to do about each refusal of the platform's.
REFUSED = {
    "CLAIM_UNKNOWN": "look at its letters; after a new claim the old one is void",
    "CLAIM_USED": (
        "if it was not you, somebody else has the claim: tell the platform's operator "
        "at once, who refuses what waits and makes a new one"
    ),
    "CLAIM_EXPIRED": "have the platform's operator make a new one",
    "WRONG_SITE": "mend site.id in the site file, or have a claim made for this site",
    "WRONG_GATEWAY": "mend gateway.id, or have a claim made for this gateway",
    "FINGERPRINT_REFUSED": "ask why, then have a new claim made; nothing was changed",
    "REQUEST": "update the gateway's program; then enrol again",
    "UNREADABLE": "update the gateway's program; then enrol again",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """Tells how an enrolment goes; with ``is_json`` an object a line."""

    is_json: bool = False

    def compare(self, digits: str, gateway: str) -> None:
        """Show the digits, which somebody compares with the platform's."""
        self._say(
            f"this box shows   {digits}\n"
            f"Tell these six digits to the platform's operator. If the platform shows "
            f"the same for {gateway}, it is confirmed there, and this goes on by "
            "itself.",
            step="compare",
            digits=digits.replace(" ", ""),
        )

    def later(self, digits: str) -> None:
        """Say that nobody has confirmed yet."""
        self._say(
            f"nobody has confirmed {digits} yet. The same command goes on from here, "
            "within the claim's 24 hours.",
            step="waiting",
            digits=digits.replace(" ", ""),
        )

    def clock(self, off_s: int) -> None:
        """Say that this box's clock is wrong, which stops nothing."""
        how = "fast" if off_s > 0 else "slow"
        self._say(
            f"this box's clock is {abs(off_s)} s {how} by the platform's time. It is "
            "not needed here; the gateway learns the time from the platform, too.",
            step="clock",
            off_s=off_s,
        )

    def site(self, path: str, lines: str, *, is_written: bool) -> None:
        """Say which lines of the site file are new, or have to be written by hand."""
        how = "now says" if is_written else "CANNOT BE WRITTEN HERE; have it say"
        self._say(f"{path} {how}:\n{lines}", step="site", written=is_written)

    def done(self, gateway: str) -> None:
        """Say that all is in place."""
        self._say(
            f"{gateway} is enrolled. Start the gateway, or start it anew if it runs: "
            "menshen status then says connected.",
            step="done",
        )

    def trouble(self, name: str, what: str, to_do: str = "") -> None:
        """Say what failed; doors are not concerned."""
        if self.is_json:
            print(json.dumps({"step": "trouble", "name": name, "what": what}))
            return
        print(f"{name}: {what}", file=sys.stderr)
        if to_do:
            print(f"  {to_do}", file=sys.stderr)

    def _say(self, text: str, **words: object) -> None:
        print(json.dumps(words) if self.is_json else text, flush=True)
