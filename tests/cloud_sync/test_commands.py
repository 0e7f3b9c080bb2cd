# SPDX-License-Identifier: Apache-2.0
"""Commands at the session: what is let through, and why the rest is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cloud_sync.commands import AHEAD_S, MAX_NAMES
from cloud_sync.envelope import CommandResult
from cloud_sync.outputs import (
    CommandOrdered,
    LeaveReason,
    Output,
    Reconnect,
    Refusal,
)
from cloud_sync.refusal import RefusalKind
from edge.core.clock import DRIFT
from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.remote.command import Action, CommandState, RemoteCommand
from tests.cloud_sync.driving import Gateway, deliver, greet, moment
from tests.cloud_sync.scripted_platform import EPOCH, Platform, Sent, rows

#: 2025-10-09: what the scripted platform's clock says.
NOW_MS = Platform().time_ms


def greeted() -> tuple[Gateway, Platform]:
    """Return a gateway whose hello was answered, its clock the platform's."""
    gateway, platform = Gateway(), Platform()
    platform.time_ms = moment(gateway.now_s).earliest_ms
    greet(gateway, platform)
    gateway.take_sent()
    return gateway, platform


def ordered(outputs: list[Output]) -> list[RemoteCommand]:
    return [o.command for o in outputs if isinstance(o, CommandOrdered)]


def refusals(outputs: list[Output]) -> list[RefusalKind]:
    return [output.kind for output in outputs if isinstance(output, Refusal)]


def refused(gateway: Gateway, sent: Sent) -> RefusalKind:
    """Let a message come that has no effect; return its name."""
    outputs = gateway.receive(*sent)
    assert ordered(outputs) == []
    (kind,) = refusals(outputs)
    return kind


def told(gateway: Gateway) -> list[dict[str, Any]]:
    """Return the results that went up."""
    sent = [s for s in gateway.take_sent() if s.topic.endswith("/res")]
    return [json.loads(item.payload)["data"] for item in sent]


# ---- let through ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "fields", "wish"),
    [
        ("open", {}, {"door": "front"}),
        (
            "resident_open",
            {"by": "h-7", "booking": "b-1"},
            {"by": "h-7", "door": "front", "booking": "b-1"},
        ),
        ("resident_open", {}, {"door": "front"}),
        (
            "mode",
            {"mode": "UNLOCKED", "until": 1_750_000_000_000},
            {
                "door": "front",
                "mode": DoorMode.UNLOCKED,
                "until_ms": 1_750_000_000_000,
            },
        ),
        ("mode", {"mode": "LOCKED"}, {"door": "front"}),
        ("locker_open", {"bank": "hall", "number": 7}, {"bank": "hall", "number": 7}),
        ("revoke_now", {"holder": "h-7"}, {"holder": "h-7"}),
        ("message", {"text": "台风，请关窗"}, {"text": "台风，请关窗"}),
        ("feed_refresh", {"a field of tomorrow": [1]}, {}),
    ],
)
def test_what_is_genuine_is_ordered_and_told_as_received(
    action: str, fields: dict[str, Any], wish: dict[str, Any]
) -> None:
    gateway, platform = greeted()
    jti = f"{7:032x}"
    (command,) = ordered(gateway.receive(*platform.command(7, action, **fields)))
    known = {"jti": jti, "by": "op-1", "reason": "telephone"} | wish
    assert command == RemoteCommand(action=Action(action), **known)
    assert told(gateway)[0] == {"jti": jti, "state": "received"}


def test_a_refresh_asks_for_the_feed_when_it_is_recorded_and_not_before() -> None:
    def sent() -> list[str]:
        return [item.topic.rpartition("/")[2] for item in gateway.take_sent()]

    gateway, platform = greeted()
    gateway.receive(*platform.command(1, "feed_refresh"))
    gateway.tick()
    assert sent() == ["res"]
    gateway.session.refresh(moment(gateway.now_s))
    gateway.tick()
    assert sent() == ["pull"]
    gateway.session.refresh(moment(gateway.now_s))
    gateway.tick(1.0)
    assert sent() == [], "one pull that is out stands for it"


