# SPDX-License-Identifier: Apache-2.0
"""The platform's verbs of enrolment, as its operators type them."""

from __future__ import annotations

import json
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from cloud_sync.sealing import SealedKeys, unseal
from tests.cloud_sync.platform.test_verbs import refused, typed
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD
from tests.cloud_sync.test_sealing import BOX, public_of

if TYPE_CHECKING:
    from pathlib import Path

SITE = "kitchen"
ROTATION = {"rotation": ["5e" * 32]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    assert typed("authority", "--host", "127.0.0.1").exit_code == 0
    (tmp_path / "rotation.json").write_text(json.dumps(ROTATION))
    return tmp_path


def test_an_authority_is_made_once_and_its_secrets_are_its_owners(folder: Path) -> None:
    for name in ("ca.key", "vault.key", "web.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    before = (folder / "ca.pem").read_bytes()
    assert "its fingerprint" in typed("authority").output
    assert (folder / "ca.pem").read_bytes() == before
    crl = x509.load_pem_x509_crl((folder / "ca.crl").read_bytes())
    assert list(crl) == []
    (folder / "ca.key").chmod(0o644)
    assert "chmod 600" in refused("claim", GATEWAY, "--site", SITE)
    (folder / "ca.key").unlink()
    assert "`menshen platform authority`" in refused("claim", GATEWAY, "--site", SITE)
    assert "there is an authority already" in refused("authority")


def test_what_has_no_sense_is_told(folder: Path) -> None:
    assert "no gateway gw-9" in refused("claim", "gw-9", "--site", SITE)
    assert "no box waits" in refused("confirm", GATEWAY, "123456")
    assert "no claim" in refused("refuse", GATEWAY)
    assert typed("waiting", "--json").output.strip() == "[]"
    assert typed("claim", GATEWAY, "--site", SITE).exit_code == 0
    assert typed("refuse", GATEWAY).exit_code == 0
    assert "0 certificates revoked" in typed("revoke", GATEWAY).output


def test_secrets_are_locked_in_the_database_and_sealed_into_feeds(folder: Path) -> None:
    put = ("secret", "put", "rotation.json", "--site", SITE, "--use", "rotation")
    assert typed(*put).output.strip() == f"{SITE}: rotation keys number 1 kept"
    _box(folder)
    assert "import rows first" in typed(*put).output
    (folder / "rows.jsonl").write_text(
        '{"kind":"revocation","id":"r","body":{"token":"'
        + "ab" * 16
        + '","reason":"LOST"}}'
    )
    assert typed("rows", "import", "rows.jsonl", "--gateway", GATEWAY).exit_code == 0
    assert "sealed into its feed" in typed(*put).output
    # Whoever replaces all rows from a file does not take the keys away.
    again = ("rows", "import", "rows.jsonl", "--gateway", GATEWAY, "--replace")
    assert typed(*again).exit_code == 0
    row = json.loads(
        typed("rows", "show", "--gateway", GATEWAY, "--kind", "key").output
    )
    opened = unseal(row["body"]["jwe"], BOX, gateway=GATEWAY, site=SITE)
    assert isinstance(opened, SealedKeys)
    assert (opened.number, opened.keys) == (3, ROTATION)
    secret = bytes.fromhex(ROTATION["rotation"][0])
    for path in folder.glob("platform.db*"):
        content = path.read_bytes()
        assert secret not in content
        assert ROTATION["rotation"][0].encode() not in content


def test_a_sites_key_goes_out_to_the_booking_system_and_not_to_boxes_at_work(
    folder: Path,
) -> None:
    assert typed("claim", GATEWAY, "--site", SITE).exit_code == 0  # makes the key
    out = ("secret", "export", "site.json", "--site", SITE, "--use", "site")
    assert typed(*out).exit_code == 0
    assert stat.S_IMODE((folder / "site.json").stat().st_mode) == 0o600
    keys = json.loads((folder / "site.json").read_text())
    assert len(keys["site_key"]) == 64
    assert "there is a file already" in refused(*out)
    put = ("secret", "put", "site.json", "--site", SITE, "--use", "site")
    assert typed(*put).exit_code == 0
    _box(folder)
    assert "menshen platform site-key rotate" in refused(*put)
    assert "no rotation keys" in refused(
        *out[:2], "x", "--site", SITE, "--use", "rotation"
    )


BAD_KEYS = [
    ("rotation", {"rotation": ["00"]}, "one is not 32 bytes"),
    ("rotation", {"rotation": ["5e" * 32] * 3}, "two at most"),
    ("issuer", {"keys": []}, "one to eight"),
    ("issuer", {"keys": [{"kid": "zz", "public": "5e" * 32}]}, "kid"),
    ("command", {}, "one to four"),
    ("command", {"k": "00" * 32}, "anybody could sign"),
    ("site", {"site_key": "5e" * 32}, "epoch_salt"),
    ("root", {}, "unknown use"),
]


def test_keys_that_are_none_are_told_without_a_word_of_them(folder: Path) -> None:
    for use, keys, told in BAD_KEYS:
        (folder / "bad.json").write_text(json.dumps(keys))
        said = refused("secret", "put", "bad.json", "--site", SITE, "--use", use)
        assert told in said
        assert "5e5e" not in said


def test_another_vault_key_opens_nothing(folder: Path) -> None:
    put = ("secret", "put", "rotation.json", "--site", SITE, "--use", "rotation")
    assert typed(*put).exit_code == 0
    (folder / "vault.key").write_text("00" * 32)
    out = ("secret", "export", "out", "--site", SITE, "--use", "rotation")
    assert "restore it from the backup" in refused(*out)


def _box(folder: Path) -> None:
    """Write down a box as an enrolment does."""
    with sqlite3.connect(folder / "platform.db") as base:
        base.execute(
            "INSERT INTO box (gateway, site, box, seal, enrolled_ms) "
            "VALUES (?, ?, '', ?, 1)",
            (GATEWAY, SITE, public_of(BOX).hex()),
        )
    base.close()
