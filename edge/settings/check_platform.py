# SPDX-License-Identifier: Apache-2.0
"""What ``[platform]`` must say as a whole: brokers once, and TLS or a reason why not.

The law of the module: plain TCP leaves this box only where the file says so in as many
words; as in :mod:`edge.settings.check`, nothing changes a value. Whether the files are
there and good is asked by the roof, which knows the state folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge.settings.broker_names import read_broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.settings.check import Finding
    from edge.settings.site import Platform

#: Whose signatures a shelter from afar needs.
OPERATORS = 2
_ADDRESS = re.compile(
    r"https://([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9_.-]{1,64}){0,8}/?"
)
_DEFAULT_HOST, _DEFAULT_PORT = "127.0.0.1", 1883


def check_platform(platform: Platform) -> Iterator[Finding]:
    """Yield every finding."""
    yield from _brokers(platform)
    yield from _tls(platform)
    yield from _operators(platform)
    yield from _snapshots(platform)
    if platform.exposed and not platform.plain_tcp:
        what = (
            f"plain TCP to {platform.exposed[0]} can be read on the way: name the file "
            "of the brokers' authority as ca = 'keys/broker-ca.pem', or say "
            "plain_tcp = true"
        )
        where = "brokers" if platform.brokers else "host"
        yield ("platform", where), what


def _operators(platform: Platform) -> Iterator[Finding]:
    """Refuse what could never be two persons, or would be one with two names."""
    if not platform.shelter:
        return
    names, keys = zip(*(each.split(":") for each in platform.shelter), strict=True)
    if len(set(names)) < len(names):
        what = "an operator stands there twice, name each once"
        yield ("platform", "shelter"), what
    elif len(set(keys)) < len(keys):
        what = "two operators have one key, so one person could sign for both"
        yield ("platform", "shelter"), what
    elif len(names) < OPERATORS:
        what = (
            "a shelter from afar needs two operators' signatures: name two at least, "
            "or none to forbid it"
        )
        yield ("platform", "shelter"), what


def _brokers(platform: Platform) -> Iterator[Finding]:
    if not platform.brokers:
        return
    read = [read_broker(name) for name in platform.brokers]
    if any(broker in read[:index] for index, broker in enumerate(read)):
        yield ("platform", "brokers"), "a broker stands there twice, name it once"
    for name, has_said in (
        ("host", platform.host != _DEFAULT_HOST),
        ("port", platform.port != _DEFAULT_PORT),
    ):
        if has_said:
            what = "not used beside brokers, put it into brokers and leave it out here"
            yield ("platform", name), what


def _snapshots(platform: Platform) -> Iterator[Finding]:
    if not platform.snapshots:
        return
    where = ("platform", "snapshots")
    if not _ADDRESS.fullmatch(platform.snapshots):
        yield where, "write an address such as https://platform.example.org:8443"
    if not (platform.ca and platform.certificate):
        what = "needs ca and certificate: rosters are given to this gateway alone"
        yield where, what


def _tls(platform: Platform) -> Iterator[Finding]:
    if bool(platform.certificate) != bool(platform.key):
        lacking = "key" if platform.certificate else "certificate"
        has = "certificate" if platform.certificate else "key"
        yield ("platform", has), f"of no use without {lacking}, name both files"
    if platform.ca:
        if platform.plain_tcp:
            yield ("platform", "plain_tcp"), "there is a ca, so it is TLS: leave it out"
        return
    for name in ("crl", "certificate", "server_name"):
        if getattr(platform, name):
            what = "belongs to TLS, name the brokers' authority as ca, too"
            yield ("platform", name), what
