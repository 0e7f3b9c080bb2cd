# SPDX-License-Identifier: Apache-2.0
"""The recordings of a site: what is wanted, taking one in, and making placeholders.

The law of the module: a site's own stand in its state folder, which an update leaves
alone and a backup takes along; placeholders stand beside the words they are made of.
A file appears whole or not at all.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from edge.cli.doorside.language import LanguageError, read_language
from edge.cli.doorside.languages import READERS
from edge.cli.doorside.tones import RATE_HZ, as_wav, converted
from edge.cli.doorside.word import Word
from edge.cli.files import config_folder

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from pathlib import Path

    from edge.cli.doorside.language import Language

#: Longer is no sentence for a door.
LONGEST_S = 15
SHORTEST_S = 0.3
ESPEAK = "espeak-ng"
#: Words a minute.
_PACE = "170"


class RecordingError(Exception):
    """What is wrong with a recording or a language, and what to do."""


def _folders(state: Path) -> tuple[Path, Path]:
    return config_folder() / "voice", state / "voice"


def _language(state: Path, code: str) -> Language:
    folders = _folders(state)
    paths = [path for each in folders if (path := each / f"{code}.toml").is_file()]
    if not paths or code == READERS:
        known = {path.stem for each in folders for path in each.glob("*.toml")}
        names = ", ".join(sorted(known - {READERS}))
        raise RecordingError(f"there is no language {code!r}; use one of {names}")
    try:
        return read_language(paths)
    except LanguageError as error:
        raise RecordingError(str(error)) from error


def listed(state: Path, code: str) -> Iterator[str]:
    """Yield a line for each sentence: recorded here, a placeholder, or missing."""
    language = _language(state, code)
    shipped, own = _folders(state)
    for word, entry in language.entries.items():
        if not entry.spoken:
            continue
        name = f"{code}/{word.value}.wav"
        mark = "missing"
        if (own / name).is_file():
            mark = "recorded"
        elif (shipped / name).is_file():
            mark = "placeholder"
        yield f"{mark:<12} {name:<28} {entry.spoken}"


def take_in(state: Path, code: str, name: str, recording: Path) -> str:
    """Take a recording in and say where it is now."""
    language = _language(state, code)
    wanted = [word.value for word, entry in language.entries.items() if entry.spoken]
    if name not in wanted:
        raise RecordingError(f"{name!r} is not said; use one of {', '.join(wanted)}")
    if not state.is_dir():
        raise RecordingError(f"{state}: no such state folder, name it with --state")
    try:
        samples = converted(recording.read_bytes())
    except OSError as error:
        raise RecordingError(f"{recording}: {error.strerror}") from error
    except ValueError as error:
        raise RecordingError(f"{recording}: {error}") from error
    seconds = len(samples) / RATE_HZ
    if not SHORTEST_S <= seconds <= LONGEST_S:
        limits = f"{SHORTEST_S:g} to {LONGEST_S} s"
        raise RecordingError(f"{recording}: {seconds:.1f} s long, a door has {limits}")
    path = _folders(state)[1] / code / f"{name}.wav"
    _write(path, samples)
    return f"{path}: {seconds:.1f} s; it sounds from now on"


def make_all(into: Path | None) -> Iterator[str]:
    """Make every placeholder; yield a line for each language."""
    words = config_folder() / "voice"
    for path in sorted(words.glob("*.toml")):
        if path.stem != READERS:
            language = read_language([path])
            count = _make(language, (into or words) / language.code)
            yield f"{language.code}: {count} placeholders by {ESPEAK}"


def _make(language: Language, folder: Path) -> int:
    count = 0
    for word in Word:
        entry = language.entries.get(word)
        if entry is not None and entry.spoken:
            said = _spoken(language.espeak, entry.spoken)
            _write(folder / f"{word.value}.wav", said)
            count += 1
    return count


def _spoken(voice: str, sentence: str) -> array[int]:
    words = [ESPEAK, "-v", voice, "-s", _PACE, "--stdout", "--", sentence]
    try:
        made = subprocess.run(words, check=True, capture_output=True)
    except OSError as error:
        what = f"{ESPEAK} cannot be started ({error.strerror})"
        raise RecordingError(f"{what}: apt-get install {ESPEAK}") from error
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip() or "it failed"
        raise RecordingError(f"{ESPEAK} -v {voice}: {why}") from error
    return converted(_with_true_sizes(made.stdout))


def _with_true_sizes(data: bytes) -> bytes:
    """Mend a header that was written before its sound: a pipe cannot go back."""
    at = data.find(b"data")
    size, whole = len(data) - at - 8, len(data) - 8
    head = data[:4] + whole.to_bytes(4, "little") + data[8 : at + 4]
    return head + size.to_bytes(4, "little") + data[at + 8 :]


def _write(path: Path, samples: array[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(as_wav(samples))
    fresh.replace(path)
