# SPDX-License-Identifier: Apache-2.0
"""``menshen bench decide`` in small: its mixture meets what a day meets."""

from __future__ import annotations

from edge.cli.bench.decide import (
    MIXTURE,
    SLICE,
    DecideOptions,
    build_roster,
    mixture,
    run_decide,
    token_of,
)

SMALL = DecideOptions(credentials=5_000, bookings=4_000, for_s=0.05)


def test_every_figure_is_told_and_every_kind_of_answer_met() -> None:
    figures = run_decide(SMALL)
    assert (figures["credentials"], figures["bookings"]) == (5_000, 4_000)
    assert 0 < figures["decisions_per_s"] < figures["floor_per_s"]
    assert 0 < figures["p50_us"] <= figures["p99_us"]
    assert figures["p99_cpu_us"] > 0
    assert figures["rss_mb"] > 0
    answers = figures["answers"]
    assert answers.keys() >= {
        "granted by booking",
        "granted by policy",
        "granted by walk_in",
        "TOO_EARLY",
        "WRONG_SPACE",
        "UNAUTHORIZED",
        "PAYMENT_DUE",
        "CREDENTIAL_NOT_FOUND",
        "CREDENTIAL_NOT_ENABLED",
        "CREDENTIAL_REVOKED",
    }
    assert "RULE_FAULT" not in answers
    assert sum(answers.values()) == SLICE


def test_the_mixture_is_whole_and_the_same_for_a_seed() -> None:
    assert sum(share for _, share in MIXTURE) == 100
    assert mixture(SMALL) == mixture(SMALL)
    other = DecideOptions(credentials=5_000, bookings=4_000, seed=2)
    assert mixture(SMALL) != mixture(other)


def test_every_token_is_another() -> None:
    roster = build_roster(SMALL)
    assert len({token_of(number) for number in range(5_000)}) == 5_000
    found = roster.find(token_of(17))
    assert found is not None
    assert found.holder_id == "h-000017"
