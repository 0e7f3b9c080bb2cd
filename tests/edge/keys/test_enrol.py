# SPDX-License-Identifier: Apache-2.0
"""A box enrols: the whole way, and everything that may stand in it."""

from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from cloud_sync import enrolling
from cloud_sync.platform.enrolment import certificates, claims
from cloud_sync.platform.enrolment.claims import EnrolmentError
from edge.cli.broker_files import check_files
from edge.cli.keys import pending as under_way
from edge.cli.keys.pending import new_key
from edge.cli.load_site import load_site
from tests.cloud_sync.platform.desk import NOW_MS
from tests.edge.keys.enrolling import BROKERS, GATEWAY, SHARD, BoxAtSite, Office, office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_sync.platform.database import Work

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("office") / "platform") as opened:
        yield opened


@pytest.fixture
def at(platform: Office) -> Office:
    """The platform, with nobody enrolled."""

    async def forget(work: Work) -> None:
        for table in ("enrolment", "certificate", "box"):
            await work.execute(f"DELETE FROM {table}")  # noqa: S608

    platform.do(forget)
    platform.now_ms[0] = NOW_MS
    return platform


@pytest.fixture
def box(tmp_path: Path) -> BoxAtSite:
    return BoxAtSite(tmp_path / "box")


def test_a_box_enrols_and_can_run(
    at: Office, box: BoxAtSite, capfd: pytest.CaptureFixture[str]
) -> None:
    claim = at.claim()
    shown: list[str] = []

    def operator(digits: str) -> None:
        [(gateway, site, expected, _, replaces)] = at.waiting()
        assert (gateway, site, replaces) == (GATEWAY, "hall-7", 0)
        assert digits.replace(" ", "") == expected
        shown.append(digits)
        assert at.confirm(digits) == ""

    code, heard = box.enrol(at, enrolling.shown_claim(claim).lower(), operator)
    # The platform's clock stands in 2025.
    assert (code, heard.steps) == (0, ["clock", "compare", "site", "done"])
    assert re.fullmatch(r"\d{3} \d{3}", shown[0])

    settings = load_site(box.site)
    assert settings.gateway.shard == SHARD
    assert list(settings.platform.addresses()) == BROKERS
    assert check_files(box.site, settings, box.state, NOW_MS) == []
    files = box.files()
    assert set(files) == {
        *("box.json", "broker-ca.pem", "gateway.key", "gateway.pem"),
        "enrolled.json",
        *("platform.json", "sealed.json", "site.json"),
    }
    for name in ("gateway.key", "site.json", "box.json"):
        assert stat.S_IMODE((box.state / "keys" / name).stat().st_mode) == 0o600
    held = x509.load_pem_x509_certificate(files["gateway.pem"].encode())
    assert held.subject.rfc4514_string() == f"CN={GATEWAY}"
    assert (held.not_valid_after_utc - held.not_valid_before_utc).days == 731
    assert box.json("platform.json") == at.lent.signer.public_keys
    assert len(bytes.fromhex(box.json("site.json")["site_key"])) == 32
    told = capfd.readouterr()
    for secret in (claim, files["site.json"], files["gateway.key"]):
        assert secret not in told.out + told.err


def test_the_picture_says_it_all_and_a_fingerprint_is_enough(
    at: Office, box: BoxAtSite
) -> None:
    claim = enrolling.shown_claim(at.claim())
    text = f"menshen:enrol?claim={claim}&ca={at.ca.fingerprint}&url={at.url}"
    code, heard = box.enrol(at, text, at.confirm, fingerprint="")
    assert code == 0, heard.said


def test_another_authority_is_not_believed(at: Office, box: BoxAtSite) -> None:
    code, heard = box.enrol(at, at.claim(), fingerprint="ab" * 32)
    assert (code, heard.steps) == (1, ["UNREACHABLE"])
    assert "another fingerprint" in heard.said[0]["what"]
    assert "box.json" not in box.files() or set(box.files()) == {"box.json"}


def test_the_platforms_own_time_judges_its_certificate(
    tmp_path: Path, box: BoxAtSite
) -> None:
    """The box's clock is a year off either way, and dates are judged all the same."""
    with office(tmp_path / "old", issued_ms=NOW_MS - 3000 * DAY_MS) as expired:
        code, heard = box.enrol(expired, expired.claim())
    assert (code, heard.steps) == (1, ["UNREACHABLE"])
    assert "expired by the platform's own time" in heard.said[0]["what"]


def test_a_claim_leads_to_one_box(at: Office, box: BoxAtSite, tmp_path: Path) -> None:
    claim, second = at.claim(), BoxAtSite(tmp_path / "second")
    assert box.enrol(at, claim)[1].steps[-1] == "waiting"
    code, heard = second.enrol(at, claim)
    assert (code, heard.steps) == (1, ["CLAIM_USED"])
    assert set(second.files()) == {"box.json"}
    # … and the first goes on as if nothing had been.
    code, heard = box.enrol(at, claim, at.confirm)
    assert code == 0


