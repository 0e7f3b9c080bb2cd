# SPDX-License-Identifier: Apache-2.0
"""One gateway's conversation with the platform, without a socket or a clock.

The law of the module: a session is told what came (``receive``), what time it is
(``tick``) and what storage holds (``offer_rows``, ``hash_answered``,
``feed_settled``), and answers with outputs for its shell. Nothing goes out before a
hello with this connection's nonce came back; nothing counts as stored but what the
platform signed for and whose hash is the journal's own.
Source: docs/sync-contract.md, section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from cloud_sync.beside import Beside
from cloud_sync.command_body import SignedCommand
from cloud_sync.commands import Commands
from cloud_sync.feed import FeedCursor, FeedOffer, FeedPart
from cloud_sync.filling import Ground, fill_window
from cloud_sync.introduction import Introduction, JournalView
from cloud_sync.messages import (
    Ack,
    BeatAnswer,
    DayAnswer,
    HelloAnswer,
    Message,
    Nudge,
    read,
)
from cloud_sync.outputs import (
    CertificateArrived,
    ChangesComplete,
    CheckHash,
    EpochReason,
    FeedCurrent,
    LeaveReason,
    NewEpochNeeded,
    Output,
    Reconnect,
    Refusal,
    SnapshotComplete,
    Watermark,
)
from cloud_sync.pulling import Pulling
from cloud_sync.refusal import RefusalKind, RefusalMeter, Refused
from cloud_sync.renewing import CertificateAnswer
from cloud_sync.stage import Claim, Stage
from cloud_sync.window import RowsWanted, Window
from edge.core.chain import genesis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_sync.envelope import CommandResult
    from cloud_sync.signing import PlatformKeys
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment
    from edge.core.record import Record


class SyncSession:
    """The protocol of one gateway, over any number of connections.

    ``new_nonce`` returns 32 fresh hex digits; ``chance`` a number in [0, 1).
    """

    def __init__(
        self,
        *,
        topics: Topics,
        keys: PlatformKeys,
        firmware: str,
        new_nonce: Callable[[], str],
        chance: Callable[[], float],
        capabilities: Sequence[str] = (),
        fetches: bool = False,
    ) -> None:
        self.topics = topics
        self._keys = keys
        self._firmware = firmware
        self._capabilities = tuple(capabilities)
        self._new_nonce = new_nonce
        self._chance = chance
        self._meter = RefusalMeter()
        #: Whoever stores and fetches the feed tells it what became of that.
        self.feed = self._pulling = Pulling(
            topics=topics, new_nonce=new_nonce, chance=chance, fetches=fetches
        )
        self._commands = Commands(topics)
        self.beside = Beside(topics, chance)
        self._stage = Stage.OFFLINE
        self._greeted: Introduction | None = None
        self._answer: HelloAnswer | None = None
        self._claim: Claim | None = None
        self._window: Window | None = None
        #: Why the connection is void before anybody was told to leave it.
        self._given_up: LeaveReason | None = None

    @property
    def is_established(self) -> bool:
        """Whether the platform has answered this connection's hello."""
        return self._stage is Stage.SYNCING

    def connected(
        self, view: JournalView, held: FeedCursor, now: Moment
    ) -> list[Output]:
        """Begin a connection whose subscriptions to ``topics.down`` are in place."""
        self._stage = Stage.GREETING
        self._answer = self._claim = self._window = None
        self._pulling.open(held)
        self._greeted = Introduction(
            topics=self.topics,
            nonce=self._new_nonce(),
            view=view,
            held=held,
            firmware=self._firmware,
            capabilities=self._capabilities,
            now=now,
        )
        self._commands.open(self._greeted.nonce)
        return [self._greeted.hello]

    def disconnected(self) -> list[Output]:
        """End a connection, whoever ended it; what was on its way counts as unsent."""
        self._stage = Stage.OFFLINE
        self._greeted = self._answer = self._claim = self._window = None
        self._given_up = None
        self._commands.close()
        self.beside.close()
        return self._pulling.close("the connection ended")

    def give_up(self, why: LeaveReason) -> None:
        """Void this connection and its nonce at once; ``tick`` says to leave it."""
        if self._stage not in (Stage.OFFLINE, Stage.ENDED):
            self._end()
            self._given_up = why

    def receive(self, topic: str, payload: bytes, now: Moment) -> list[Output]:
        """Take one message; whatever it is, it does not raise."""
        if self._stage in (Stage.OFFLINE, Stage.ENDED):
            return []
        channel = self.topics.channel(topic)
        if channel is None:
            why = "a topic nobody subscribed to"
            return self._refuse(Refused(kind=RefusalKind.TOPIC, why=why), now)
        body = self._keys.open(payload, channel.purpose, self.topics.gateway)
        message = body if isinstance(body, Refused) else read(channel, body)
        if isinstance(message, Refused):
            return self._refuse(message, now)
        return self._dispatch(message, now)

    def retained(self, topic: str, now: Moment) -> list[Output]:
        """Refuse a message that the broker kept for us: nothing of ours is kept."""
        why = f"a retained message on {topic.rpartition('/')[2][:16]!a}"
        return self._refuse(Refused(kind=RefusalKind.RETAINED, why=why), now)

    def tell(self, result: CommandResult) -> None:
        """Keep word of a command for the platform; without a connection it is lost.

        Nothing is lost by that: the event that it tells of goes its own way.
        """
        self._commands.tell(result)

    def results(self, now: Moment) -> list[Output]:
        """Return the words of commands that wait to be sent."""
        return self._commands.results(now) if self.is_established else []

    def refresh(self, now: Moment) -> None:
        """Ask for the feed at the next ``tick``, whatever was heard of it.

        Without a conversation nothing is lost: the next one begins with the feed.
        """
        if self.is_established:
            self._pulling.refresh(now)

    def hash_answered(
        self, seq: int, answer: bytes | None, now: Moment
    ) -> list[Output]:
        """Take the journal's hash at ``seq``, None if it does not reach back there."""
        claim = self._claim
        if claim is None or claim.hi != seq:
            return []
        self._claim = None
        if answer is None:
            is_ahead = seq > self._last_known
            gone, ahead = EpochReason.ROWS_GONE, EpochReason.PLATFORM_AHEAD
            return self._end_epoch(ahead if is_ahead else gone)
        if answer != claim.hash:
            return self._end_epoch(EpochReason.FORKED)
        if self._window is None:
            return self._establish(claim.hi, claim.hash, now)
        return self._confirm(claim.hi, claim.hash, now)

    def acknowledged_elsewhere(self, ack: Ack, now: Moment) -> None:
        """Take an acknowledgement that came on a stick, its hash already checked.

        What it covers need not go out again, nor be held for it.
        """
        if self._greeted is not None and ack.epoch == self._greeted.view.epoch:
            self._confirm(ack.hi, ack.hash, now)

    def feed_settled(
        self, offered: SnapshotComplete | ChangesComplete, held: FeedCursor, now: Moment
    ) -> list[Output]:
        """Take what storage holds after it: as before if it refused."""
        if self._stage is not Stage.SYNCING:
            return []
        if isinstance(offered, ChangesComplete):
            return self._pulling.changes_settled(offered.cursor, held, now)
        return self._pulling.settle(offered.cursor, held, now)

    def deadline(self) -> float | None:
        """Return the monotonic second at which ``tick`` has something to do."""
        match self._stage:
            case Stage.GREETING if self._greeted is not None:
                return self._greeted.deadline_s
            case Stage.SYNCING if self._window is not None:
                ours = (self._window.deadline_s, self._pulling.deadline_s)
                deadlines = (*ours, self.beside.deadline_s)
                return min((at for at in deadlines if at is not None), default=None)
            case _:
                return None

    def tick(self, now: Moment) -> list[Output]:
        """Act on the deadlines that have passed."""
        if self._given_up is not None:
            why, self._given_up = self._given_up, None
            return self._leave(why)
        deadline_s = self.deadline()
        if deadline_s is None or now.monotonic_s < deadline_s:
            return []
        if self._window is None:
            return self._greet_again(now)
        if self._window.is_given_up(now.monotonic_s):
            return self._leave(LeaveReason.ACKS_MISSING)
        outputs = self._pulling.tick(now) + self.beside.tick(now)
        if self.beside.is_unheard(now):
            outputs += self._leave(LeaveReason.HEARTBEATS_UNANSWERED)
        return outputs

    def wants_rows(self) -> RowsWanted | None:
        """Return which rows could go out now, or None."""
        return self._window.wants() if self._window is not None else None

    def offer_rows(
        self, wanted: RowsWanted, records: Sequence[Record], now: Moment
    ) -> list[Output]:
        """Send rows that were read for ``wanted``; rows of an older wish are let go.

        Fewer records than ``wanted.limit`` mean that the journal has no more. A batch
        that is not full waits for its fellows unless the journal ends with it.
        """
        window, greeted = self._window, self._greeted
        if not records or window is None or greeted is None or window.wants() != wanted:
            return []
        if records[0].seq != wanted.after + 1:
            return self._end_epoch(EpochReason.ROWS_GONE)
        ground = Ground(topics=self.topics, epoch=greeted.view.epoch)
        return fill_window(window, ground, wanted, records, now)

    def _greet_again(self, now: Moment) -> list[Output]:
        hello = self._greeted.repeat(now) if self._greeted is not None else None
        return self._leave(LeaveReason.HELLO_UNANSWERED) if hello is None else [hello]

    def _dispatch(self, message: Message, now: Moment) -> list[Output]:
        match message:
            case HelloAnswer():
                return self._on_hello(message, now)
            case Ack() if self._window is not None:
                return self._on_ack(message, self._window, now)
            case FeedPart() | FeedOffer() if self._window is not None:
                return self._on_part(message, now)
            case Nudge() if self._window is not None:
                return self._pulling.want(message.feed, now)
            case SignedCommand():
                return self._on_command(message, now)
            case DayAnswer():
                return self.beside.days.receive(message, now)
            case BeatAnswer():
                self.beside.answered(message, now)
                return []
            case CertificateAnswer() if self._window is not None:
                return [CertificateArrived(answer=message)]
            case Ack() | FeedPart() | FeedOffer() | Nudge() | CertificateAnswer():
                return []
            case _:
                assert_never(message)

    def _on_hello(self, answer: HelloAnswer, now: Moment) -> list[Output]:
        greeted = self._greeted
        if greeted is None:
            return []
        refused = greeted.refusal(answer)
        if refused is not None:
            return self._refuse(refused, now)
        if self._stage is not Stage.GREETING:
            return []
        self._answer = answer
        self._commands.dated(answer.time_ms, now)
        bounds = greeted.bounds(answer.time_ms, now)
        return [bounds, *self._compare(answer, greeted.view, now)]

    def _compare(
        self, answer: HelloAnswer, view: JournalView, now: Moment
    ) -> list[Output]:
        if answer.hash is None:
            return self._establish(0, genesis(view.epoch), now)
        self._stage = Stage.CHECKING
        self._claim = Claim(hi=answer.hi, hash=answer.hash)
        if answer.hi == view.last_seq:
            return self.hash_answered(answer.hi, view.head, now)
        return [CheckHash(seq=answer.hi)]

    def _establish(self, hi: int, hash_at_hi: bytes, now: Moment) -> list[Output]:
        greeted, answer = self._greeted, self._answer
        if greeted is None or answer is None:
            return []
        self._stage = Stage.SYNCING
        self._window = Window(
            hi=hi,
            hash_at_hi=hash_at_hi,
            last_seq=max(hi, greeted.view.last_seq),
            chance=self._chance,
        )
        self.beside.open(greeted.view, answer, hi, now)
        news: list[Output] = [Watermark(hi=hi)] if hi != greeted.view.acked else []
        if answer.feed == self._pulling.held:
            news.append(FeedCurrent(cursor=answer.feed))
        return news + self._pulling.want(answer.feed, now)

    def _on_ack(self, ack: Ack, window: Window, now: Moment) -> list[Output]:
        if self._greeted is None or ack.epoch != self._greeted.view.epoch:
            return []
        if ack.hi <= window.watermark:
            return []
        known = window.hash_at(ack.hi)
        if known is None:
            # Sent before a rewind, by the connection before this one, or on a stick:
            # then it may be newer than all that this session has read.
            self._claim = Claim(hi=ack.hi, hash=ack.hash)
            return [CheckHash(seq=ack.hi)]
        if known != ack.hash:
            return self._end_epoch(EpochReason.FORKED)
        return self._confirm(ack.hi, ack.hash, now)

    def _confirm(self, hi: int, hash_at_hi: bytes, now: Moment) -> list[Output]:
        if self._window is None or hi <= self._window.watermark:
            return []
        self._window.confirm(hi, hash_at_hi, now.monotonic_s)
        self._window.last_known = max(self._window.last_known, hi)
        self.beside.confirmed(hi)
        return [Watermark(hi=hi)]

    @property
    def _last_known(self) -> int:
        """The newest event that this connection knows the journal to hold."""
        if self._window is not None:
            return self._window.last_known
        return self._greeted.view.last_seq if self._greeted is not None else 0

    def _on_part(self, part: FeedPart | FeedOffer, now: Moment) -> list[Output]:
        answer = self._pulling.receive(part, now)
        if not isinstance(answer, Refused):
            return answer
        told = self._refuse(answer, now)
        if answer.kind is RefusalKind.FEED_PULL:
            return told
        return told + self._pulling.spoil(answer.why)

    def _on_command(self, command: SignedCommand, now: Moment) -> list[Output]:
        if self._stage is not Stage.SYNCING:
            why = "a command before the platform's hello"
            return self._refuse(Refused(kind=RefusalKind.EARLY, why=why), now)
        outputs, refused = self._commands.receive(command, now)
        if refused is not None:
            outputs += self._refuse(refused, now)
        if self._commands.is_full:
            outputs += self._leave(LeaveReason.COMMANDS_FULL)
        return outputs

    def _refuse(self, refused: Refused, now: Moment) -> list[Output]:
        count = self._meter.count(refused.kind, now.monotonic_s)
        if not count:
            return []
        return [Refusal(kind=refused.kind, why=refused.why, count=count)]

    def _end_epoch(self, why: EpochReason) -> list[Output]:
        return [NewEpochNeeded(why=why), *self._leave(LeaveReason.EPOCH_ENDED)]

    def _leave(self, why: LeaveReason) -> list[Output]:
        self._end()
        return [*self._pulling.close("the connection ended"), Reconnect(why=why)]

    def _end(self) -> None:
        self._stage = Stage.ENDED
        self._window = self._claim = None
        self._commands.close()
        self.beside.close()
