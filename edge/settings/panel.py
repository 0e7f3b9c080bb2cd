# SPDX-License-Identifier: Apache-2.0
"""The part of a site file that speaks of the volunteers' panel.

The law of the module: without it the panel answers on this box alone; plain HTTP
leaves it only where the file says so in as many words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Len, Predicate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.settings.check import Finding
    from edge.settings.site import AccessPoint

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]{1,80}(/[A-Za-z0-9._~/-]{0,80})?")


def is_host_name(text: str) -> bool:
    """Say whether a text is a name by which a browser calls this box."""
    return _HOST_NAME.fullmatch(text) is not None


def is_own_address(text: str) -> bool:
    """Say whether a text is one address of a box, not all of them."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast)


def is_web_address(text: str) -> bool:
    """Say whether a text is an address that a telephone can open."""
    return text == "" or _WEB_ADDRESS.fullmatch(text) is not None


HostName = Annotated[str, Predicate(is_host_name)]
OwnAddress = Annotated[str, Predicate(is_own_address)]
WebAddress = Annotated[str, Predicate(is_web_address)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Where the volunteers' panel answers, and how people log in there.

    ``host`` is one address of this box; beyond loopback it speaks TLS, or plain HTTP
    where ``plain_http`` says so. ``names``: under which other names tablets call it.
    ``desk``: the access point whose reader logs people in, the first desk if left
    out. ``help_phone`` stands where nobody is logged in. ``language`` is the first on
    the pages, English stands beneath. ``signpost``: the port where plain HTTP says
    where the panel is, 80 as a rule; 0 for none. ``door_url``:
    what a telephone opens that scans the code on a door's poster or its screen, with
    site and door behind it; the page there is the platform's. ``star_levels``: whether
    volunteers see the star level of their confirmed hours.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    host: OwnAddress = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 8443
    names: Annotated[list[HostName], Len(0, 8)] = field(default_factory=list)
    plain_http: bool = False
    desk: str | None = None
    help_phone: Annotated[str, Len(0, 24)] = ""
    language: Literal["zh-CN", "yue"] = "zh-CN"
    signpost: Annotated[int, Ge(0), Le(65535)] = 0
    door_url: WebAddress = ""
    star_levels: bool = False

    @property
    def is_local(self) -> bool:
        """Say whether it answers on this box alone."""
        return ip_address(self.host).is_loopback

    def url_at(self, site: str, door: str) -> str:
        """Return what the code at a door leads to, "" for none."""
        return f"{self.door_url.rstrip('/')}/{site}/{door}" if self.door_url else ""


def check_panel(panel: Panel, points: list[AccessPoint]) -> Iterator[Finding]:
    """Yield what ``[panel]`` must not say."""
    desks = [point.id for point in points if point.desk]
    if panel.desk is not None and panel.desk not in desks:
        known = ", ".join(desks) or "none; add an access point with desk = true"
        what = f"there is no desk {panel.desk!r}, known: {known}"
        yield ("panel", "desk"), what
    if panel.signpost == panel.port:
        yield ("panel", "signpost"), "the panel itself answers there: take 80, or 0"
