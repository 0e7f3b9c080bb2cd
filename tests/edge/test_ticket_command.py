# SPDX-License-Identifier: Apache-2.0
"""``menshen ticket``: what is issued can be read, and what is read is told in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zxingcpp
from typer.testing import CliRunner

from edge.cli.exits import GOOD, TROUBLE, WRONG_USE
from edge.cli.key_files import KeyFileError
from edge.cli.ticket.inspection import WORDS, run_inspect
from edge.cli.ticket.issue import run_issue
from edge.cli.ticket.key_files import read_issuer_key, read_ticket_keys
from edge.cli.ticket.new_key import run_new_key
from edge.cli.ticket.times import ms_of, said
from edge.cli.ticket.verbs import app
from edge.cli.ticket.writer import TicketOrder
from edge.core.access.ticket import TicketFlaw
from edge.core.access.ticket_rules import REASONS

if TYPE_CHECKING:
    from _pytest.capture import CaptureResult

FROM_S, TO_S = 1_795_320_000, 1_795_327_200
ORDER = TicketOrder(
    issuer="",
    site="hz-demo",
    doors=(12, "kitchen"),
    from_s=FROM_S,
    to_s=TO_S,
    issued_s=FROM_S - 7_200,
    ticket_id=bytes(range(8)),
    uses=2,
    party=3,
)


class Desk:
    """A developer's folder: an issuer's key and the gateway's half of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.private, self.public = folder / "issuer.json", folder / "tickets.json"
        self._capsys = capsys

    def captured(self) -> CaptureResult[str]:
        return self._capsys.readouterr()

    def said(self) -> str:
        return self.captured().out

    def complaint(self) -> str:
        return self.captured().err

    def new_key(self, key_id: str = "0a", issuer: str = "hz1") -> int:
        return run_new_key(self.private, key_id=key_id, issuer=issuer, rotates=True)

    def issue(self, order: TicketOrder = ORDER, **more: Any) -> int:
        wanted: dict[str, Any] = {"code_at_s": FROM_S, "qr": None, "as_json": False}
        return run_issue(self.private, order, **(wanted | more))

    def inspect(self, text: str, at_s: int = FROM_S, **more: Any) -> int:
        wanted: dict[str, Any] = {"site": None, "door": None, "as_json": False}
        wanted |= {"keys": self.public} | more
        return run_inspect(text, at_ms=at_s * 1000, **wanted)

    def issued(self, order: TicketOrder = ORDER) -> str:
        assert self.issue(order) == GOOD
        return self.said().removesuffix("\n")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    desk = Desk(tmp_path, capsys)
    assert desk.new_key() == GOOD
    desk.public.write_text(desk.said(), encoding="utf-8")
    desk.public.chmod(0o600)
    return desk


def test_a_new_key_is_its_owners_alone_and_never_written_over(desk: Desk) -> None:
    assert desk.private.stat().st_mode & 0o777 == 0o600
    private = json.loads(desk.private.read_text())["private"]
    assert private not in desk.public.read_text()
    before = desk.private.read_bytes()
    assert desk.new_key() == WRONG_USE
    assert "name a new file" in desk.complaint()
    assert desk.private.read_bytes() == before


@pytest.mark.parametrize(
    ("key_id", "issuer"), [("", "x"), ("zz", "x"), ("01", "x" * 9)]
)
def test_a_key_that_no_gateway_would_take_is_not_written(
    desk: Desk, key_id: str, issuer: str
) -> None:
    desk.private.unlink()
    assert desk.new_key(key_id, issuer) == WRONG_USE
    assert desk.complaint().startswith("no key: ")
    assert not desk.private.exists()


def test_what_is_issued_opens_and_is_told_in_words(desk: Desk) -> None:
    text = desk.issued()
    assert text.startswith("MS1:")
    assert desk.inspect(text) == GOOD
    told = desk.said()
    for word in (ORDER.ticket_id.hex(), "hz1", "hz-demo", "12, kitchen", "3 persons"):
        assert word in told
    assert f"begins     {said(FROM_S * 1000)}" in told
    assert "key 0a holds" in told


