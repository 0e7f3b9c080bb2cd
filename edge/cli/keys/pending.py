# SPDX-License-Identifier: Apache-2.0
"""An enrolment under way: all that a box has to say again after a power cut.

The law of the module: it is written whole before the first word goes out, and goes
away with the very step that puts the keys in place; until then nothing else changed.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cloud_sync import enrolling
from edge.cli.keys.install import FOLDER, write

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.box_key import BoxKey

NAME = f"{FOLDER}/enrol.json"
AUTHORITY = f"{FOLDER}/enrol-ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """``key`` (PEM), ``claim``, ``nonce`` and ``ticket`` are secrets."""

    gateway: str
    site: str
    url: str
    csr: str
    claim: str = field(repr=False)
    key: str = field(repr=False)
    nonce: str = field(repr=False)
    ticket: str = field(repr=False)
    digits: str = ""

    def request(self, box: BoxKey) -> dict[str, str]:
        """Return what goes to the platform, signed by the box's key."""
        request = {
            "claim": self.claim,
            "gateway": self.gateway,
            "site": self.site,
            "csr": self.csr,
            "box": box.public.hex(),
            "seal": box.sealing_public.hex(),
            "promise": enrolling.promise_of(self.nonce),
            "ticket": self.ticket,
        }
        signed = box.sign(enrolling.signed_part(enrolling.transcript(request)))
        return request | {"signature": signed.hex()}


def new_key(gateway: str) -> tuple[str, str]:
    """Make a key of P-256; return it and a request for its certificate (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, gateway)])
    csr = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode(), csr.public_bytes(Encoding.PEM).decode()


def begin(*, gateway: str, site: str, url: str, claim: str) -> Pending:
    """Return a new enrolment; nothing is kept yet."""
    key, csr = new_key(gateway)
    return Pending(
        gateway=gateway,
        site=site,
        url=url,
        claim=claim,
        key=key,
        csr=csr,
        nonce=secrets.token_hex(enrolling.NONCE_BYTES),
        ticket=secrets.token_hex(32),
    )


def keep(state: Path, pending: Pending) -> None:
    """Keep it on the disk; KeyFileError if it cannot be."""
    write(state / NAME, json.dumps(asdict(pending)))


def read(state: Path) -> Pending | None:
    """Return what is under way; None if there is nothing that can be gone on with."""
    try:
        pending = Pending(**json.loads((state / NAME).read_text(encoding="utf-8")))
        load_pem_private_key(pending.key.encode(), None)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return pending
