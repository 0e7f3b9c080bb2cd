# SPDX-License-Identifier: Apache-2.0
"""What to do when a broker or the platform cannot be reached, for whoever reads it.

The law of the module: each kind of trouble has one sentence that names the next step,
and where; doors go on in all of them, so that none says "restart".
"""

from __future__ import annotations

_NETWORK = "check the box's network and the address in [platform]"
_OURS = (
    "have the platform's operator look up this gateway's certificate (revoked, expired,"
    " or of another authority); with a new claim of theirs, menshen keys enrol gets"
    " another"
)
_SILENT = (
    "the broker takes our messages and nobody answers: check that the platform runs "
    "and that the broker lets this gateway write mn/v1/up/{shard}/{gateway}/# and read "
    "mn/v1/dn/{gateway}/#"
)
ADVICE = {
    "NAME_UNKNOWN": "check the host's name in [platform] and the box's name server",
    "UNREACHABLE": _NETWORK,
    "TIMED_OUT": f"{_NETWORK}; the broker may hang, have it looked at",
    "LOST": "nothing, if it comes back by itself; else look into the broker's log",
    "NOT_ADMITTED": "register this gateway with the broker under its id",
    "TLS_FILES": "mend the file; menshen config check --state says whether it is good",
    "TLS_FAILED": (
        "check that the port speaks TLS 1.2 or newer, and whether it asks for a "
        "certificate; look into the broker's log"
    ),
    "BROKER_UNTRUSTED": (
        "the broker is not the one we know, or its authority has changed: ask the "
        "platform's operator for the file of its authority and for nothing else"
    ),
    "BROKER_NAME": (
        "the broker's certificate is for another name: mend host, or say server_name "
        "as it stands in the certificate"
    ),
    "BROKER_DATES": (
        "have the broker's certificate renewed; a wrong clock of this box comes first"
    ),
    "BROKER_REVOKED": "the broker's certificate was revoked: ask who runs the broker",
    "CERTIFICATE_REFUSED": _OURS,
    "SUBSCRIPTION_REFUSED": "let this gateway read mn/v1/dn/{gateway}/# at the broker",
    "HELLO_UNANSWERED": _SILENT,
    "ACKS_MISSING": "the platform commits nothing, or its answers are lost: look there",
    "COMMANDS_FULL": "nothing, another connection begins with an empty memory",
    "STOOD_STILL": "nothing, once; if it stands still often, see what loads the box",
    "HEARTBEATS_UNANSWERED": (
        "the platform has stopped answering behind a broker that works: look there"
    ),
    "RENEWED": "nothing, the next connection shows the new certificate",
    "EPOCH_ENDED": "nothing, the journal begins a new epoch",
}


def advice(kind: str, *, gateway: str, shard: str) -> str:
    """Return what to do about a kind of trouble; empty where nothing is known."""
    sentence = ADVICE.get(kind, "")
    return sentence.replace("{gateway}", gateway).replace("{shard}", shard)
