# SPDX-License-Identifier: Apache-2.0
"""One address's conversation: numbering, the handshake, and then the secure channel.

The law of the module: it decides what a packet is worth and says so as a verdict; it
knows no time, no repeat and no reader's purpose. Its stages:

    IDENTIFY -> CAPABILITIES -> CHALLENGE -> PROVE -> SECURE

:meth:`Session.restart` leads back to the first. Outside SECURE nothing is accepted
but the answer of the stage: no card, no key, no level ever comes in clear. A reply
with another number than the question's is late or repeated, and dropped.

Source: libosdp, doc/libosdp/secure-channel.rst and src/osdp_cp.c (OSDP v2.2); the
attacks that are refused: Bishop Fox, "mellon", README.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.osdp.messages import (
    ACK,
    ASK_CAPABILITIES,
    IDENTIFY,
    NAKS_OF_A_LOST_CHANNEL,
    Busy,
    Capabilities,
    Command,
    CommandCode,
    FirstMac,
    Function,
    Identity,
    Malformed,
    Nak,
    Reply,
    ReplyCode,
    read_reply,
)
from drivers.osdp.secure_channel import (
    NONCE_BYTES,
    REPLY_DATA,
    REPLY_MAC,
    Handshake,
    ReaderProof,
    SecureChannel,
    encryption,
)
from drivers.osdp.wire import Packet, encode

if TYPE_CHECKING:
    from collections.abc import Callable

_AES_BIT = 1
#: Security blocks of the handshake.
_CHALLENGE, _PROOF, _PROVE, _FIRST_MAC = 0x11, 0x12, 0x13, 0x14
_OWN_KEY, _DEFAULT_KEY = 1, 0
#: What people show must have been encrypted, not only signed.
_PRIVATE = frozenset({ReplyCode.RAW, ReplyCode.KEYPAD})


class Stage(StrEnum):
    """What the next question is."""

    IDENTIFY = "IDENTIFY"
    CAPABILITIES = "CAPABILITIES"
    CHALLENGE = "CHALLENGE"
    PROVE = "PROVE"
    SECURE = "SECURE"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader says to a command, proved to be its own."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Advanced:
    """The handshake went on by one stage."""


@dataclass(frozen=True, slots=True)
class Secured:
    """The handshake is done; both sides hold the key."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """No answer to the question; the wait goes on."""

    why: str


@dataclass(frozen=True, slots=True)
class Forged:
    """Somebody without the key answers; the wait goes on."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The reader knows nothing of the channel any more: begin anew."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The reader can't be trusted, or does not trust us."""

    why: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another reader than the known one answers."""

    uid: bytes


Verdict = (
    Answer | Advanced | Secured | Busy | Ignored | Forged | Lost | Refused | Replaced
)


#: Verdicts after which the wait goes on.
_NO_ANSWER = (Ignored, Forged)
#: What a reader says nearly always.
_ACKNOWLEDGED = Answer(ACK)


class Session:
    """See the law of the module.

    ``known_uid``: the only reader that is accepted, any if empty. ``is_install``: the
    key is the default one and is named so.
    """

    def __init__(
        self,
        *,
        address: int,
        key: bytes,
        random_bytes: Callable[[int], bytes],
        known_uid: bytes = b"",
        is_install: bool = False,
    ) -> None:
        self._address = address
        self._encrypt = encryption(key)
        self._key_kind = _DEFAULT_KEY if is_install else _OWN_KEY
        self._random_bytes = random_bytes
        self.identity: Identity | None = None
        self.capabilities = Capabilities()
        self.known_uid = known_uid
        self.uid = b""
        self._needs_crc = False
        self.restart()

    def restart(self) -> None:
        """Begin anew with number 0, which makes the reader forget its side."""
        self.stage = Stage.IDENTIFY
        self._handshake: Handshake | None = None
        self._channel: SecureChannel | None = None
        self._cryptogram = b""
        self._sequence = 0
        self._frame = b""

    def ask(self, command: Command) -> bytes:
        """Return a new question's bytes: the stage's own, or ``command`` when SECURE.

        LocalError if a command asked for has not been answered.
        """
        if self._frame:
            raise LocalError("a question waits for its answer")
        match self.stage:
            case Stage.IDENTIFY:
                frame = self._plain(IDENTIFY)
            case Stage.CAPABILITIES:
                frame = self._plain(ASK_CAPABILITIES)
            case Stage.CHALLENGE:
                nonce = self._random_bytes(NONCE_BYTES)
                self._handshake = Handshake(encrypt=self._encrypt, nonce=nonce)
                command = Command(CommandCode.CHALLENGE, nonce)
                frame = self._plain(command, bytes((_CHALLENGE, self._key_kind)))
            case Stage.PROVE:
                command = Command(CommandCode.PROVE, self._cryptogram)
                frame = self._plain(command, bytes((_PROVE, self._key_kind)))
            case Stage.SECURE:
                frame = self._sealed(command)
        self._frame = frame
        return frame

    @property
    def is_waiting(self) -> bool:
        """Whether a question was asked and not answered."""
        return bool(self._frame)

    def repeat(self) -> bytes:
        """Return the bytes of the unanswered question, with the same number."""
        return self._frame

    def take(self, packet: Packet) -> Verdict:
        """Judge a packet that came for the question."""
        if not self._frame:
            return Ignored("nobody asked")
        if packet.code == ReplyCode.BUSY and not packet.security:
            return Busy()
        if packet.sequence != self._sequence:
            return Ignored("late or repeated")
        if self._needs_crc and not packet.has_crc:
            return Ignored("a checksum where a CRC was agreed on")
        if self._channel is not None:
            verdict = self._take_secure(self._channel, packet)
        else:
            verdict = self._take_step(packet)
        if not isinstance(verdict, _NO_ANSWER):
            self._frame = b""
            self._sequence = self._sequence % 3 + 1
        return verdict

    def _plain(self, command: Command, security: bytes = b"") -> bytes:
        return encode(
            self._address, self._sequence, command.code, command.data, security
        )

    def _sealed(self, command: Command) -> bytes:
        if self._channel is None:
            raise LocalError("there is no secure channel")
        return self._channel.seal(
            self._address, self._sequence, command.code, command.data
        )

    def _take_secure(self, channel: SecureChannel, packet: Packet) -> Verdict:
        kind = packet.security[0] if packet.security else 0
        if not kind and packet.code == ReplyCode.NAK:
            return Lost(f"the reader lost the secure channel: {_nak_of(packet)}")
        if kind not in (REPLY_MAC, REPLY_DATA):
            return Forged("a reply outside the secure channel")
        data = channel.open(packet)
        if data is None:
            return Forged("a reply with a wrong MAC")
        if kind == REPLY_MAC and packet.code in _PRIVATE:
            return Answer(Malformed("card or keys that were not encrypted"))
        reply = read_reply(packet.code, data)
        if reply is ACK:
            return _ACKNOWLEDGED
        if isinstance(reply, Nak) and reply.code in NAKS_OF_A_LOST_CHANNEL:
            return Lost(f"the reader lost the secure channel: {reply.why}")
        return Answer(reply)

    def _take_step(self, packet: Packet) -> Verdict:
        reply = read_reply(packet.code, packet.data)
        if isinstance(reply, Nak):
            return Refused(f"{self.stage.lower()}: {reply.why}")
        match self.stage, reply:
            case Stage.IDENTIFY, Identity() if not packet.security:
                self.identity = reply
                return self._advance(Stage.CAPABILITIES)
            case Stage.CAPABILITIES, Capabilities() if not packet.security:
                return self._take_capabilities(reply)
            case Stage.CHALLENGE, ReaderProof():
                return self._take_proof(packet, reply)
            case Stage.PROVE, FirstMac(mac=mac):
                return self._take_first_mac(packet, mac)
        return Ignored("not what was asked for")

    def _take_capabilities(self, capabilities: Capabilities) -> Verdict:
        self.capabilities = capabilities
        if not capabilities.level(Function.SECURITY) & _AES_BIT:
            return Refused("the reader says that it has no AES: somebody downgrades it")
        self._needs_crc = capabilities.level(Function.CRC) > 0
        return self._advance(Stage.CHALLENGE)

    def _take_proof(self, packet: Packet, proof: ReaderProof) -> Verdict:
        if packet.security != bytes((_PROOF, self._key_kind)):
            return Refused("the reader answers with the default key of install mode")
        if self.known_uid not in (b"", proof.uid):
            return Replaced(proof.uid)
        cryptogram = self._handshake.answered(proof) if self._handshake else None
        if not cryptogram:
            return Refused("the reader holds another key")
        self._cryptogram = cryptogram
        self.uid = proof.uid
        return self._advance(Stage.PROVE)

    def _take_first_mac(self, packet: Packet, mac: bytes) -> Verdict:
        if packet.security != bytes((_FIRST_MAC, 1)):
            return Refused("the reader refuses our proof")
        self._channel = self._handshake.agreed(mac) if self._handshake else None
        if self._channel is None:
            return Refused("the reader's first MAC is wrong")
        self._handshake = None
        self.stage = Stage.SECURE
        return Secured()

    def _advance(self, stage: Stage) -> Verdict:
        self.stage = stage
        return Advanced()


def _nak_of(packet: Packet) -> str:
    reply = read_reply(packet.code, packet.data)
    return reply.why if isinstance(reply, Nak) else "NAK"