def test_what_is_expired_mistyped_or_for_another_place_is_told(
    at: Office, box: BoxAtSite
) -> None:
    old = at.claim()
    at.now_ms[0] += DAY_MS
    assert box.enrol(at, old)[1].steps == ["CLAIM_EXPIRED"]
    at.now_ms[0] = NOW_MS
    assert box.enrol(at, "0" * 20)[1].steps == ["CLAIM_UNKNOWN"]
    assert box.enrol(at, "12345")[0] == 2
    assert box.enrol(at, at.claim(site="hall-8"))[1].steps == ["WRONG_SITE"]
    claim = at.claim()
    box.site.write_text(box.site.read_text().replace('"gw-7"', '"gw-8"'))
    assert box.enrol(at, claim)[1].steps == ["WRONG_GATEWAY"]
    assert not under_way.read(box.state)


def test_wrong_digits_spend_the_claim_and_change_nothing(
    at: Office, box: BoxAtSite
) -> None:
    claim = at.claim()

    def mistyped(digits: str) -> None:
        wrong = f"{(int(digits.replace(' ', '')) + 1) % 10**6:06}"
        assert [at.confirm(wrong) for _ in range(3)] == [None] * 3
        with pytest.raises(EnrolmentError, match="no box waits"):
            at.confirm(digits)

    code, heard = box.enrol(at, claim, mistyped)
    assert (code, heard.steps[-1]) == (1, "FINGERPRINT_REFUSED")
    assert set(box.files()) == {"box.json"}
    assert load_site(box.site).platform.ca == ""


def test_a_second_enrolment_of_a_live_gateway_revokes_the_first(
    at: Office, box: BoxAtSite, tmp_path: Path
) -> None:
    assert box.enrol(at, at.claim(), at.confirm)[0] == 0
    with pytest.raises(EnrolmentError, match="--replace"):
        at.claim()
    claim, second = at.claim(replaces=True), BoxAtSite(tmp_path / "second")
    assert box.enrol(at, claim)[0] == 2  # this one has a certificate and did not say so
    assert second.enrol(at, claim, at.confirm)[0] == 0
    gone = at.do(certificates.revoked)
    held = x509.load_pem_x509_certificate(box.files()["gateway.pem"].encode())
    assert [serial for serial, _ in gone] == [f"{held.serial_number:x}"]
    listed = x509.load_pem_x509_crl(at.ca.crl(gone, NOW_MS).encode())
    assert listed.get_revoked_certificate_by_serial_number(held.serial_number)
    assert listed.is_signature_valid(at.ca.certificate.public_key())  # type: ignore[arg-type]


def test_a_site_key_of_its_own_is_not_overwritten(at: Office, box: BoxAtSite) -> None:
    (box.state / "keys").mkdir()
    own = {"site_key": "11" * 32, "epoch_salt": "22" * 16}
    (box.state / "keys" / "site.json").write_text(json.dumps(own))
    code, heard = box.enrol(at, at.claim(), at.confirm)
    assert (code, heard.steps[-1]) == (1, "NOT_INSTALLED")
    assert "secret put" in heard.said[-1]["what"]
    assert box.json("site.json") == own
    assert "gateway.key" not in box.files()


def test_who_stands_between_cannot_make_the_digits_agree(at: Office) -> None:
    """Each side's nonce is fixed before it knows the other's, so nobody can try."""
    key, csr = new_key(GATEWAY)
    _, other = new_key(GATEWAY)
    base = {
        "claim": at.claim(),
        "gateway": GATEWAY,
        "site": "hall-7",
        "csr": csr,
        "box": "11" * 32,
        "seal": "22" * 32,
        "promise": enrolling.promise_of("ab" * 16),
        "ticket": "33" * 32,
    }
    seen = enrolling.transcript(base)
    digits = {enrolling.digits_of(seen, "ab" * 16, f"{n:032x}") for n in range(2000)}
    assert len(digits) > 1990  # the platform's nonce alone decides anew each time
    changed = [
        enrolling.digits_of(enrolling.transcript(base | change), "ab" * 16, "00" * 16)
        for change in (
            *({}, {"csr": other}, {"claim": "1" * 20}, {"box": "44" * 32}),
            *({"seal": "44" * 32}, {"site": "hall-8"}),
        )
    ]
    assert len(set(changed)) == len(changed)
    assert base["claim"] not in seen
    assert base["ticket"] not in seen
    assert key not in seen


def test_claims_are_kept_as_hashes(at: Office) -> None:
    claim = at.claim()
    rows = at.do(lambda work: work.fetch("SELECT * FROM enrolment"))
    assert claim not in str([tuple(row) for row in rows])
    assert claims.CLAIM_MS == DAY_MS
