# SPDX-License-Identifier: Apache-2.0
"""A certificate renewed over the line: the request, its answer, and who borrows what.

The law of the module: values and one protocol. The request is signed by the box's own
key, since a broker could else ask in a gateway's name; the answer is signed by the
platform like all that comes down, and names the request that it answers.
Source: docs/sync-contract.md, sections 3 and 4; docs/enrolment.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.core.chain import canonical

if TYPE_CHECKING:
    from edge.core.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWish:
    """A request (PEM) under its nonce (32 hex), ``signature`` (hex) by the box."""

    nonce: str
    csr: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAnswer:
    """The certificate and its authority (PEM); or why not, and both are empty."""

    nonce: str
    certificate: str = ""
    authority: str = ""
    refusal: str = ""


def signed_part(gateway: str, nonce: str, csr: str) -> bytes:
    """Return the bytes that the box's key signs of a wish."""
    text = canonical({"csr": csr, "gw": gateway, "nonce": nonce})
    return f"menshen csr v1|{text}".encode()


class Renewal(Protocol):
    """What a gateway does about its certificate; nothing here raises."""

    def wish(self, now: Moment) -> CertificateWish | None:
        """Return what to ask for now, if it is time."""

    async def take(self, answer: CertificateAnswer, now: Moment) -> bool:
        """Take an answer; True if another connection should try what came."""

    def worked(self) -> None:
        """Hear that the platform was reached by this connection."""
