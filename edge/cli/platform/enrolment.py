# SPDX-License-Identifier: Apache-2.0
"""What the platform's verbs of enrolment do: authority, claims, digits, revocations.

The law of the module: a claim is printed once and kept as a hash; no secret of a site
is printed, it goes into a file of its owner's. Whatever revokes writes the list that
brokers read, after its commit: until it is written the database is what counts.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cloud_sync.enrolling import shown_claim, shown_digits
from cloud_sync.platform import registry
from cloud_sync.platform.enrolment import authority, certificates, claims, keyring
from cloud_sync.platform.reports.table import Table, local_time
from edge.cli.exits import TROUBLE
from edge.cli.platform.shown import show, write_private
from edge.cli.platform.work import MINUTE_MS, run_once, settings_of, told
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.settings import Settings
    from edge.cli.platform.shown import Form

#: The fields of a site's key.
_SITE = ("site_key", "epoch_salt")


def make_authority(path: Path, name: str, hosts: list[str]) -> None:
    """Make the authority if there is none, the vault, and a server's certificate."""
    with told():
        settings, folder = settings_of(path), path.parent
        files = settings.authority
        made, key = folder / files.certificate, folder / files.key
        if made.exists() and key.exists():
            ours = authority.load(made, key)
        else:
            ours = authority.make(made, key, name, wall_ms())
            print(f"{made}, {key}: made; keep a copy of both where no thief reaches")
        vault = folder / files.vault
        if not vault.exists():
            keyring.make_vault(vault)
            print(f"{vault}: made; without it the sites' secrets are lost: keep a copy")
        if not (folder / files.crl).exists():
            authority.write_over(folder / files.crl, ours.crl([], wall_ms()))
        if hosts:
            shown, hidden = folder / "web.pem", folder / "web.key"
            _server(ours, "menshen-platform", hosts, shown, hidden)
        print(f"its fingerprint (SHA-256): {ours.fingerprint}")


def make_server(path: Path, name: str, hosts: list[str]) -> None:
    """Issue a certificate for a server of ours, a broker's say, in two new files."""
    with told():
        ours = _authority(settings_of(path), path.parent)
        shown, hidden = path.parent / f"{name}.pem", path.parent / f"{name}.key"
        _server(ours, name, hosts, shown, hidden)


def _server(
    ours: authority.Authority, name: str, hosts: list[str], shown: Path, hidden: Path
) -> None:
    certificate, key = ours.server(name, hosts, wall_ms())
    write_private(hidden, key.encode())
    authority.write_over(shown, _pem(certificate))
    print(f"{shown}, {hidden}: made, for {', '.join(hosts)}")


