# SPDX-License-Identifier: Apache-2.0
"""The simulated identity-card reader speaks the published frames, byte for byte."""

from __future__ import annotations

from random import Random

import pytest

from firmware_sim.id_card.persons import PERSONS
from firmware_sim.id_card.sam_reader import SamReader
from firmware_sim.id_card.sam_settings import SamLatencies, SamReaderSettings
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

REQUESTS = frames("sam_requests")
REPLIES = frames("sam_replies")
NOW = 100.0
#: Answers that say "your frame was bad", whatever lies on the reader.
REFUSALS = {0x10, 0x11, 0x21}


def reader() -> SamReader:
    return SamReader(SamReaderSettings(latencies=SamLatencies.immediate()))


def ask(device: SamReader, request: bytes) -> bytes:
    device.receive(request, NOW)
    return device.take_outgoing(NOW)


def read_card(device: SamReader, request: str = "read text+photo") -> bytes:
    ask(device, REQUESTS["find card"])
    ask(device, REQUESTS["select card"])
    return ask(device, REQUESTS[request])


@pytest.mark.parametrize(
    "vector", vectors("sam_requests"), ids=lambda vector: str(vector.note)
)
def test_every_published_request_is_understood_and_wrong_ones_are_not(
    vector: Vector,
) -> None:
    answer = ask(reader(), vector.data)
    assert (answer[9] not in REFUSALS) is vector.is_sound
    if not vector.is_sound:
        assert answer == REPLIES["reader: your checksum was wrong"]


@pytest.mark.parametrize("letter", "ABJIY")
def test_persons_are_read_as_published(letter: str) -> None:
    device = reader()
    device.put(PERSONS[letter], NOW)
    assert ask(device, REQUESTS["find card"]) == REPLIES["find ok"]
    assert ask(device, REQUESTS["select card"]) == REPLIES["select ok"]
    full = ask(device, REQUESTS["read text+photo"])
    assert len(full) == 1295
    assert full == REPLIES[f"person {letter}"]


def test_an_empty_reader_answers_as_published() -> None:
    device = reader()
    assert ask(device, REQUESTS["find card"]) == REPLIES["no card"]
    assert ask(device, REQUESTS["select card"]) == REPLIES["select failed"]
    assert ask(device, REQUESTS["read text+photo"]) == REPLIES["read failed"]
    assert ask(device, REQUESTS["SAM status"]) == REPLIES["ok without data"]
    assert ask(device, REQUESTS["module number"]) == REPLIES["module number reply"]


def test_the_newest_address_is_told_or_said_to_be_missing() -> None:
    device = reader()
    device.put(PERSONS["A"], NOW)
    told = REPLIES["newest address, no inner length"]
    assert read_card(device, "newest address") == told
    device.put(PERSONS["B"], NOW)
    assert read_card(device, "newest address") == REPLIES["no additional address"]


def test_an_unknown_command_is_refused_as_published() -> None:
    unknown = bytes.fromhex("AAAAAA9669000370FF8C")
    assert ask(reader(), unknown) == REPLIES["reader: unknown command"]


def test_a_request_cut_anywhere_is_understood_once_whole() -> None:
    request = REQUESTS["find card"]
    for cut in range(1, len(request)):
        device = reader()
        assert ask(device, request[:cut]) == b""
        assert ask(device, request[cut:]) == REPLIES["no card"]


@pytest.mark.parametrize("noise", ["AA", "AAAA", "AAAAAA96", "00FF", "AAAAAA9669FFFF"])
def test_a_sound_request_is_found_behind_noise(noise: str) -> None:
    answer = ask(reader(), bytes.fromhex(noise) + REQUESTS["find card"])
    assert answer.endswith(REPLIES["no card"])


@pytest.mark.parametrize("kept", range(7, 10))
def test_a_torn_request_does_not_swallow_the_next(kept: int) -> None:
    torn = REQUESTS["find card"][:kept]
    answer = ask(reader(), torn + REQUESTS["SAM status"])
    assert answer.endswith(REPLIES["ok without data"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes_never_raise_and_never_deafen(seed: int) -> None:
    chance, device = Random(seed), reader()
    for _ in range(300):
        garbage = chance.randbytes(chance.randrange(1, 40))
        ask(device, chance.choice([b"", REQUESTS["find card"][:7]]) + garbage)
    ask(device, bytes(32))
    assert ask(device, REQUESTS["find card"]) == REPLIES["no card"]