def test_an_offline_gateway_refreshes_nothing() -> None:
    gateway, _ = greeted()
    gateway.disconnect()
    gateway.session.refresh(moment(gateway.now_s))
    assert gateway.tick() == []
    gateway.connect()
    gateway.session.refresh(moment(gateway.now_s))
    gateway.tick()
    assert [item.topic.rpartition("/")[2] for item in gateway.take_sent()] == ["hello"]


def test_results_go_up_with_what_they_tell() -> None:
    gateway, platform = greeted()
    rejected = CommandResult(
        jti="ab" * 16,
        state=CommandState.REJECTED,
        reason="RATE_DOOR",
        why="too often, wait",
        seq=12,
    )
    gateway.session.tell(rejected)
    gateway.carry_out(gateway.session.results(moment(gateway.now_s)))
    deliver(gateway, platform)
    assert platform.results == [
        {
            "jti": "ab" * 16,
            "state": "rejected",
            "reason": "RATE_DOOR",
            "why": "too often, wait",
            "seq": 12,
        }
    ]


def test_results_of_before_a_connection_are_not_told_on_it() -> None:
    gateway, _ = greeted()
    told_late = CommandResult(jti="ab" * 16, state=CommandState.ACTUATED)
    gateway.session.tell(told_late)
    gateway.disconnect()
    gateway.session.tell(told_late)
    gateway.connect()
    assert gateway.session.results(moment(gateway.now_s)) == []


# ---- refused by name -----------------------------------------------------------------


def test_a_command_of_the_connection_before_is_refused() -> None:
    gateway, platform = greeted()
    old = platform.command(1)
    gateway.disconnect()
    greet(gateway, platform)
    gateway.take_sent()
    assert refused(gateway, old) is RefusalKind.NONCE
    assert told(gateway) == [], "it may be the echo of one that was done"


def test_a_command_that_comes_twice_is_a_replay_and_its_end_is_not_told_anew() -> None:
    gateway, platform = greeted()
    sent = platform.command(1)
    assert len(ordered(gateway.receive(*sent))) == 1
    told(gateway)
    assert refused(gateway, sent) is RefusalKind.REPLAY
    assert told(gateway) == []


def test_a_command_that_was_refused_cannot_come_again() -> None:
    gateway, platform = greeted()
    assert refused(gateway, platform.command(1, "fly")) is RefusalKind.ACTION
    assert refused(gateway, platform.command(1)) is RefusalKind.REPLAY


def test_a_command_before_the_platforms_hello_is_early() -> None:
    gateway, platform = Gateway(), Platform()
    gateway.connect()
    (hello,) = gateway.take_sent()
    ((topic, payload),) = platform.receive(hello.topic, hello.payload)
    assert refused(gateway, platform.command(1)) is RefusalKind.EARLY
    gateway.receive(topic, payload)
    assert told(gateway) == []


def test_an_offline_gateway_hears_nothing() -> None:
    gateway, platform = greeted()
    gateway.disconnect()
    assert gateway.receive(*platform.command(1)) == []


@pytest.mark.parametrize(
    ("shift_s", "life_s", "kind"),
    [
        (0, 30, None),
        (0, 31, RefusalKind.LIFETIME),
        (0, 0, RefusalKind.LIFETIME),
        (0, -5, RefusalKind.LIFETIME),
        (-15, 15, RefusalKind.EXPIRED),
        (-14, 15, None),
        (AHEAD_S, 15, None),
        (AHEAD_S + 1, 15, RefusalKind.EXPIRED),
    ],
)
def test_times_are_looked_at_where_the_clock_is_sure(
    shift_s: int, life_s: int, kind: RefusalKind | None
) -> None:
    gateway, platform = greeted()
    issued_s = platform.time_ms // 1000 + shift_s
    sent = platform.command(1, iat=issued_s, exp=issued_s + life_s)
    outputs = gateway.receive(*sent)
    assert refusals(outputs) == ([] if kind is None else [kind])
    assert len(ordered(outputs)) == (kind is None)
    last = told(gateway)[-1]
    assert (last["state"], last.get("reason")) == (
        ("received", None) if kind is None else ("rejected", kind.value)
    )


