# SPDX-License-Identifier: Apache-2.0
"""The platform's control socket: a test's hand in the world of the platform.

The law of the module: one JSON object a line, one line in answer; a wrong wish is
answered, never fatal. Counting runs beside the work, on a connection of its own.

``{"do": "counts"}``, ``{"do": "audit"}``, ``{"do": "keys"}``,
``{"do": "change", "rows": [{"kind","id","body"}], "remove": [{"kind","id"}]}``,
``{"do": "knob", "name": …, "value": …}``,
``{"do": "restore", "gateway": …, "epoch": …, "seq": …}``,
``{"do": "command", "gateway": …, "body": {"action": …, …}, "within_s": 3}``: signs
and sends a command (docs/commands.md) and answers with its states as they came;
``"send": false`` only signs it. ``{"do": "results", "jti": …}``: the states so far;
for USB sticks ``{"do": "trust", "gateway": …, "public": hex}``,
``{"do": "stick-in", "path": …}``, ``{"do": "stick-out", "gateway": …, "path": …}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_sim.platform.counts import count_garbled, count_journals, find_breaks
from firmware_sim.platform.feed import parse_row

if TYPE_CHECKING:
    from firmware_sim.platform.counts import JournalCounts
    from firmware_sim.platform.feed_store import FeedStore
    from firmware_sim.platform.keys import Signer
    from firmware_sim.platform.ledger import Ledger
    from firmware_sim.platform.session import Session
    from firmware_sim.platform.shell import Shell
    from firmware_sim.platform.stick import Sticks

#: One line: a change of some ten thousand rows.
MAXIMUM_LINE_BYTES = 4 * 1024 * 1024
#: How long somebody with a phone waits.
ANSWER_WITHIN_S = 3.0
_SUMMED = (
    "stored",
    "deliveries",
    "redelivered",
    "duplicated",
    "lost",
    "refused",
    "alarms",
    "quarantined",
)


def listen(path: Path) -> socket.socket:
    """Listen at ``path``, for its owner alone.

    The name appears when the socket answers, so whoever sees it can connect.
    """
    hidden = path.with_name(f"{path.name}.new")
    hidden.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(hidden))
    hidden.chmod(0o600)
    listener.listen()
    hidden.replace(path)
    return listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What the socket's words act upon."""

    session: Session
    shell: Shell
    ledger: Ledger
    ledger_path: Path
    store: FeedStore
    signer: Signer
    sticks: Sticks

    async def serve(self, listener: socket.socket) -> None:
        """Answer whoever connects, until cancelled."""
        server = await asyncio.start_unix_server(
            self._converse, sock=listener, limit=MAXIMUM_LINE_BYTES
        )
        async with server:
            await server.serve_forever()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            # A line over the limit, or a caller who went away: he is hung up on.
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            wish = json.loads(line)
            return {"ok": True} | await self._do(wish)
        except (OSError, LookupError, TypeError, ValueError, RecursionError) as flaw:
            return {"ok": False, "error": f"{type(flaw).__name__}: {flaw}"}

    async def _do(self, wish: Any) -> dict[str, Any]:
        match wish["do"]:
            case "counts":
                return await self._counts()
            case "audit":
                breaks = await asyncio.to_thread(find_breaks, self.ledger_path)
                named = [[*journal, seq] for journal, seq in breaks.items()]
                return {"breaks": named}
            case "keys":
                return {"keys": self.signer.public_keys}
            case "change":
                return self._change(wish)
            case "knob":
                self.session.turn(wish["name"], int(wish["value"]))
                return {"knobs": asdict(self.session.knobs)}
            case "restore":
                self.ledger.rewind(wish["gateway"], wish["epoch"], int(wish["seq"]))
                return {}
            case "trust" | "stick-in" | "stick-out":
                return self._stick(wish)
            case "command":
                return await self._command(wish)
            case "results":
                return self.session.desk.told(str(wish["jti"]))
            case unknown:
                raise ValueError(f"no such verb: {unknown!r}")

    async def _command(self, wish: Any) -> dict[str, Any]:
        """Have a command signed and sent, and wait until the gateway has done it.

        A phone in front of the door is told what to do where nobody answers.
        """
        gateway, loop = str(wish["gateway"]), asyncio.get_running_loop()
        message = self.session.command(gateway, dict(wish["body"]), self.shell.now_ms())
        desk, jti = self.session.desk, self.session.desk.last
        signed = {"jti": jti, "jws": message.payload.decode()}
        if not wish.get("send", True):
            return signed
        begun_s, done = loop.time(), asyncio.Event()
        desk.watch(jti, done.set)
        self.shell.post([message])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(float(wish.get("within_s", ANSWER_WITHIN_S))):
                await done.wait()
        desk.watch(jti, None)
        taken_ms = round((loop.time() - begun_s) * 1000)
        return signed | desk.told(jti) | {"ms": taken_ms}

    def _change(self, wish: Any) -> dict[str, Any]:
        put = [parse_row(row) for row in wish.get("rows", [])]
        remove = [(str(row["kind"]), str(row["id"])) for row in wish.get("remove", [])]
        self.shell.post(self.session.change(put, remove))
        return self._cursor()

    def _stick(self, wish: Any) -> dict[str, Any]:
        if wish["do"] == "trust":
            self.sticks.trust(wish["gateway"], wish["public"])
            return {}
        path = Path(wish["path"])
        if wish["do"] == "stick-out":
            path.write_bytes(self.sticks.write(wish["gateway"]))
            return {}
        standing = self.sticks.take(path.read_bytes())
        return {"epoch": standing.epoch, "hi": standing.hi, "h": standing.hash.hex()}

    def _cursor(self) -> dict[str, Any]:
        cursor = self.store.feed.cursor
        return {"epoch": cursor.epoch, "rev": cursor.rev}

    async def _counts(self) -> dict[str, Any]:
        journals = await asyncio.to_thread(count_journals, self.ledger_path)
        garbled = await asyncio.to_thread(count_garbled, self.ledger_path)
        by_gateway: dict[str, list[JournalCounts]] = {}
        for journal in journals:
            by_gateway.setdefault(journal.gateway, []).append(journal)
        return {
            "connected": self.shell.is_connected,
            "dropped": self.shell.dropped,
            "garbled": garbled,
            "feed": self._cursor() | {"rows": self.store.feed.count},
            "gateways": {
                gateway: _summed(known) | self._heard(gateway)
                for gateway, known in by_gateway.items()
            },
        }

    def _heard(self, gateway: str) -> dict[str, Any]:
        """Return what the gateway said of itself last."""
        hello = self.session.hellos.get(gateway)
        if hello is None:
            return {}
        feed = {"epoch": hello.feed_epoch, "rev": hello.feed_rev}
        return {"hello": {"last_seq": hello.last_seq, "boot": hello.boot, "feed": feed}}


def _summed(journals: list[JournalCounts]) -> dict[str, Any]:
    """Sum a gateway's journals; ``high`` is the watermark of the newest."""
    sums = {name: sum(getattr(one, name) for one in journals) for name in _SUMMED}
    epochs = {one.epoch: {"hi": one.hi, "h": one.hash.hex()} for one in journals}
    return sums | {"high": journals[-1].hi, "epochs": epochs}
