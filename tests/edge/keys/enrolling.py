# SPDX-License-Identifier: Apache-2.0
"""A platform with an authority and a web server, and boxes that want to enrol there.

The law of the module: both sides are the product's own; people are what is played.
"""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync.platform import feeds, registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.enrolment import authority, claims, keyring
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.settings import Settings as PlatformSettings
from cloud_sync.platform.web.app import Lent
from cloud_sync.platform.web.server import serve
from edge.cli.keys.enrol import EnrolOptions, enrol
from edge.cli.keys.words import Told
from edge.cli.load_site import load_site
from tests.brokers import free_port
from tests.cloud_sync.platform.desk import NOW_MS
from tests.cloud_sync.scripted_platform import KID, SEED
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from cloud_sync.platform.database import Work

GATEWAY, SITE, SHARD = "gw-7", "hall-7", "07"
BROKERS = ["mqtt-1.example.org:8883"]


@dataclass
class Office:
    """The platform of a test, in a thread of its own, and its operator's hands."""

    folder: Path
    lent: Lent
    loop: asyncio.AbstractEventLoop
    url: str
    now_ms: list[int]
    ca: authority.Authority
    vault: keyring.Vault

    def do(self, work: Callable[[Work], Awaitable[Any]]) -> Any:
        """Run something in one transaction."""

        async def done() -> Any:
            async with self.lent.database.writing() as transaction:
                return await work(transaction)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(10)

    def claim(self, *, replaces: bool = False, site: str = SITE) -> str:
        """Print a claim."""

        async def work(work: Work) -> str:
            await keyring.ensure_site_key(work, self.vault, site)
            return await claims.open_claim(
                work, GATEWAY, site, replaces=replaces, now_ms=self.now_ms[0]
            )

        return str(self.do(work))

    def waiting(self) -> list[Any]:
        """Return who waits."""
        return list(self.do(lambda work: claims.waiting(work, self.now_ms[0])))

    def confirm(self, digits: str) -> str | None:
        """Type the digits that a box shows."""

        async def work(work: Work) -> str | None:
            return await claims.confirm(work, GATEWAY, digits, self.ca, self.now_ms[0])

        found: str | None = self.do(work)
        return found


@contextmanager
def office(folder: Path, *, issued_ms: int = NOW_MS) -> Iterator[Office]:
    """Open a platform that knows one gateway; its own certificate is of then."""
    folder.mkdir()
    port, now_ms = free_port(), [NOW_MS]
    settings = PlatformSettings.model_validate(
        {
            "broker": {"host": "127.0.0.1"},
            "store": {"sqlite": "platform.db"},
            "web": {"listen": f"127.0.0.1:{port}"},
            "authority": {"brokers": BROKERS},
        }
    )
    ours = authority.make(folder / "ca.pem", folder / "ca.key", "test", NOW_MS)
    server, key = ours.server("web", ["127.0.0.1"], issued_ms)
    pem = server.public_bytes(Encoding.PEM).decode()
    authority.write_new(folder / "web.pem", pem)
    authority.write_new(folder / "web.key", key)
    keyring.make_vault(folder / "vault.key")
    vault = keyring.open_vault(folder / "vault.key")
    opened: list[Office] = []
    is_open, is_over = threading.Event(), threading.Event()

    async def run() -> None:
        async with open_database(settings, folder) as database:
            lent = Lent(
                database=database,
                signer=Signer(KID, SEED),
                settings=settings,
                folder=folder,
                now_ms=lambda: now_ms[0],
            )
            async with database.writing() as work:
                await registry.register(work, GATEWAY, SHARD, "", NOW_MS)
            assert settings.web is not None
            task = asyncio.create_task(serve(settings.web, lent))
            await _until_answers(port)
            loop, url = asyncio.get_running_loop(), f"https://127.0.0.1:{port}"
            opened.append(Office(folder, lent, loop, url, now_ms, ours, vault))
            is_open.set()
            await asyncio.to_thread(is_over.wait)
            task.cancel()
            await asyncio.wait({task})

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert is_open.wait(10)
        yield opened[0]
    finally:
        is_over.set()
        thread.join(10)


async def _until_answers(port: int) -> None:
    for _ in range(500):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.01)


class Heard(Told):
    """Keeps what was told; whoever stands there may do something at the digits."""

    def __init__(self, at_digits: Callable[[str], object]) -> None:
        object.__setattr__(self, "is_json", True)
        object.__setattr__(self, "at_digits", at_digits)
        object.__setattr__(self, "said", [])

    said: list[dict[str, Any]]
    at_digits: Callable[[str], object]

    def compare(self, digits: str, gateway: str) -> None:
        self.said.append({"step": "compare", "digits": digits.replace(" ", "")})
        self.at_digits(digits)

    def later(self, digits: str) -> None:
        self.said.append({"step": "waiting"})

    def clock(self, off_s: int) -> None:
        self.said.append({"step": "clock"})

    def site(self, path: str, lines: str, *, is_written: bool) -> None:
        self.said.append({"step": "site", "written": is_written, "lines": lines})

    def done(self, gateway: str) -> None:
        self.said.append({"step": "done"})

    def trouble(self, name: str, what: str, to_do: str = "") -> None:
        self.said.append({"step": "trouble", "name": name, "what": what})

    @property
    def steps(self) -> list[str]:
        return [str(each.get("name") or each["step"]) for each in self.said]


class BoxAtSite:
    """A box: its site file and its state folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.site, self.state = folder / "site.toml", folder / "state"
        self.site.write_text(TEXT, encoding="utf-8")
        self.state.mkdir(mode=0o700)

    def options(self, at: Office, claim: str, **more: Any) -> EnrolOptions:
        return EnrolOptions(
            site=self.site,
            state=self.state,
            claim=claim,
            url=at.url,
            ca=None if "fingerprint" in more else at.folder / "ca.pem",
            wait_s=more.pop("wait_s", 0.0),
            **more,
        )

    def enrol(
        self,
        at: Office,
        claim: str,
        at_digits: Callable[[str], object] = lambda _: None,
        **more: Any,
    ) -> tuple[int, Heard]:
        """Type the verb; ``at_digits`` happens when the digits are shown."""
        heard = Heard(at_digits)
        options = self.options(at, claim, **more)
        return enrol(options, load_site(self.site), heard), heard

    def files(self) -> dict[str, str]:
        """Return what lies in the folder of keys."""
        folder = self.state / "keys"
        if not folder.is_dir():
            return {}
        return {path.name: path.read_text() for path in sorted(folder.iterdir())}

    def json(self, name: str) -> Any:
        return json.loads((self.state / "keys" / name).read_text())


async def give_feed(work: Work) -> None:
    """Give the gateway a feed that is not empty."""
    body = '{"reason":"LOST","token":"' + "ab" * 16 + '"}'
    change = feeds.Change(put={("revocation", "r-1"): body})
    await feeds.change(work, GATEWAY, change, NOW_MS)