@pytest.mark.parametrize("earliest_ms", [0, 1_750_000_000_000 + 10 * 365 * 86_400_000])
def test_an_unsure_clock_holds_times_against_the_platforms_own_since_hello(
    earliest_ms: int,
) -> None:
    gateway, platform = greeted()
    began_s = gateway.now_s
    first, second = platform.command(1), platform.command(2)
    held_back, hours_old = platform.command(3), platform.command(4)

    def receive(sent: Sent, after_s: float) -> list[Output]:
        unsure = Moment(
            monotonic_s=began_s + after_s,
            earliest_ms=earliest_ms,
            latest_ms=UNBOUNDED_MS,
            boot="boot-17",
        )
        return gateway.session.receive(*sent, unsure)

    assert len(ordered(receive(first, 0.0))) == 1
    again = receive(first, 1.0)
    assert (ordered(again), refusals(again)) == ([], [RefusalKind.REPLAY])
    other = platform.command(5, nonce="00" * 16)
    assert refusals(receive(other, 1.0)) == [RefusalKind.NONCE]
    assert len(ordered(receive(second, 14.99))) == 1, "it is good for 15 s"
    # A crystal that runs fast counts 15 s a little early: nothing is over by that.
    assert 15.0 * DRIFT < 0.01
    for sent, after_s in ((held_back, 15.01), (hours_old, 4 * 3600.0)):
        late = receive(sent, after_s)
        assert (ordered(late), refusals(late)) == ([], [RefusalKind.EXPIRED])


def test_the_time_that_one_hello_brought_says_nothing_on_the_next_connection() -> None:
    """The platform's clock was set back by an hour."""
    gateway, platform = greeted()
    gateway.disconnect()
    platform.time_ms -= 3_600_000
    greet(gateway, platform)
    gateway.take_sent()
    now = moment(gateway.now_s)
    unsure = replace(now, latest_ms=UNBOUNDED_MS)
    assert len(ordered(gateway.session.receive(*platform.command(1), unsure))) == 1


def test_a_connection_that_was_given_up_is_void_at_once_and_then_left() -> None:
    gateway, platform = greeted()
    sent = platform.command(1)
    gateway.session.give_up(LeaveReason.STOOD_STILL)
    assert gateway.receive(*sent) == []
    assert not gateway.session.is_established
    assert gateway.tick() == [Reconnect(why=LeaveReason.STOOD_STILL)]
    assert gateway.tick() == []
    gateway.disconnect()
    greet(gateway, platform)
    gateway.take_sent()
    assert refused(gateway, sent) is RefusalKind.NONCE
    assert len(ordered(gateway.receive(*platform.command(2)))) == 1


