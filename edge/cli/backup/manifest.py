# SPDX-License-Identifier: Apache-2.0
"""What a backup says of itself, and what may be in it.

The law of the module: a part has one name in the file and one place in the state
folder, and a size that it cannot exceed; a name that does not stand here is in no
backup and comes out of none.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from edge.cli.backup.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The second has the recordings of the site; both are read.
FORMAT, FORMATS = 2, (1, 2)
MANIFEST = "manifest.json"
JOURNAL, ROSTER, ACCOUNTS = "journal.db", "roster.db", "accounts.db"
DAYS, SITE, KEYS = "days.json", "site.toml", "keys.enc"
DATABASES = (ACCOUNTS, ROSTER, JOURNAL)
#: The site file of the last good start, as the gateway keeps it in its folder.
KEPT_SITE = "site.kept.toml"
#: Where each part comes to lie; a restored site file is never in force by itself.
PLACES = {
    **{name: name for name in (*DATABASES, DAYS)},
    SITE: "site.restored.toml",
    KEYS: "",
}
#: A site's own languages and recordings, as ``menshen voice`` lays them down.
VOICE = "voice"
SOUND = re.compile(
    rf"{VOICE}/[A-Za-z]{{2,8}}(-[A-Za-z0-9]{{2,8}})?"
    r"(\.toml|/[A-Za-z0-9_]{1,48}\.wav)"
)
MAX_SOUNDS, MAX_SOUND_BYTES = 512, 2 << 20
#: No part is bigger; of journals, the cap of the journal's file and its free pages.
MAX_BYTES = {
    **dict.fromkeys(DATABASES, 2 << 30),
    DAYS: 16 << 20,
    SITE: 1 << 20,
    KEYS: 4 << 20,
}
FOLDER = "backups"
NAME = re.compile(r"menshen-[A-Za-z0-9_-]{1,64}-(\d{8}-\d{6})\.tar\.gz")
#: The last millisecond of the year 9999: later than any time a calendar can name.
LAST_MS = 253_402_300_799_999
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file in a backup: its bytes and their SHA-256 (hex)."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is inside; ``at_ms`` is UTC, ``erased`` counts people erased by then."""

    site: str
    name: str
    offset_hours: int
    at_ms: int
    version: str
    epoch: str
    events: int
    erased: int
    holders: int
    accounts: int
    parts: Mapping[str, Part]
    #: Files of the voice that were too many, too big, or of a name that nothing has.
    left_out: int = 0

    @property
    def sounds(self) -> int:
        """How many files of the site's own voice are in it."""
        return sum(SOUND.fullmatch(name) is not None for name in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts.values())

    @property
    def has_keys(self) -> bool:
        """Say whether the box's keys are in it."""
        return KEYS in self.parts

    @property
    def file_name(self) -> str:
        """How its file is called where nobody says otherwise."""
        site = re.sub(r"[^A-Za-z0-9_-]", "_", self.site)[:64]
        return f"menshen-{site}-{stamp(self.at_ms, self.offset_hours)}.tar.gz"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"format": FORMAT, **asdict(self)}


def place_of(name: str) -> str | None:
    """Return where a part comes to lie, "" for nowhere by itself; None for no part."""
    return name if SOUND.fullmatch(name) else PLACES.get(name)


def stamp(at_ms: int, offset_hours: int) -> str:
    """Return a time as names of files have it: ``20261122-033000``, local."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=offset_hours)
    return at.strftime("%Y%m%d-%H%M%S")


def read_manifest(text: bytes) -> Manifest:
    """Read what :meth:`Manifest.dump` wrote; BackupError for anything else."""
    try:
        value = json.loads(text)
        if value["format"] not in FORMATS:
            what = "it is of a newer program; restore it with that one"
            raise BackupError(what, "newer")
        parts = {
            str(name): Part(size=_number(part["size"]), sha256=str(part["sha256"]))
            for name, part in value["parts"].items()
        }
        manifest = Manifest(
            site=str(value["site"]),
            name=str(value["name"]),
            offset_hours=int(value["offset_hours"]),
            at_ms=_number(value["at_ms"]),
            version=str(value["version"]),
            epoch=str(value["epoch"]),
            events=_number(value["events"]),
            erased=_number(value["erased"]),
            holders=_number(value["holders"]),
            accounts=_number(value["accounts"]),
            parts=parts,
            left_out=_number(value.get("left_out", 0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as flaw:
        raise BackupError("it is no backup of Menshen") from flaw
    is_sound = all(_is_sound(name, part) for name, part in parts.items())
    if (
        not is_sound
        or manifest.sounds > MAX_SOUNDS
        or manifest.offset_hours not in range(-12, 15)
    ):
        raise BackupError("it is no backup of Menshen")
    return manifest


def _is_sound(name: str, part: Part) -> bool:
    most = MAX_SOUND_BYTES if SOUND.fullmatch(name) else MAX_BYTES.get(name, -1)
    return part.size <= most and _SHA256.fullmatch(part.sha256) is not None


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_MS:
        return value
    raise ValueError("not a number that counts")


def told(manifest: Manifest) -> list[str]:
    """Return what is inside, a line each, for a person at a shell."""
    at = stamp(manifest.at_ms, manifest.offset_hours)
    date = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[9:11]}:{at[11:13]}"
    left_out = f", {manifest.left_out} left out" if manifest.left_out else ""
    keys = "with its keys, sealed" if manifest.has_keys else "without keys"
    return [
        f"site      {manifest.site} {manifest.name}".rstrip(),
        f"made      {date} (UTC{manifest.offset_hours:+d}), Menshen {manifest.version}",
        (
            f"inside    {manifest.events} events, {manifest.holders} holders,"
            f" {manifest.accounts} accounts, {keys}; epoch {manifest.epoch}"
        ),
        f"voice     {manifest.sounds} files of its own{left_out}",
    ]
