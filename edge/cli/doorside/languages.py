# SPDX-License-Identifier: Apache-2.0
"""All languages of a site, and which of them is spoken to whom.

The law of the module: one language at a time. Who is known hears his own, anybody
else the site's first; the same card again within ten seconds hears the next one. Of
the card only its token is compared, and forgotten with the next card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.doorside.language import LanguageError, read_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.cli.doorside.language import Language
    from edge.cli.doorside.word import Word

#: What readers' own screens say has a file like a language's, and is none.
READERS = "readers"
#: The same card so soon again asks for another language.
AGAIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The languages by their codes, in the site's order; what readers show; faults."""

    order: tuple[str, ...]
    languages: dict[str, Language]
    readers: Language
    faults: tuple[str, ...]

    def having(self, word: Word, code: str) -> Language:
        """Return the language asked for, or the first that has the word."""
        asked = self.languages[code]
        if word in asked.entries:
            return asked
        known = (self.languages[other] for other in self.order)
        return next((each for each in known if word in each.entries), self.readers)

    def like(self, language: str) -> str:
        """Return the language that comes closest: "zh" means zh-CN, "en-GB" en."""
        if language in self.languages:
            return language
        stem = language.partition("-")[0].lower()
        close = (code for code in self.order if code.partition("-")[0] == stem)
        return next(close, self.order[0]) if stem else self.order[0]


def open_library(order: Sequence[str], folders: Iterable[Path]) -> Library:
    """Read a site's languages; what is found in a later folder goes over the earlier.

    A file that cannot be used is left out and told in ``faults``; raises LanguageError
    where none is left.
    """
    where = [folder for folder in folders if folder.is_dir()]
    languages: dict[str, Language] = {}
    faults: list[str] = []
    for code in order:
        paths = [path for each in where if (path := each / f"{code}.toml").is_file()]
        language = _read(paths, faults)
        if language is not None:
            languages[code] = language
            if language.missing:
                missing = ", ".join(language.missing)
                faults.append(f"{paths[-1]}: said in another language: {missing}")
        elif not paths:
            faults.append(f"there is no {code}.toml: add one, or leave {code} out")
    if not languages:
        raise LanguageError(f"no language can be used: {'; '.join(faults)}")
    return Library(
        order=tuple(languages),
        languages=languages,
        readers=read_language([where[0] / f"{READERS}.toml"]),
        faults=tuple(faults),
    )


def _read(paths: list[Path], faults: list[str]) -> Language | None:
    while paths:
        try:
            return read_language(paths)
        except LanguageError as error:
            faults.append(str(error))
            paths = paths[:-1]
    return None


@dataclass(slots=True)
class _Guest:
    """Who stands at an access point: whose card, spoken to in what, and when."""

    token: bytes = b""
    told: bytes | None = None
    code: str = ""
    told_s: float = 0.0


class Ear:
    """Remembers, a point at a time, who was spoken to in which language."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._guests: dict[str, _Guest] = {}

    def hear(self, point: str, token: bytes) -> None:
        """Take the card that is held out; b"" for one that cannot be read."""
        self._guests.setdefault(point, _Guest()).token = token

    def choose(self, point: str, language: str, now_s: float) -> str:
        """Return the language of a verdict that somebody is told now."""
        order, guest = self._library.order, self._guests.setdefault(point, _Guest())
        is_again = guest.told == guest.token and now_s - guest.told_s < AGAIN_S
        if is_again and guest.code in order:
            code = order[(order.index(guest.code) + 1) % len(order)]
        else:
            code = self._library.like(language)
        guest.told, guest.code, guest.told_s = guest.token, code, now_s
        return code
