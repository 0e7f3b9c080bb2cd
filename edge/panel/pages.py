# SPDX-License-Identifier: Apache-2.0
"""From a view to HTML: whole pages, and the fragments that are sent when they change.

The law of the module: everything is escaped; a fragment has the same text within the
page and on its own, so a page that missed some news heals with the next connection.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from edge.panel.compiled import Compiled
from edge.panel.look import LOOK
from edge.panel.menu import menu_of, tabs_of
from edge.panel.view import Glance
from edge.panel.words import Words

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule

    from edge.panel.bell import Bell
    from edge.panel.view import Duty
    from edge.panel.visitor import Visitor
    from edge.panel.words import Phrase

_FOLDER = Path(__file__).parent
#: What a page tells whoever passes by while nothing is known.
NOTHING = Glance()
#: Statuses that have words of their own; any other uses those of 400 or 500.
_ERRORS = frozenset({400, 403, 404, 405, 413, 422, 500, 503})


@dataclass(frozen=True, slots=True)
class Fragment:
    """A replaceable part of the page; ``mark`` tells whether it changed."""

    html: Markup
    mark: str


class Pages:
    """Draws with the templates of this folder, in one language."""

    def __init__(
        self, words: Words, *, help_phone: str = "", compiled: Compiled | None = None
    ) -> None:
        self.words = words
        self.help_phone = help_phone
        self._compiled = compiled or Compiled()
        #: The same pages in the languages that tablets have asked for.
        self._others: dict[str, Pages] = {}
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            bytecode_cache=self._compiled,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["say"] = words.say
        self._templates.globals["say_or"] = words.say_or
        self._templates.filters["mark"] = _mark
        self._templates.globals["language"] = words.language
        self._templates.globals["second"] = words.second
        self._templates.globals["look"] = LOOK.get
        self._templates.globals["help_phone"] = help_phone
        self._templates.globals["tabs_of"] = tabs_of
        self._templates.globals["menu_of"] = menu_of
        #: The templates whose macros are parts, made once: a list has hundreds.
        self._modules: dict[str, TemplateModule] = {}
        self._parts = self._templates.get_template("parts.html").make_module()
        #: Differs in every process, so that pages of an earlier one load anew.
        self._process = secrets.token_hex(8)

    def speaking(self, language: str) -> Pages:
        """Return these pages in a language; "": in that of the site."""
        if language in ("", self.words.language):
            return self
        if language not in self._others:
            others = Pages(
                Words(language), help_phone=self.help_phone, compiled=self._compiled
            )
            others._process = self._process
            self._others[language] = others
        return self._others[language]

    def live(
        self,
        duty: Duty,
        visitor: Visitor,
        *,
        token: str,
        told: str,
        planned: str = "",
        glance: Glance = NOTHING,
    ) -> str:
        """Draw the first page: the duty page, or the start where nobody is on duty."""
        name = "duty.html" if visitor.on_duty_page else "start.html"
        return self.draw(
            name,
            visitor,
            duty=duty,
            fragments=self.fragments(duty) | self.glance(glance),
            bell=self.bell(duty.bell, visitor),
            key=self.key(duty, visitor),
            token=token,
            told=told,
            planned=planned,
        )

    def draw(self, name: str, visitor: Visitor, **shown: object) -> str:
        """Draw any page for somebody."""
        return self._templates.get_template(name).render(visitor=visitor, **shown)

    def error(self, status: int, key: str = "") -> str:
        """Draw a refusal: fixed words, nothing of the request."""
        general = 400 if status < 500 else 500
        known = status if status in _ERRORS else general
        words = key or f"error.{known}"
        return self._templates.get_template("error.html").render(words=words)

    def signpost(self, url: str) -> str:
        """Draw what plain HTTP shows: where the encrypted pages are."""
        return self._templates.get_template("signpost.html").render(url=url)

    def key(self, duty: Duty, visitor: Visitor) -> str:
        """Name what fragments cannot follow: process, doors, and who reads."""
        doors = (f"{door.id}\0{door.name}" for door in duty.doors)
        return self.key_of(visitor, duty.site, *doors)

    def key_of(self, visitor: Visitor, *shown: str) -> str:
        """Name a page for somebody: what is ``shown`` there outside its parts."""
        reads = [visitor.kind.value, visitor.name, str(visitor.is_asked)]
        reads += [visitor.keys.mark, str(visitor.has_manager)]
        return _mark("\n".join([self._process, *reads, *shown]))

    def part(self, template: str, macro: str, *values: object) -> Fragment:
        """Draw a macro of a template as a part of a page; it sees the globals alone."""
        module = self._modules.get(template)
        if module is None:
            module = self._templates.get_template(template).make_module()
            self._modules[template] = module
        html = Markup(getattr(module, macro)(*values).strip())  # noqa: S704  a macro's own, escaped output
        return Fragment(html=html, mark=_mark(html))

    def fragments(self, duty: Duty) -> dict[str, Fragment]:
        """Draw every replaceable part."""
        drawn = {
            "said": self._draw("said", duty.card),
            "emergency": self._draw("emergency", duty.emergency),
            "verdict": self._draw("card", duty.card),
            "troubles": self._draw("troubles", duty.troubles, duty.more),
            "links": self._draw("links", duty.links),
            "notice": self._draw("door_notice", duty.door_notice),
            "rooms": self._draw("rooms", duty.rooms),
            "notices": self._draw("notices", duty.notices),
        }
        for door in duty.doors:
            drawn[f"door-{door.number}"] = self._draw("door", door)
        return {
            name: Fragment(html=html, mark=_mark(html)) for name, html in drawn.items()
        }

    def glance(self, glance: Glance) -> dict[str, Fragment]:
        """Draw what the start page has besides; its clock is sent once a minute.

        In between the page's own script lets it run on.
        """
        shown, of_its_minute = (
            self.part("parts.html", "glance", each)
            for each in (glance, glance.of_its_minute)
        )
        fault = self.part("parts.html", "fault", glance.fault)
        clock = Fragment(html=shown.html, mark=of_its_minute.mark)
        return {"glance": clock, "fault": fault}

    def bell(self, bell: Bell, visitor: Visitor) -> Fragment:
        """Draw who rings and who waits; who is on duty is led to the door."""
        has_sound = LOOK.get().has_sound
        return self.part("bell.html", "bell", bell, visitor.on_duty_page, has_sound)

    def told(self, phrase: Phrase | None) -> str:
        """Draw what became of the last press; empty once it is old."""
        return str(self._draw("told", phrase))

    def _draw(self, macro: str, *values: object) -> Markup:
        drawn: str = getattr(self._parts, macro)(*values)
        return Markup(drawn.strip())  # noqa: S704  a macro's own, escaped output


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
