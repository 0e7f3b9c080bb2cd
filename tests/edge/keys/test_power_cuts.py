# SPDX-License-Identifier: Apache-2.0
"""Whenever the power goes, a box has its old keys or its new ones, whole."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from edge.cli.broker_files import check_files
from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import KeyFile, finish, install
from edge.cli.load_site import load_site
from tests.cloud_sync.platform.desk import NOW_MS
from tests.edge.keys.cut import DIED
from tests.edge.keys.enrolling import BoxAtSite, office

if TYPE_CHECKING:
    from pathlib import Path

OLD = {"a": "old a", "b": "old b", "gone": "old gone"}
NEW = {"a": "new a", "b": "new b", "c": "new c"}


def run(*words: object) -> int:
    command = [sys.executable, "-m", "tests.edge.keys.cut", *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True).returncode


def held(state: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (state / "keys").iterdir()}


def furnished(folder: Path) -> Path:
    (folder / "keys").mkdir(parents=True)
    for name, text in OLD.items():
        (folder / "keys" / name).write_text(text)
    return folder


def test_files_are_all_old_or_all_new_after_a_cut_at_every_step(tmp_path: Path) -> None:
    outcomes = []
    for number in range(1, 100):
        state = furnished(tmp_path / str(number))
        code = run("install", number, state)
        finish(state)
        found = held(state)
        left = {n: t for n, t in found.items() if not n.startswith(".")}
        assert left in (OLD, NEW), number
        outcomes.append(left == NEW)
        if code == 0:
            break
        assert code == DIED
    # Both happen, in this order, and the last was never cut.
    assert sorted(outcomes) == outcomes
    assert 5 < len(outcomes) < 60
    assert True in outcomes[:-1]
    assert False in outcomes


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    state = furnished(tmp_path / "state")
    (state / "keys" / ".incoming.json.new").mkdir()  # nobody can write there now
    with pytest.raises(KeyFileError, match="cannot be kept"):
        install(state, {"keys/a": KeyFile(text="new a")})
    assert (state / "keys" / "a").read_text() == "old a"
    assert not finish(state)


@pytest.mark.parametrize("number", [1, 6, 12, 18, 24, 30, 36, 42, 48])
def test_an_enrolment_goes_on_after_a_cut_at_any_moment(
    tmp_path: Path, number: int
) -> None:
    with office(tmp_path / "platform") as at:
        claim, is_over = at.claim(), threading.Event()

        def operator() -> None:
            while not is_over.wait(0.05):
                for _, _, digits, _, _ in at.waiting():
                    at.confirm(digits)

        thread = threading.Thread(target=operator)
        thread.start()
        try:
            box = BoxAtSite(tmp_path / "box")
            words = (box.site.parent, claim, at.url, at.folder / "ca.pem")
            codes = [run("enrol", number, *words)]
            assert codes[0] in (DIED, 1), codes
            settings = load_site(box.site)  # it can be read at every moment
            while codes[-1] != 0:
                codes.append(run("enrol", 0, *words))
                assert len(codes) < 8, codes
        finally:
            is_over.set()
            thread.join()
        settings = load_site(box.site)
        assert check_files(box.site, settings, box.state, NOW_MS) == []
        assert {n for n in box.files() if not n.startswith(".")} == {
            *("box.json", "broker-ca.pem", "gateway.key", "gateway.pem"),
            "enrolled.json",
            *("platform.json", "sealed.json", "site.json"),
        }
        [(count,)] = at.do(lambda work: work.fetch("SELECT count(*) FROM certificate"))
        assert count == 1
