# SPDX-License-Identifier: Apache-2.0
"""``menshen platform``, as its operators type it."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from cloud_sync.signing import PlatformKeys
from edge.cli.platform.verbs import app
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import journal
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED, SHARD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.brokers import BrokerProcess

BOOKINGS = """\
id,holder,space,from,to,party
b-1,h-1,kitchen,2026-03-02 09:00,2026-03-02 11:00,2
b-2,h-2,kitchen,2026-03-03 09:00,2026-03-03 11:00,1
b-3,h-2,kitchen,2026-03-04 09:00,2026-03-04 11:00,1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder, in which `init` and one `gateway add` were typed."""
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def refused(*words: str) -> str:
    """Type what is wrong; return the one line that says so."""
    result = typed(*words)
    assert result.exit_code == 2, result.output
    return str(result.output).strip()


def test_init_makes_what_is_secret_for_its_owner_alone(folder: Path) -> None:
    for name in ("platform.toml", "platform.key", "platform.db"):
        mode = (folder / name).stat().st_mode
        assert not mode & (stat.S_IRWXG | stat.S_IRWXO), name
    shown = json.loads(typed("keys").output)
    assert typed("keys", "--out", "platform.json").exit_code == 0
    assert json.loads((folder / "platform.json").read_text("ascii")) == shown
    assert PlatformKeys(shown)
    assert "there is a key already" in refused("init")
    assert json.loads(typed("keys").output) == shown


def test_a_key_that_others_may_read_is_not_used(folder: Path) -> None:
    (folder / "platform.key").chmod(0o640)
    assert "others may read this secret" in refused("keys")
    (folder / "platform.key").chmod(0o600)
    (folder / "platform.key").write_text('{"kid":"a b","seed":"00"}')
    assert "restore it from the backup" in refused("keys")
    (folder / "platform.key").unlink()
    assert "`menshen platform init` makes the key" in refused("keys")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "broker: Field required"),
        ('[broker]\nhost = "h"\n[store]', "name one of the two"),
        ('[broker]\nhost = "h"\n[store]\nsqlite = "a"\nmysql = 1', "store.mysql"),
        ('[broker]\nhost = "h"\nport = "1883"\n[store]\nsqlite = "a"', "broker.port"),
        ('[broker]\nhost = "h"\n[store]\npostgresql = "db"', "store.postgresql"),
        ("[broker", "Expected"),
    ],
)
def test_settings_that_are_wrong_say_where(folder: Path, text: str, told: str) -> None:
    (folder / "platform.toml").write_text(text, "utf-8")
    assert told in refused("gateway", "list")


def test_a_gateway_is_registered_once_and_listed(folder: Path) -> None:
    assert "registered already" in refused("gateway", "add", GATEWAY, "--shard", "01")
    assert "shard '16'" in refused("gateway", "add", "gw-new", "--shard", "16")
    assert "gateway 'GW'" in refused("gateway", "add", "GW", "--shard", "01")
    [row] = json.loads(typed("gateway", "list", "--json").output)
    assert (row["gateway"], row["shard"], row["online"]) == (GATEWAY, SHARD, "no")
    assert GATEWAY in typed("gateway", "list").output


def test_bookings_are_imported_shown_and_replaced(folder: Path) -> None:
    file = folder / "march.csv"
    file.write_text(BOOKINGS, "utf-8")
    words = ("rows", "import", "march.csv", "--gateway", GATEWAY)
    assert "3 written, 0 as before, 0 removed; 3 rows at 0001-" in typed(*words).output
    assert "0 written, 3 as before" in typed(*words).output
    lines = typed("rows", "show", "--gateway", GATEWAY).output.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["b-1", "b-2", "b-3"]
    file.write_text("\n".join(BOOKINGS.splitlines()[:2]), "utf-8")
    assert "2 rows would go and 1 stay" in refused(*words, "--replace")
    assert len(typed("rows", "show", "--gateway", GATEWAY).output.splitlines()) == 3
    assert "2 removed; 1 rows" in typed(*words, "--replace", "--yes").output
    back = "\n".join(lines)
    (folder / "back.jsonl").write_text(back, "utf-8")
    words = ("rows", "import", "back.jsonl", "--gateway", GATEWAY)
    assert "2 written, 1 as before" in typed(*words).output


def test_an_import_that_fails_for_one_gateway_changes_none(folder: Path) -> None:
    (folder / "march.csv").write_text(BOOKINGS, "utf-8")
    words = ("rows", "import", "march.csv", "--gateway", GATEWAY)
    assert "no gateway gw-other" in refused(*words, "--gateway", "gw-other")
    assert typed("rows", "show", "--gateway", GATEWAY).output == ""
    assert "march.txt: No such file" in refused(*words[:2], "march.txt", *words[3:])


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ('sqlite = "no/such/folder.db"', "no/such/folder.db: No such file"),
        ('sqlite = "platform.key"', "file is not a database"),
        ('postgresql = "postgresql://h@127.0.0.1:1/none"', "PostgreSQL: "),
    ],
)
def test_a_database_that_is_not_there_is_told(
    folder: Path, store: str, told: str
) -> None:
    text = f'[broker]\nhost = "127.0.0.1"\n[store]\n{store}\n'
    (folder / "platform.toml").write_text(text, "utf-8")
    result = typed("trouble")
    assert result.exit_code == 1
    assert told in result.output


@pytest.mark.usefixtures("own_process")
def test_what_the_broker_asks_for_has_to_be_there_before_anything_starts(
    folder: Path,
) -> None:
    secret, store = folder / "word", '[store]\nsqlite = "platform.db"\n'
    secret.write_text("wrong\n", "utf-8")
    for line, told in (
        ('password_file = "word"', "others may read this secret"),
        ('password_file = "none"', "none: No such file"),
        ('cert_file = "c.pem"', "cert_file and key_file need broker.ca_file"),
        ('ca_file = "c.pem"', "TLS files in "),
    ):
        text = f'[broker]\nhost = "127.0.0.1"\n{line}\n{store}'
        (folder / "platform.toml").write_text(text, "utf-8")
        assert told in refused("run")


@pytest.mark.parametrize("verb", ["visits", "hours", "drills", "care", "medicine"])
def test_a_question_is_answered_as_table_json_and_csv(folder: Path, verb: str) -> None:
    assert "nothing to show" in typed(verb).output
    assert json.loads(typed(verb, "--json", "--from", "2026-03-01").output) == []
    assert typed(verb, "--csv", "out.csv").exit_code == 0
    content = (folder / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    assert "there is a file already" in refused(verb, "--csv", "out.csv")
    days = ("--from", "2026-03-02", "--to", "2026-03-01")
    assert "--to lies before --from" in refused(verb, *days)


@pytest.mark.needs("mosquitto")
async def test_run_serves_until_it_is_asked_to_stop(
    folder: Path, mosquitto: BrokerProcess
) -> None:
    settings = folder / "platform.toml"
    text = settings.read_text("utf-8").replace("1883", str(mosquitto.port))
    settings.write_text(text, "utf-8")
    secret = json.dumps({"kid": KID, "seed": SEED.hex()})
    (folder / "platform.key").write_text(secret, "ascii")
    words = ("-m", "edge.cli.main", "platform", "run", "--settings", str(settings))
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        site = Site(mosquitto, journal(300))
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
        [row] = json.loads(
            (await asyncio.to_thread(typed, "gateway", "list", "--json")).output
        )
        assert (row["online"], row["stored"], row["waiting"]) == ("yes", 300, 0)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await process.wait()
    assert code == 0