def _pem(certificate: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return str(certificate.public_bytes(Encoding.PEM).decode())


def open_claim(
    path: Path, gateway: str, site: str, url: str, *, replaces: bool
) -> None:
    """Print a claim, as text and as a picture that a volunteer can carry."""
    import segno  # noqa: PLC0415

    with told():
        settings, folder = settings_of(path), path.parent
        ours = _authority(settings, folder)
        vault = keyring.open_vault(folder / settings.authority.vault)

        async def work(work: Work) -> tuple[str, bool]:
            is_new = await keyring.ensure_site_key(work, vault, site)
            now_ms = wall_ms()
            claim = await claims.open_claim(
                work, gateway, site, replaces=replaces, now_ms=now_ms
            )
            return claim, is_new

        claim, is_new = run_once(settings, folder, work)
    shown = shown_claim(claim)
    words = {"claim": shown, "ca": ours.fingerprint} | ({"url": url} if url else {})
    text = f"menshen:enrol?{urlencode(words)}"
    segno.make(text, error="m").terminal(compact=True)
    print(f"claim for {gateway} at {site}, good for 24 hours and for one box:")
    print(f"  {shown}")
    print(f"the same, as the picture says it:\n  {text}")
    if is_new:
        print(f"{site}: its key was made; it is in the vault")


def list_waiting(path: Path, form: Form) -> None:
    """Show who waits to be confirmed, with the digits that the box must show, too."""
    with told():
        settings = settings_of(path)
        offset_ms = settings.platform.utc_offset_min * MINUTE_MS

        async def ask(work: Work) -> Table:
            found = await claims.waiting(work, wall_ms())
            return Table(
                columns=("gateway", "site", "digits", "asked", "replaces"),
                rows=[
                    (
                        *(gateway, site, shown_digits(digits)),
                        local_time(asked_ms, offset_ms),
                        "yes" if replaces else "no",
                    )
                    for gateway, site, digits, asked_ms, replaces in found
                ],
            )

        show(run_once(settings, path.parent, ask, is_reading=True), form)


def confirm(path: Path, gateway: str, digits: str) -> None:
    """Issue the certificate of the box that shows these digits."""
    with told():
        settings, folder = settings_of(path), path.parent
        ours = _authority(settings, folder)
        vault = keyring.open_vault(folder / settings.authority.vault)

        async def work(work: Work) -> str | None:
            now_ms = wall_ms()
            gone = await claims.confirm(work, gateway, digits, ours, now_ms)
            if gone is not None:
                await keyring.deliver(work, vault, gateway, now_ms)
            return gone

        gone = run_once(settings, folder, work)
        if gone is None:
            print(
                f"{gateway}: NOT confirmed, the digits are others. Mistyped? After "
                "three tries the claim is spent. Another box, or somebody between: do "
                "not go on, `menshen platform refuse` it and ask who has the claim",
                file=sys.stderr,
            )
            sys.exit(TROUBLE)
        _write_list(settings, folder, ours)
        print(f"{gateway}: confirmed; its box fetches the certificate within seconds")
        if gone:
            print(
                f"{gateway}: certificates revoked: {gone}; have brokers read the list"
            )


def refuse(path: Path, gateway: str) -> None:
    """Turn away whoever waits as this gateway."""

    async def work(work: Work) -> None:
        await claims.refuse(work, gateway)

    with told():
        run_once(settings_of(path), path.parent, work)
        print(f"{gateway}: refused; its claim is spent")


def revoke(path: Path, gateway: str) -> None:
    """Revoke all certificates of a gateway, and write the list for brokers."""

    async def work(work: Work) -> int:
        await registry.known(work, gateway)
        await work.execute("DELETE FROM enrolment WHERE gateway = ?1", gateway)
        return await certificates.revoke(work, gateway, wall_ms())

    with told():
        settings = settings_of(path)
        ours = _authority(settings, path.parent)
        count = run_once(settings, path.parent, work)
        _write_list(settings, path.parent, ours)
        print(
            f"{gateway}: {count} certificates revoked; {settings.authority.crl} written"
        )
        print(
            "have the broker read it (mosquitto: kill -HUP), and renew the site's keys"
        )


def put_secret(path: Path, site: str, use: str, file: Path) -> None:
    """Take a site's keys from a file, and send them to its boxes, sealed to each."""
    with told():
        settings, folder = settings_of(path), path.parent
        vault = keyring.open_vault(folder / settings.authority.vault)
        try:
            keys = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            what = f"{file}: no JSON that can be read"
            raise authority.AuthorityError(what) from fault
        keyring.check(use, keys)

        async def work(work: Work) -> tuple[int, dict[str, bool]]:
            if use == "site" and await keyring.boxes_of(work, site):
                raise authority.AuthorityError(
                    f"{site} has boxes that work with its key; for a new one beside "
                    "it: menshen platform site-key rotate"
                )
            kept = {name: keys[name] for name in _SITE} if use == "site" else keys
            number = await keyring.put(work, vault, site, use, kept)
            return number, {
                gateway: await keyring.deliver(work, vault, gateway, wall_ms(), [use])
                for gateway in await keyring.boxes_of(work, site)
            }

        number, sent = run_once(settings, folder, work)
        print(f"{site}: {use} keys number {number} kept")
        for gateway, is_sent in sent.items():
            no = "has no feed yet, import rows first and put the keys again"
            print(f"{gateway}: {'sealed into its feed' if is_sent else no}")


def export_secret(path: Path, site: str, use: str, out: Path) -> None:
    """Write a site's keys into a new file of its owner's, for the booking system."""
    with told():
        settings, folder = settings_of(path), path.parent
        vault = keyring.open_vault(folder / settings.authority.vault)

        async def ask(work: Work) -> dict[str, Any]:
            return {
                name: keys | ({"n": number} if name == "site" else {})
                for name, number, keys in await keyring.of_site(work, vault, site)
            }

        found = run_once(settings, folder, ask, is_reading=True)
        if use not in found:
            raise authority.AuthorityError(f"{site} has no {use} keys")
        write_private(out, (json.dumps(found[use]) + "\n").encode())
        print(f"{out}: written; it is a secret")


def _authority(settings: Settings, folder: Path) -> authority.Authority:
    files = settings.authority
    return authority.load(folder / files.certificate, folder / files.key)


def _write_list(settings: Settings, folder: Path, ours: authority.Authority) -> None:
    async def ask(work: Work) -> list[tuple[str, int]]:
        return await certificates.revoked(work)

    gone = run_once(settings, folder, ask, is_reading=True)
    authority.write_over(folder / settings.authority.crl, ours.crl(gone, wall_ms()))