def test_a_connection_that_waits_for_its_hello_can_be_given_up_too() -> None:
    gateway, platform = Gateway(), Platform()
    gateway.session.give_up(LeaveReason.STOOD_STILL)
    assert gateway.tick() == [], "there is nothing to leave"
    gateway.connect()
    (hello,) = gateway.take_sent()
    ((topic, payload),) = platform.receive(hello.topic, hello.payload)
    gateway.session.give_up(LeaveReason.STOOD_STILL)
    assert gateway.receive(topic, payload) == []
    assert gateway.receive(*platform.command(1)) == []
    assert gateway.tick() == [Reconnect(why=LeaveReason.STOOD_STILL)]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"action": "fire"}, RefusalKind.ACTION),
        ({"action": "end_shelter"}, RefusalKind.ACTION),
        ({"action": "shelter", "site": "hall-7"}, RefusalKind.BODY),
        ({"action": "erase"}, RefusalKind.BODY),
        ({"wish": "7"}, RefusalKind.BODY),
        ({"action": "OPEN"}, RefusalKind.ACTION),
        ({"action": None}, RefusalKind.ACTION),
        ({"action": ["open"]}, RefusalKind.ACTION),
        ({"jti": "x"}, RefusalKind.BODY),
        ({"jti": "AB" * 16}, RefusalKind.BODY),
        ({"nonce": None}, RefusalKind.BODY),
        ({"iat": "now"}, RefusalKind.BODY),
        ({"iat": True}, RefusalKind.BODY),
        ({"exp": 1.5}, RefusalKind.BODY),
        ({"exp": 1_750_000_000_000}, RefusalKind.BODY),
        ({"by": ""}, RefusalKind.BODY),
        ({"by": "x" * 65}, RefusalKind.BODY),
        ({"reason": " "}, RefusalKind.BODY),
        ({"reason": "a\nb"}, RefusalKind.BODY),
        ({"door": 7}, RefusalKind.BODY),
        ({"action": "resident_open", "booking": 1}, RefusalKind.BODY),
        ({"action": "mode", "mode": "UNLOCKED"}, RefusalKind.BODY),
        ({"action": "mode", "mode": "LOCKED_OPEN", "until": 1}, RefusalKind.BODY),
        ({"action": "mode", "mode": "UNLOCKED", "until": -1}, RefusalKind.BODY),
        ({"action": "locker_open", "bank": "hall", "number": 0}, RefusalKind.BODY),
        ({"action": "locker_open", "bank": "hall", "number": 65}, RefusalKind.BODY),
        ({"action": "locker_open", "number": 1}, RefusalKind.BODY),
        ({"action": "revoke_now"}, RefusalKind.BODY),
        ({"action": "message", "text": "x" * 141}, RefusalKind.BODY),
    ],
)
def test_what_is_not_in_the_contract_is_refused(
    fields: dict[str, Any], kind: RefusalKind
) -> None:
    gateway, platform = greeted()
    action = fields.pop("action", "open")
    assert refused(gateway, platform.command(1, action, **fields)) is kind


def test_a_retained_message_is_refused_by_that_name_and_not_even_opened() -> None:
    gateway, platform = greeted()
    topic, _ = platform.command(1)
    (refusal,) = gateway.session.retained(topic, moment(gateway.now_s))
    assert refusal == Refusal(
        kind=RefusalKind.RETAINED, why="a retained message on 'cmd'", count=1
    )


def test_a_connection_that_can_remember_no_more_is_left_for_another() -> None:
    gateway, platform = greeted()
    for jti in range(MAX_NAMES - 1):
        gateway.session._commands._names.add(f"{jti:032x}")
    assert not any(isinstance(output, Reconnect) for output in gateway.told)
    outputs = gateway.receive(*platform.command(MAX_NAMES))
    assert len(ordered(outputs)) == 1, "the last one is done"
    assert outputs[-1] == Reconnect(why=LeaveReason.COMMANDS_FULL)
    assert gateway.receive(*platform.command(MAX_NAMES + 1)) == []
    gateway.disconnect()
    greet(gateway, platform)
    assert len(ordered(gateway.receive(*platform.command(1)))) == 1


def test_events_flow_on_beside_commands() -> None:
    gateway, platform = Gateway(rows(9)), Platform()
    platform.time_ms = moment(gateway.now_s).earliest_ms
    greet(gateway, platform)
    gateway.receive(*platform.command(1))
    deliver(gateway, platform)
    assert (platform.hi(EPOCH), gateway.acked) == (9, 9)
    assert [result["state"] for result in platform.results] == ["received"]
