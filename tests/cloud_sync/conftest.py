# SPDX-License-Identifier: Apache-2.0
"""Brokers for the tests of the client: amqtt everywhere, mosquitto where it is.

And the certificate of one that speaks TLS, made for the test.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests import brokers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.brokers import BrokerProcess


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker of each kind, ended after the test by its process id."""
    start = {"amqtt": brokers.amqtt, "mosquitto": brokers.mosquitto}[request.param]
    with start(tmp_path) as process:
        yield process


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A broker's side of TLS and ours, which trusts that broker alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test broker")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, hidden = tmp_path / "broker.pem", tmp_path / "broker.key"
    shown.write_bytes(certificate.public_bytes(Encoding.PEM))
    hidden.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(shown, hidden)
    return theirs, ssl.create_default_context(cafile=str(shown))
