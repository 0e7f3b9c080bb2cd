# SPDX-License-Identifier: Apache-2.0
"""How a call goes out: to a program of the operator's, or to a web address.

The law of the module: no account anywhere is needed. A caller gets one call, whole,
with an id that stays the same when it is tried again, and has a time to be done in;
what it cannot do is a reason, never an exception. Nothing of a person is in a call
but whom it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Message = dict[str, int | str]
MAX_WHY = 160
#: How much of a program's complaint is read.
MAX_COMPLAINT = 4096


class Caller(Protocol):
    """Makes calls."""

    async def call(self, message: Message) -> str:
        """Make a call; return why it could not be made, or nothing."""


class Command:
    """Runs a program: the call as JSON on its standard input, and in ``MENSHEN_*``.

    Exit status 0 means that it was sent. It is killed, with all that it started, when
    it takes too long.
    """

    def __init__(self, words: Sequence[str], timeout_s: float) -> None:
        self._words = tuple(words)
        self._timeout_s = timeout_s

    async def call(self, message: Message) -> str:
        """Make a call; return why it could not be made, or nothing."""
        told = {f"MENSHEN_{name.upper()}": str(told) for name, told in message.items()}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env=os.environ | told,
            )
        except (OSError, ValueError) as fault:
            return _short(f"{self._words[0]}: {fault}")
        try:
            async with asyncio.timeout(self._timeout_s):
                _, complaint = await process.communicate(_json(message))
        except TimeoutError:
            return f"took longer than {self._timeout_s:g} s"
        finally:
            if process.returncode is None:  # too late, or we are to stop ourselves
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode == 0:
            return ""
        said = complaint[-MAX_COMPLAINT:].decode(errors="replace").strip()
        return _short(f"ended with {process.returncode}: {said.splitlines()[-1:]}")


class Webhook:
    """Posts the call as JSON; 2xx means that it was sent.

    ``Idempotency-Key`` is the call's id: a second try of a call that arrived.
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def call(self, message: Message) -> str:
        """Make a call; return why it could not be made, or nothing."""
        try:
            # A server that answers drop by drop keeps the thread, not us.
            async with asyncio.timeout(self._timeout_s + 1.0):
                return await asyncio.to_thread(self._post, message)
        except TimeoutError:
            return f"took longer than {self._timeout_s:g} s"

    def _post(self, message: Message) -> str:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(message["id"]),
        }
        request = urllib.request.Request(  # noqa: S310  the settings allow http(s)
            self._address, data=_json(message), headers=headers, method="POST"
        )
        opener = urllib.request.build_opener(_NoRedirect())
        try:
            with opener.open(request, timeout=self._timeout_s) as answer:
                return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return f"HTTP {refusal.code}"
        except (OSError, ValueError) as fault:
            return _short(str(getattr(fault, "reason", fault)))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and be told elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def caller_of(
    command: Sequence[str] | None, webhook: str | None, timeout_s: float
) -> Caller | None:
    """Return what makes the calls; None: they are shown, and nothing sends them."""
    if command:
        return Command(command, timeout_s)
    return Webhook(webhook, timeout_s) if webhook else None


def _json(message: Mapping[str, int | str]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def _short(why: str) -> str:
    text = "".join(each if each.isprintable() else " " for each in why)
    return text[:MAX_WHY]