def test_a_program_reads_the_same(desk: Desk) -> None:
    rotating = replace(ORDER, rotates=True, is_emergency=True)
    assert desk.issue(rotating, as_json=True) == GOOD
    issued = json.loads(desk.said())
    assert set(issued) == {"ticket_id", "text", "secret"}
    assert desk.inspect(issued["text"], as_json=True) == GOOD
    found = json.loads(desk.said())
    assert (found["opens"], found["verified"], found["flaws"]) == (True, True, [])
    assert found["ticket"] == {
        "ticket_id": issued["ticket_id"],
        "key": "0a",
        "issuer": "hz1",
        "site": "hz-demo",
        "doors": [12, "kitchen"],
        "from_ms": FROM_S * 1000,
        "to_ms": TO_S * 1000,
        "issued_ms": ORDER.issued_s * 1000,
        "uses": 2,
        "party": 3,
        "emergency": 1,
        "rotation": "proven",
        "step": FROM_S // 30,
    }


def test_every_flaw_is_told_with_what_can_still_be_read(desk: Desk) -> None:
    text = desk.issued()
    late = desk.inspect(text, TO_S + 90, door="13", site="hz-2", keys=None)
    assert late == TROUBLE
    told = desk.said()
    assert "not verified, read only" in told
    assert "code       unchecked" in told
    assert told.index("(kid_unknown)") < told.index("site hz-demo")
    assert f"(expired): {WORDS[TicketFlaw.EXPIRED]}, to_ms {said(TO_S * 1000)}" in told
    assert told.count("(door)") == 2
    assert desk.inspect(text[:-1], as_json=True) == TROUBLE
    found = json.loads(desk.said())
    flaw = {"reason": "INVALID_SIGNATURE", "detail": "base45"}
    assert found == {
        "opens": False,
        "verified": False,
        "flaws": [flaw],
        "ticket": None,
    }


def test_a_door_is_asked_for_by_number_or_id(desk: Desk) -> None:
    text = desk.issued()
    assert desk.inspect(text, door="12", site="hz-demo") == GOOD
    assert desk.inspect(text, door="kitchen") == GOOD
    assert desk.inspect(text, door="lounge") == TROUBLE


def test_every_flaw_has_its_words() -> None:
    assert set(WORDS) == set(TicketFlaw)


@pytest.mark.parametrize("flaw", TicketFlaw)
def test_the_document_names_every_flaw_with_its_reason(flaw: TicketFlaw) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tickets.md").read_text("utf-8")
    assert f"\n| `{flaw}` | {REASONS[flaw]} |" in page


def test_the_picture_is_the_text(desk: Desk) -> None:
    picture = desk.folder / "code.pbm"
    assert desk.issue(qr=picture) == GOOD
    text = desk.said().removesuffix("\n")
    kind, _, size, bits = picture.read_bytes().split(b"\n", 3)
    assert kind == b"P4"
    side = int(size.split()[0])
    # A module is eight pixels wide, so that rows end with their bytes.
    pixels = b"".join(
        bytes(255 if byte >> 7 - bit & 1 == 0 else 0 for bit in range(8))
        for byte in bits
    )
    image = memoryview(pixels).cast("B", shape=(side, side))
    [code] = zxingcpp.read_barcodes(image)
    assert code.text == text


def test_a_picture_can_be_printed(desk: Desk) -> None:
    assert desk.issue(qr=desk.folder / "code.png") == GOOD
    assert (desk.folder / "code.png").read_bytes().startswith(b"\x89PNG")
    for bad in ("code.exe", "nowhere/code.png"):
        assert desk.issue(qr=desk.folder / bad) == WRONG_USE
        assert desk.complaint().startswith("no ticket: ")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"uses": 256}, "uses"),
        ({"uses": -1}, "uses"),
        ({"party": 0}, "party"),
        ({"party": 257}, "party"),
        ({"site": "Hangzhou"}, "format"),
        ({"doors": ()}, "format"),
        ({"doors": tuple(range(9))}, "format"),
        ({"doors": (2**64,)}, "is too big"),
        ({"to_s": FROM_S}, "format"),
        ({"ticket_id": b"short"}, "format"),
    ],
)
def test_a_ticket_that_a_gateway_would_refuse_is_not_issued(
    desk: Desk, changed: dict[str, Any], word: str
) -> None:
    assert desk.issue(replace(ORDER, **changed)) == WRONG_USE
    told = desk.captured()
    assert told.out == ""
    assert word in told.err


