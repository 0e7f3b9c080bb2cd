# SPDX-License-Identifier: Apache-2.0
"""The caller's end of the control socket.

The law of the module: blocking and short-lived, for a command line; it knows nothing
of the gateway but the socket.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 5.0


class ControlError(Exception):
    """The gateway could not be asked, or refused; the text says what to do."""


class NoGatewayError(ControlError):
    """Nobody answers at the socket."""


def ask(
    path: Path, verb: str, *, within_s: float = TIMEOUT_S, **arguments: Any
) -> dict[str, Any]:
    """Send one request and return its answer; ControlError if it was not done."""
    request = json.dumps({"verb": verb, **arguments}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(str(path))
            with suppress(BrokenPipeError):  # it may have answered without listening
                connection.sendall(request)
            with connection.makefile("rb") as lines:
                line = lines.readline()
    except OSError as error:
        raise NoGatewayError(
            f"{path}: no gateway answers here ({error.strerror or error}); is it "
            "running, and is this its --socket?"
        ) from error
    answer = _parse(line)
    if answer is None:
        raise ControlError(f"{path}: the gateway hung up; ask again")
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error")))
    return answer


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return the answer; None for none, half a one, or a stranger's."""
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
