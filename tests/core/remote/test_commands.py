# SPDX-License-Identifier: Apache-2.0
"""Commands of the platform: what they move, what refuses them, how each ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.command import Release
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import EmergencyOrdered
from edge.core.remote.command import Action, RemoteCommand
from edge.core.remote.messages import MAX_MESSAGES
from edge.core.remote.remote import (
    MAX_KNOWN,
    MAX_PENDING,
    STORE_WITHIN_S,
)
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.remote.afar import (
    DOOR,
    command,
    give,
    last,
    reason,
    states,
    with_site,
)
from tests.core.scene import SITE, clock_ms, holder, roster
from tests.core.stage import Stage

if TYPE_CHECKING:
    from edge.core.people.roster_row import HolderRow


def valid(start: str, end: str) -> HolderRow:
    """Return Wang, who is valid from then to then."""
    from_ms, to_ms = clock_ms(start), clock_ms(end)
    return replace(holder("wang"), valid_from_ms=from_ms, valid_to_ms=to_ms)


OPENINGS = (
    command(1),
    command(1, Action.RESIDENT_OPEN),
    command(1, Action.LOCKER_OPEN, bank="hall", number=2),
    command(1, Action.MODE, mode=DoorMode.UNLOCKED, until_ms=1),
)


# ---- the way of a command ------------------------------------------------------------


def test_nothing_moves_before_the_record_is_stored() -> None:
    stage, wish = Stage(), command()
    assert stage.do(CommandReceived(command=wish)) == ["COMMAND_RECEIVED"]
    assert stage.wait(1.0) == []
    done = stage.do(CommandStored(jti=wish.jti))
    assert done == ["MANUAL_ENTRY", "COMMAND_EXECUTED", f"release {DOOR}"]
    [release] = stage.releases()
    entry = last(stage, EventKind.MANUAL_ENTRY)
    assert release == Release(
        door=DOOR, duration_s=5.0, cause=entry.seq, is_egress=False
    )
    assert (entry.fact("actor"), entry.fact("reason")) == ("op-1", "telephone")


def test_the_door_itself_confirms_an_opening() -> None:
    stage, wish = Stage(), command()
    give(stage, wish)
    stage.wait(2.0)
    told = stage.swing(DOOR, is_open=True)
    assert told[-1] == "COMMAND_CONFIRMED"
    assert states(stage, wish) == ["accepted", "actuated", "confirmed"]
    stage.swing(DOOR, is_open=False)
    stage.scan("wang")
    assert "COMMAND_CONFIRMED" not in stage.swing(DOOR, is_open=True)


def test_a_door_that_opens_after_the_release_confirms_nothing() -> None:
    stage, wish = Stage(), command()
    give(stage, wish)
    stage.wait(7.0)
    assert "DOOR_FORCED_OPEN" in stage.swing(DOOR, is_open=True)
    assert states(stage, wish) == ["accepted", "actuated"]


def test_a_resident_is_told_of_in_the_part_that_can_be_erased() -> None:
    stage, wish = Stage(), command(1, Action.RESIDENT_OPEN, booking="b1")
    give(stage, wish)
    entry = last(stage, EventKind.MANUAL_ENTRY)
    assert entry.fact("actor") == "resident"
    assert entry.person.booking == "b1"
    told = [event for event in stage.journal if event.fact("jti") == wish.jti]
    assert [event.person.holder for event in told] == ["holder-wang"] * 2
    assert not any("wang" in str(event.facts) for event in stage.journal)


def test_a_compartment_opens_and_its_leaf_confirms_it() -> None:
    stage, wish = Stage(), command(1, Action.LOCKER_OPEN, bank="hall", number=2)
    assert give(stage, wish)[-1] == "open hall 2"
    assert stage.leaf(2, is_open=True)[-1] == "COMMAND_CONFIRMED"


def test_a_compartment_that_the_shell_did_not_open_is_rejected_after_all() -> None:
    stage, wish = Stage(), command(1, Action.LOCKER_OPEN, bank="hall", number=2)
    give(stage, wish)
    [opening] = stage.openings()
    stage.refuse(opening)
    assert states(stage, wish) == ["accepted", "actuated", "rejected"]
    assert last(stage, EventKind.COMMAND_REJECTED).fact("reason") == "STORAGE_FAULT"


def test_who_is_revoked_now_opens_nothing_from_the_next_scan_on() -> None:
    stage = Stage()
    assert "release kitchen-door" in stage.scan("wang")
    stage.walk_through(DOOR)
    stage.wait(10.0)
    told = give(stage, command(1, Action.REVOKE_NOW, holder="holder-wang"))
    assert told[1:] == ["LOCAL_CHANGED", "COMMAND_EXECUTED"]
    assert stage.scan("wang")[0] == "ACCESS_DENIED"
    resident = command(2, Action.RESIDENT_OPEN)
    assert reason(stage, resident) == "CREDENTIAL_REVOKED"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (holder("wang", is_enabled=False), "CREDENTIAL_NOT_ENABLED"),
        (valid("15:00:00.001", "23:00"), "CREDENTIAL_NOT_ACTIVE"),
        (valid("08:00", "15:00"), "CREDENTIAL_EXPIRED"),
        (valid("15:00", "15:00:00.001"), ""),
        (holder("li"), ""),  # whom nobody here knows the platform has checked
    ],
    ids=["disabled", "too early", "too late", "in his time", "unknown"],
)
def test_a_resident_is_asked_after_as_his_card_would_be(
    row: HolderRow, why: str
) -> None:
    stage = Stage(roster(row))
    assert reason(stage, command(1, Action.RESIDENT_OPEN)) == why
    assert reason(stage, command(2, by="holder-wang")) == "", "an operator is no holder"


def test_a_resident_who_is_disabled_meanwhile_stays_outside() -> None:
    stage, wish = Stage(), command(1, Action.RESIDENT_OPEN)
    stage.do(CommandReceived(command=wish))
    disabled = roster(holder("wang", is_enabled=False), revision=8)
    stage.take(stage.controller.adopt(disabled, stage.now()))
    assert stage.do(CommandStored(jti=wish.jti)) == ["COMMAND_REJECTED"]


def test_nobody_unknown_is_revoked() -> None:
    wish = command(1, Action.REVOKE_NOW, holder="holder-nobody")
    assert reason(Stage(), wish) == "REFUSED"


def test_a_message_stands_in_the_journal_for_the_panel_to_show() -> None:
    stage = Stage()
    give(stage, command(1, Action.MESSAGE, text="台风，请关窗"))
    told = last(stage, EventKind.COMMAND_EXECUTED)
    assert (told.fact("actor"), told.fact("text")) == ("op-1", "台风，请关窗")


def messages(stage: Stage) -> list[str]:
    """Return what the panel would show."""
    fresh = stage.controller.house.remote.messages.fresh(stage.now())
    return [message.text for message in fresh]


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_the_last_messages_of_a_day_are_shown_after_a_restart_too(
    has_snapshot: bool,  # noqa: FBT001
) -> None:
    stage = Stage()
    for number in range(MAX_MESSAGES + 1):
        give(stage, command(number, Action.MESSAGE, text=f"number {number}"))
        stage.wait(3600.0)
    assert messages(stage) == [f"number {n}" for n in range(1, MAX_MESSAGES + 1)]
    state = stage.standing() if has_snapshot else None
    stage.cut_power(state, stage.journal[-1].seq if has_snapshot else 0)
    assert messages(stage)[0] == "number 1"
    stage.wait(20 * 3600.0)
    assert messages(stage) == ["number 3", "number 4", "number 5"]


def test_a_refresh_of_the_feed_is_told() -> None:
    stage = Stage()
    told = give(stage, command(1, Action.FEED_REFRESH))
    assert told == ["COMMAND_RECEIVED", "COMMAND_EXECUTED"]


# ---- once, and never again -----------------------------------------------------------


def test_a_command_that_comes_twice_acts_once() -> None:
    stage, wish = Stage(), command()
    stage.do(CommandReceived(command=wish))
    assert reason(stage, wish) == "REPLAY"  # while its record is on its way
    assert stage.do(CommandStored(jti=wish.jti))[-1] == f"release {DOOR}"
    stage.wait(60.0)
    assert reason(stage, wish) == "REPLAY"
    assert stage.do(CommandStored(jti=wish.jti)) == []
    entries = [e for e in stage.journal if e.kind is EventKind.MANUAL_ENTRY]
    assert len(entries) == 1


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_a_replay_after_a_restart_is_refused(has_snapshot: bool) -> None:  # noqa: FBT001
    stage, wish = Stage(), command()
    give(stage, wish)
    state = stage.standing() if has_snapshot else None
    stage.cut_power(state, stage.journal[-1].seq if has_snapshot else 0)
    assert reason(stage, wish) == "REPLAY"


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_a_command_without_an_end_is_unknown_after_a_power_cut_and_stays_undone(
    has_snapshot: bool,  # noqa: FBT001
) -> None:
    stage, wish = Stage(), command()
    stage.do(CommandReceived(command=wish))
    state = stage.standing() if has_snapshot else None
    told = stage.cut_power(state, stage.journal[-1].seq if has_snapshot else 0)
    assert "COMMAND_UNKNOWN" in told
    assert not any(word.startswith("release") for word in told)
    assert states(stage, wish) == ["accepted", "unknown"]
    assert stage.do(CommandStored(jti=wish.jti)) == []
    assert reason(stage, wish) == "REPLAY"
    assert "COMMAND_UNKNOWN" not in stage.cut_power(), "it is told once"


def test_an_end_that_was_told_is_not_unknown_after_a_power_cut() -> None:
    stage = Stage()
    give(stage, command(1))
    give(stage, command(2, door="cellar"))
    assert "COMMAND_UNKNOWN" not in stage.cut_power()


def test_a_replay_does_not_end_the_command_that_it_repeats() -> None:
    stage, wish = Stage(), command()
    stage.do(CommandReceived(command=wish))
    stage.do(CommandReceived(command=wish))
    assert "COMMAND_UNKNOWN" in stage.cut_power()


def test_names_kept_over_a_restart_are_bounded() -> None:
    stage = Stage()
    for jti in range(MAX_KNOWN + 10):
        give(stage, command(jti, Action.FEED_REFRESH, by=f"op-{jti // 100}"))
    assert stage.standing().count("0" * 28) == MAX_KNOWN


def test_a_rule_that_raises_leaves_a_command_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, wish = Stage(), command()

    def raise_(*_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr(stage.controller.doors, "open_by_hand", raise_)
    told = give(stage, wish)
    assert told == ["COMMAND_RECEIVED", "COMMAND_UNKNOWN", "RULE_FAULT"]
    assert "COMMAND_UNKNOWN" not in stage.cut_power(), "it was told"


# ---- what refuses --------------------------------------------------------------------


@pytest.mark.parametrize("wish", OPENINGS, ids=lambda wish: wish.action.value)
def test_the_local_switch_lets_nobody_in_from_afar(wish: RemoteCommand) -> None:
    assert reason(with_site(allows_remote_unlock=False), wish) == "REMOTE_UNLOCK_OFF"


def test_the_local_switch_leaves_the_rest_to_the_platform() -> None:
    stage = with_site(allows_remote_unlock=False)
    for jti, action in enumerate((Action.MESSAGE, Action.FEED_REFRESH, Action.MODE)):
        assert reason(stage, command(jti, action, text="hello")) == ""


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "CHECKPOINT"])
@pytest.mark.parametrize("wish", OPENINGS, ids=lambda wish: wish.action.value)
def test_an_emergency_belongs_to_those_who_are_there(
    wish: RemoteCommand, state: str
) -> None:
    stage = Stage()
    begun = EmergencyOrdered(state=EmergencyState(state), actor="chen", reason="smoke")
    stage.do(begun)
    assert reason(stage, wish) == "EMERGENCY"


def test_an_emergency_between_record_and_act_refuses() -> None:
    stage, wish = Stage(), command()
    stage.do(CommandReceived(command=wish))
    stage.fire()
    told = stage.do(CommandStored(jti=wish.jti))
    assert told == ["COMMAND_REJECTED"]
    assert states(stage, wish) == ["accepted", "rejected"]


@pytest.mark.parametrize(
    ("mode", "why"),
    [("BLOCKED", "DOOR_BLOCKED"), ("LOCKED_DOWN", "DOOR_LOCKED_DOWN")],
)
def test_a_door_that_was_shut_by_hand_stays_shut(mode: str, why: str) -> None:
    stage = Stage()
    stage.order(DOOR, mode)
    assert reason(stage, command(1)) == why
    assert reason(stage, command(2, Action.RESIDENT_OPEN)) == why
    assert stage.mode(DOOR) == mode


def test_a_door_for_two_persons_is_no_door_for_one_who_is_far_away() -> None:
    plan = replace(SITE.doors[DOOR], needs_two_persons=True)
    stage = with_site(doors={**SITE.doors, DOOR: plan})
    assert reason(stage, command()) == "SECOND_PERSON_NEEDED"


@pytest.mark.parametrize(
    "wish",
    [
        command(1, door="cellar-door"),
        command(1, Action.LOCKER_OPEN, bank="attic", number=1),
        command(1, Action.LOCKER_OPEN, bank="hall", number=9),
    ],
    ids=["door", "bank", "compartment"],
)
def test_what_is_not_there_is_told_and_is_no_subject(wish: RemoteCommand) -> None:
    stage = Stage()
    assert reason(stage, wish) == "UNKNOWN_TARGET"
    assert last(stage, EventKind.COMMAND_REJECTED).subject == "gateway"


def test_the_medicine_box_and_a_dead_board_refuse_in_plain_words() -> None:
    stage = Stage()
    box = command(1, Action.LOCKER_OPEN, bank="hall", number=5)
    assert reason(stage, box) == "REFUSED"
    stage.device(DOOR, is_online=False)
    assert reason(stage, command(2)) == "REFUSED"
    why = str(last(stage, EventKind.COMMAND_REJECTED).fact("why"))
    assert "board" in why


def test_a_record_that_took_too_long_opens_nothing() -> None:
    stage, wish = Stage(), command()
    stage.do(CommandReceived(command=wish))
    stage.wait(STORE_WITHIN_S + 0.1)
    assert stage.do(CommandStored(jti=wish.jti)) == ["COMMAND_REJECTED"]
    assert last(stage, EventKind.COMMAND_REJECTED).fact("reason") == "STORAGE_FAULT"


def test_commands_that_wait_for_the_disk_are_bounded() -> None:
    stage = Stage()
    for jti in range(MAX_PENDING):
        stage.do(CommandReceived(command=command(jti, Action.FEED_REFRESH)))
    assert reason(stage, command(99, Action.FEED_REFRESH)) == "BUSY"
