# SPDX-License-Identifier: Apache-2.0
"""Commands between session and gateway: stored, then done, then told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.command_body import SignedCommand, read_command
from cloud_sync.seals import Witnesses
from edge.cli.load_site import load_site
from edge.cli.remote_commands import RemoteCommands, result_of
from edge.core.command import OpenCompartment, Release
from edge.core.controller import Controller
from edge.core.event import decode, encode_core, encode_person
from edge.core.remote.command import Action, RemoteCommand
from edge.core.stimulus import ContactChanged
from edge.settings.errors import SettingsError
from tests.cloud_sync.operators import SITE, public_keys, sealed
from tests.cloud_sync.scripted_platform import GATEWAY
from tests.cloud_sync.test_seals import order
from tests.edge.small_site import TEXT
from tests.edge.stage import HandClock, Stage, settle, site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_sync.envelope import CommandResult
    from edge.core.event import Event


class FarStage(Stage):
    """A stage whose gateway hears the platform."""

    def __init__(self, clock: HandClock, *, is_prompt: bool = False) -> None:
        super().__init__(clock, is_prompt=is_prompt)
        self.told: list[CommandResult] = []
        self.refreshes = 0
        self.remote = RemoteCommands(self.gateway, lambda: self)

    def tell(self, result: CommandResult) -> None:
        self.told.append(result)

    def refresh(self) -> None:
        self.refreshes += 1

    def states(self) -> list[str]:
        return [result.state.value for result in self.told]

    def releases(self) -> list[Release]:
        return [c for c in self.carried if isinstance(c, Release)]

    def _on_stored(self, batch: Sequence[Event]) -> None:
        super()._on_stored(batch)
        self.remote.stored(batch)


def command(jti: int = 1, action: Action = Action.OPEN, **more: Any) -> RemoteCommand:
    door = "hall-door" if action is Action.OPEN else ""
    fields = {"by": "op-1", "reason": "telephone", "door": door} | more
    return RemoteCommand(jti=f"{jti:032x}", action=action, **fields)


async def test_the_name_is_on_disk_before_anything_moves(clock: HandClock) -> None:
    stage = FarStage(clock)
    stage.remote.order(command())
    await clock.go(0.5)  # longer than a door waits for anybody's record
    assert (stage.carried, stage.told) == ([], [])
    await stage.journal.complete()
    assert stage.states() == ["accepted"]
    assert stage.releases() == []
    await stage.journal.complete()
    assert len(stage.releases()) == 1
    assert stage.states() == ["accepted", "actuated"]
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=True))
    await settle()
    await stage.journal.complete_all()
    assert stage.states() == ["accepted", "actuated", "confirmed"]
    assert [result.seq for result in stage.told] == sorted(
        event.seq for event in stage.journal.stored if event.fact("jti")
    )


async def test_a_disk_that_hangs_opens_nothing_later(clock: HandClock) -> None:
    stage = FarStage(clock)
    stage.remote.order(command())
    await clock.go(3.0)
    await stage.journal.complete_all()
    assert stage.carried == []
    assert stage.states() == ["accepted", "rejected"]
    assert stage.told[-1].reason == "STORAGE_FAULT"


async def test_a_compartment_whose_record_is_late_stays_shut_and_it_is_told(
    clock: HandClock,
) -> None:
    stage = FarStage(clock)
    stage.remote.order(command(1, Action.LOCKER_OPEN, bank="lockers", number=1))
    await settle()
    await stage.journal.complete()
    await clock.go(0.5)
    await stage.journal.complete_all()
    assert not any(isinstance(c, OpenCompartment) for c in stage.carried)
    assert stage.states() == ["accepted", "actuated", "rejected"]


async def test_a_rejection_goes_up_with_its_reason(clock: HandClock) -> None:
    stage = FarStage(clock, is_prompt=True)
    stage.remote.order(command(door="cellar"))
    await settle()
    [told] = stage.told
    assert (told.state.value, told.reason) == ("rejected", "UNKNOWN_TARGET")
    assert "cellar" in told.why


async def test_of_a_name_that_comes_twice_nothing_is_told(clock: HandClock) -> None:
    stage = FarStage(clock, is_prompt=True)
    for _ in range(2):
        stage.remote.order(command())
        await settle()
    assert stage.states() == ["accepted", "actuated"]
    assert len(stage.releases()) == 1


async def test_a_crash_between_store_and_outcome_is_unknown_and_never_done(
    clock: HandClock,
) -> None:
    stage = FarStage(clock)
    stage.remote.order(command())
    await settle()
    await stage.journal.complete()  # … and here the power goes
    on_disk = [
        decode(event.seq, encode_core(event), encode_person(event.person))
        for event in stage.journal.stored
    ]
    revived = Controller(site(), next_seq=stage.journal.next_seq)
    revived.recover(None, on_disk)
    outcome = revived.start(clock.moment())
    [told] = [r for r in map(result_of, outcome.events) if r is not None]
    assert (told.jti, told.state.value) == (command().jti, "unknown")
    assert not any(isinstance(c, Release) for c in outcome.commands)


async def test_the_feed_is_asked_for_when_the_record_of_it_is_on_disk(
    clock: HandClock,
) -> None:
    stage = FarStage(clock)
    stage.remote.order(command(1, Action.FEED_REFRESH))
    await settle()
    await stage.journal.complete()
    assert (stage.states(), stage.refreshes) == (["accepted"], 0)
    await stage.journal.complete()
    assert (stage.states()[-1], stage.refreshes) == ("actuated", 1)


async def test_a_refresh_that_is_rejected_asks_for_nothing(clock: HandClock) -> None:
    stage = FarStage(clock)
    stage.remote.order(command(1, Action.FEED_REFRESH))
    stage.remote.order(command(2, Action.MESSAGE, text="hello"))
    await clock.go(3.0)  # the disk hangs
    await stage.journal.complete_all()
    assert sorted(stage.states()) == ["accepted", "accepted", "rejected", "rejected"]
    assert stage.refreshes == 0


async def test_once_the_wires_close_nothing_is_begun_and_nothing_is_carried_on(
    clock: HandClock,
) -> None:
    stage = FarStage(clock)
    stage.remote.order(command(1))
    await settle()
    stage.remote.close()
    await stage.journal.complete_all()
    assert stage.states() == ["accepted"], "its record is true"
    stage.remote.order(command(2))
    await settle()
    await stage.journal.complete_all()
    assert (stage.releases(), stage.states()) == ([], ["accepted"])


def test_the_switch_stands_in_the_site_file_and_is_on_by_itself(tmp_path: Path) -> None:
    site_file = tmp_path / "site.toml"
    site_file.write_text(TEXT, "utf-8")
    assert load_site(site_file).plan().allows_remote_unlock
    for word, is_on in (("on", True), ("off", False)):
        text = f'{TEXT}\n[platform]\nremote_unlock = "{word}"\n'
        site_file.write_text(text, "utf-8")
        assert load_site(site_file).plan().allows_remote_unlock is is_on
    site_file.write_text(f"{TEXT}\n[platform]\nremote_unlock = false\n", "utf-8")
    with pytest.raises(SettingsError, match="remote_unlock"):
        load_site(site_file)


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (["op-a:" + "1" * 64], "a shelter from afar needs two operators"),
        (["op-a:" + "1" * 64, "op-a:" + "2" * 64], "an operator stands there twice"),
        (["op-a:" + "1" * 64, "op-b:" + "1" * 64], "two operators have one key"),
        (["op-a:" + "1" * 63, "op-b:" + "2" * 64], "platform.shelter"),
    ],
)
def test_operators_who_are_not_two_people_are_refused(
    tmp_path: Path, named: list[str], why: str
) -> None:
    site_file = tmp_path / "site.toml"
    site_file.write_text(TEXT + f"[platform]\nshelter = {named}\n", "utf-8")
    with pytest.raises(SettingsError) as fault:
        load_site(site_file)
    assert why.replace("platform.", "") in str(fault.value)


async def test_a_shelter_is_sealed_by_two_or_does_not_begin(clock: HandClock) -> None:
    stage = FarStage(clock, is_prompt=True)
    keys = Witnesses(public_keys(), site=SITE, gateway=GATEWAY)
    stage.remote = RemoteCommands(stage.gateway, lambda: stage, keys)
    object.__setattr__(stage.controller._site, "allows_remote_shelter", True)
    one = sealed(order())
    one["seals"] = [one["seals"][0]] * 2
    for body in (one, sealed(order(jti="3f" * 16))):
        read = read_command(body)
        assert isinstance(read, SignedCommand)
        assert isinstance(read.wish, RemoteCommand)
        stage.remote.order(read.wish)
        await settle()
    assert stage.states() == ["rejected", "accepted", "actuated"]
    assert stage.told[0].reason == "SECOND_SIGNATURE_NEEDED"