def test_the_complaint_says_what_to_change(desk: Desk) -> None:
    assert desk.issue(replace(ORDER, uses=256)) == WRONG_USE
    assert "0 (any number) to 255" in desk.complaint()
    content = json.loads(desk.private.read_text()) | {"rotation": ""}
    desk.private.write_text(json.dumps(content))
    assert desk.issue(replace(ORDER, rotates=True)) == WRONG_USE
    assert "no rotation key" in desk.complaint()


def test_an_issuers_key_speaks_for_no_other_issuer(desk: Desk) -> None:
    text = desk.issued(replace(ORDER, issuer="sz1"))
    assert desk.inspect(text, as_json=True) == GOOD
    assert json.loads(desk.said())["ticket"]["issuer"] == "hz1"


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        [],
        {},
        {"keys": 5},
        {"keys": [5]},
        {"keys": [{"kid": "01"}]},
        {"keys": [{"kid": "01", "public": "zz"}]},
        {"keys": [{"kid": "01", "public": "00" * 32}]},
        {"keys": [{"kid": "01", "public": "58" + "66" * 31, "to": "2026-11-22"}]},
        {"keys": [], "rotation": ["5e5e5e5e"]},
    ],
)
def test_a_bad_key_file_is_refused_in_a_line_without_its_keys(
    tmp_path: Path, content: object
) -> None:
    path = tmp_path / "tickets.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KeyFileError) as caught:
        read_ticket_keys(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert "\n" not in told
    for secret in ("6666", "5e5e"):
        assert secret not in told


def test_a_secret_that_others_may_read_is_not_used(desk: Desk) -> None:
    for path, read in (
        (desk.private, read_issuer_key),
        (desk.public, read_ticket_keys),
    ):
        read(path)
        path.chmod(0o640)
        with pytest.raises(KeyFileError, match="chmod 600"):
            read(path)
        path.unlink()
        with pytest.raises(KeyFileError, match="cannot be read"):
            read(path)


def test_a_key_files_times_are_read_with_their_zone(desk: Desk) -> None:
    content = json.loads(desk.public.read_text())
    content["keys"][0] |= {"from": "2026-11-01T08:00+08:00", "to": "2027-01-01T00:00Z"}
    desk.public.write_text(json.dumps(content))
    [key] = read_ticket_keys(desk.public).keys
    assert (said(key.from_ms), said(key.to_ms)) == (
        "2026-11-01 00:00:00 UTC",
        "2027-01-01 00:00:00 UTC",
    )
    with pytest.raises(ValueError, match="add the zone"):
        ms_of("2026-11-01T08:00")


def test_the_verbs_work_from_the_command_line(tmp_path: Path) -> None:
    private, public = str(tmp_path / "a.json"), tmp_path / "b.json"
    made = typed("new-key", private, "--kid", "01", "--issuer", "hz1", "--rotating")
    public.write_text(made, encoding="utf-8")
    public.chmod(0o600)
    begin, end = "2026-11-22T14:00+08:00", "2026-11-22T16:00+08:00"
    order = ["--key", private, "--site", "hz-demo", "--door", "12", "--door", "hall"]
    order += ["--from", begin, "--to", end, "--issued", begin, "--uses", "1"]
    order += ["--rotating", "--at", begin, "--id", "00" * 8]
    issued = json.loads(typed("issue", *order, "--json"))
    seen = ["inspect", issued["text"], "--keys", str(public), "--json"]
    found = json.loads(typed(*seen, "--at", begin))
    assert found["opens"]
    assert found["ticket"]["doors"] == [12, "hall"]
    assert found["ticket"]["from_ms"] == ms_of(begin)
    assert found["ticket"]["rotation"] == "proven"
    typed(*seen, "--at", end, code=TROUBLE)
    typed(*seen, code=TROUBLE)  # now is not then
    typed(*seen, "--at", "2026-11-22T14:00", code=WRONG_USE)
    typed("issue", *order, "--uses", "300", code=WRONG_USE)
    typed("inspect", "ms1:ABC", code=TROUBLE)


def typed(*words: str, code: int = GOOD) -> str:
    """Return what the verb prints; assert how it ends."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.stdout
