# SPDX-License-Identifier: Apache-2.0
"""How a tablet wants its pages: size of the text, first language, sound.

The law of the module: it is the tablet's taste and no secret; a cookie that is not one
of ours means the site's own. The look holds for a whole request, wherever in it
something is drawn, so it stands in the request's context and not in every call.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.words import LANGUAGES

if TYPE_CHECKING:
    from fastapi import Request, Response

COOKIE = "look"
#: A tablet keeps its look as long as its pairing.
KEPT_S = 365 * 24 * 3600
#: Text in pixels: usual, big, very big (the elder norm of MIIT asks for up to 30).
SIZES = (20, 24, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """``language`` "": the site's first."""

    size: int = SIZES[0]
    language: str = ""
    has_sound: bool = True

    def text(self) -> str:
        """Return it as a cookie's value."""
        sound = "on" if self.has_sound else "off"
        return f"{self.size}.{self.language}.{sound}"


USUAL = Look()
#: The look of the request that is being answered.
LOOK: ContextVar[Look] = ContextVar("look", default=USUAL)


def read_look(text: str) -> Look:
    """Read a cookie's value; the usual look for anything else."""
    size, _, rest = text.partition(".")
    language, _, sound = rest.partition(".")
    sizes = {str(known): known for known in SIZES}
    is_ours = size in sizes and language in ("", *LANGUAGES) and sound in ("on", "off")
    if not is_ours:
        return USUAL
    return Look(size=sizes[size], language=language, has_sound=sound == "on")


def look_of(request: Request) -> Look:
    """Return how the tablet that asks wants its pages."""
    return read_look(request.cookies.get(COOKIE, ""))


def keep_look(response: Response, look: Look, *, is_secure: bool) -> None:
    """Have a tablet keep its look."""
    response.set_cookie(
        COOKIE,
        look.text(),
        max_age=KEPT_S,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="strict",
    )
