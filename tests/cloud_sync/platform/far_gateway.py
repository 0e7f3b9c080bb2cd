# SPDX-License-Identifier: Apache-2.0
"""A gateway far away: the product's session and the product's rules, without a disk.

The law of the module: its journal is what the rules told; nothing here decides. Its
power may fail between a command's record and its act.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from cloud_sync.outputs import CommandOrdered, Output
from cloud_sync.session import SyncSession
from cloud_sync.signing import PlatformKeys
from edge.cli.remote_commands import result_of
from edge.core.chain import commitment, link
from edge.core.event import EventKind, encode_core, encode_person
from edge.core.record import Record
from edge.core.remote.command import Action
from edge.core.stimulus import CommandReceived, CommandStored, RowsErased, TracesGone
from tests.cloud_sync.driving import TOPICS, Gateway, moment
from tests.cloud_sync.scripted_platform import KID, genesis, public_bytes
from tests.core.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.event import Event
    from edge.core.remote.command import RemoteCommand

SALT = b"salt-of-16-bytes"
ONCE = ("cmd", "wish")


class FarGateway(Gateway):
    """A gateway with rules; ``dies_at`` counts records until its power fails."""

    def __init__(self, *, seed: int = 1, capabilities: Sequence[str] = ONCE) -> None:
        super().__init__(seed=seed)
        self._seed = seed
        self._capabilities = tuple(capabilities)
        self.stage = Stage()
        self.dies_at = 0
        self.lives = 0
        self.is_mute = False
        self._begin()

    def _begin(self) -> None:
        self.lives += 1
        rng = random.Random(f"{self._seed} {self.lives}")
        self.session = SyncSession(
            topics=TOPICS,
            keys=PlatformKeys({KID: public_bytes()}),
            firmware="0.1.0",
            new_nonce=lambda: rng.randbytes(16).hex(),
            chance=rng.random,
            capabilities=self._capabilities,
        )

    def carry_out(self, outputs: list[Output]) -> None:
        """Have commands done as the roof does."""
        super().carry_out(outputs)
        for output in outputs:
            if isinstance(output, CommandOrdered):
                self._order(output.command)

    def events(self, kind: EventKind) -> list[Event]:
        return [event for event in self.stage.journal if event.kind is kind]

    def executed(self) -> list[str]:
        """Return the actions that were carried out, in their order."""
        done = self.events(EventKind.COMMAND_EXECUTED)
        return [str(event.fact("action")) for event in done]

    def cut_power(self) -> None:
        """Lose everything that is not in the journal, and begin another life."""
        self.disconnect()
        self.stage.cut_power()
        self._write(tells=False)
        self._begin()

    def _order(self, command: RemoteCommand) -> None:
        told = self.stage.do(CommandReceived(command=command))
        self._write()
        if "COMMAND_RECEIVED" not in told:
            return
        self.dies_at -= 1
        if self.dies_at == 0:
            self.cut_power()
            return
        self.stage.do(CommandStored(jti=command.jti))
        self._write()
        if command.action is Action.ERASE and self.stage.controller.house.erasing.due:
            self.stage.do(RowsErased(name=command.jti, bookings=(), rows=1))
            self._write()
            self.stage.do(TracesGone(name=command.jti))
            self._write()

    def _write(self, *, tells: bool = True) -> None:
        """Write down what the rules have told, and tell of commands on the wire."""
        for event in self.stage.journal[len(self.journal) :]:
            previous = self.journal[-1].hash if self.journal else genesis(self.epoch)
            core, pii = encode_core(event), encode_person(event.person)
            head = link(previous, core, commitment(SALT, pii))
            self.journal.append(Record(event.seq, core, SALT, pii, None, head))
            result = result_of(event)
            if tells and result is not None and not self.is_mute:
                self.session.tell(result)
                super().carry_out(self.session.results(moment(self.now_s)))
