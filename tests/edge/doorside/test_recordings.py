# SPDX-License-Identifier: Apache-2.0
"""Volunteers' own voices: what is asked for, taken in, and made meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from edge.cli.doorside.language import read_language
from edge.cli.doorside.recordings import RecordingError, listed, make_all, take_in
from edge.cli.doorside.tones import as_wav, read_wav, silence
from edge.cli.doorside.word import Word
from edge.cli.files import config_folder
from edge.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sentence(tmp_path: Path) -> Path:
    path = tmp_path / "phone.wav"
    path.write_bytes(as_wav(silence(1.5)))
    return path


def test_the_list_names_each_sentence_and_what_is_recorded(
    tmp_path: Path, sentence: Path
) -> None:
    before = list(listed(tmp_path, "yue"))
    assert len(before) == 26
    assert any("yue/full.wav" in line and "入面满咗" in line for line in before)
    assert not any(line.startswith("recorded") for line in before)
    told = take_in(tmp_path, "yue", "full", sentence)
    assert told.startswith(str(tmp_path / "voice" / "yue" / "full.wav"))
    after = [line for line in listed(tmp_path, "yue") if line.startswith("recorded")]
    assert [line.split()[1] for line in after] == ["yue/full.wav"]


@pytest.mark.parametrize(
    ("language", "word", "told"),
    [
        ("fr", "full", "there is no language 'fr'; use one of en, yue, zh-CN"),
        ("readers", "full", "there is no language 'readers'"),
        ("en", "ready", "'ready' is not said; use one of"),
    ],
)
def test_what_is_not_asked_for_is_refused(
    tmp_path: Path, sentence: Path, language: str, word: str, told: str
) -> None:
    with pytest.raises(RecordingError, match=told):
        take_in(tmp_path, language, word, sentence)
    assert not (tmp_path / "voice").exists()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (as_wav(silence(0.1)), "0.1 s long"),
        (as_wav(silence(16)), "16.0 s long"),
        (b"ID3", "not a WAV file"),
        (None, "No such file"),
    ],
)
def test_a_recording_that_cannot_be_used_says_why(
    tmp_path: Path, data: bytes | None, told: str
) -> None:
    path = tmp_path / "phone.wav"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(RecordingError, match=told):
        take_in(tmp_path, "en", "full", path)


def test_the_command_line_says_it_in_one_line(tmp_path: Path, sentence: Path) -> None:
    words = ["voice", "add", "en", "full", str(sentence), "--state", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert done.output.strip().endswith("it sounds from now on")
    wrong = ["voice", "list", "xx", "--state", str(tmp_path)]
    assert CliRunner().invoke(app, wrong).exit_code == 2


@pytest.mark.needs("espeak-ng")
def test_placeholders_are_what_the_loudspeaker_wants(tmp_path: Path) -> None:
    assert len(list(make_all(tmp_path))) == 3
    voice = config_folder() / "voice"
    for code in ("zh-CN", "yue", "en"):
        entries = read_language([voice / f"{code}.toml"]).entries
        wanted = {word.value for word in Word if entries[word].spoken}
        made = {path.stem: path for path in (tmp_path / code).glob("*.wav")}
        assert made.keys() == wanted
        for path in made.values():
            assert 0.3 < len(read_wav(path.read_bytes())) / 16_000 < 8
