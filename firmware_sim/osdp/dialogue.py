# SPDX-License-Identifier: Apache-2.0
"""A reader's half of the OSDP dialogue: sequence, security, and what spoils a reply.

The law of the module: a command is carried out once; its repetition is answered with
the same bytes. Number 0 begins anew and forgets the secure channel. BUSY leaves
number and MACs as they were. What fails its MAC ends the channel and is refused in
clear; inside a channel nothing in clear is obeyed.
Source: libosdp 3.2.9 src/osdp_pd.c, osdp_phy.c, osdp_sc.c. Unverified, and so settled
here: without a key of its own a reader answers a challenge for one with its default
key, and says so (block 12, data 00).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_sim.osdp.channel import (
    BLOCK_BYTES,
    DEFAULT_KEY,
    NONCE_BYTES,
    Handshake,
    SecureChannel,
)
from firmware_sim.osdp.commands import Answer, refused
from firmware_sim.osdp.frames import Block, Code, Refusal, Reply, ReplyFrame, with_check
from firmware_sim.osdp.settings import OsdpFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.osdp.frames import CommandFrame
    from firmware_sim.osdp.settings import OsdpReaderSettings

#: What a stranger may ask of a reader that demands a secure channel.
_IN_CLEAR = (Code.ID, Code.CAP)
_DEFAULT_KEY, _OWN_KEY = b"\x00", b"\x01"
#: Data byte of block 14: the handshake succeeded.
_SUCCEEDED = b"\x01"


class Dialogue:
    """Answers sound frames; ``carry_out`` does what a command says, in clear."""

    def __init__(
        self,
        settings: OsdpReaderSettings,
        nonce: Callable[[int], bytes],
        carry_out: Callable[[int, bytes, float], Answer],
    ) -> None:
        self.base_key = settings.base_key
        self.sessions = 0
        self.settings = settings
        self._nonce = nonce
        self._carry_out = carry_out
        self._sequence: int | None = None
        self._last_reply = b""
        self._handshake: Handshake | None = None
        self._channel: SecureChannel | None = None
        self._told_mac = bytes(BLOCK_BYTES)
        self._used_at = float("-inf")

    def is_secure(self, now: float) -> bool:
        """Tell whether a channel stands; it dies of ``session_s`` of silence."""
        if now - self._used_at > self.settings.session_s:
            self._channel = None
        return self._channel is not None

    def forget(self) -> None:
        """Lose the power: number, last reply and channel are gone, the key is not."""
        self._sequence = None
        self._last_reply = b""
        self._handshake = self._channel = None

    def answer(
        self, frame: CommandFrame, now: float, fault: OsdpFault | None, nak_code: int
    ) -> bytes:
        """Return the reply's bytes, ``fault`` done to them; none if it is lost."""
        match fault:
            case OsdpFault.UNHEARD:
                return b""
            case OsdpFault.BUSY:
                return _plain(frame, Answer(code=Reply.BUSY), sequence=0).framed()
            case OsdpFault.REPLAYED:
                return self._last_reply
        if not frame.is_sound:
            return _plain(frame, refused(Refusal.CHECK)).framed()
        if frame.sequence and frame.sequence == self._sequence:
            return _spoiled(self._last_reply, fault)
        if frame.sequence and frame.sequence != _next(self._sequence):
            return _plain(frame, refused(Refusal.SEQUENCE)).framed()
        if not frame.sequence:
            self.forget()
        self._sequence = frame.sequence
        refusal = refused(nak_code) if fault is OsdpFault.REFUSED else None
        return self._executed(frame, now, fault, refusal)

    def _executed(
        self,
        frame: CommandFrame,
        now: float,
        fault: OsdpFault | None,
        refusal: Answer | None,
    ) -> bytes:
        if frame.block in (Block.CHALLENGE, Block.SERVER_CRYPTOGRAM):
            reply = refusal and _plain(frame, refusal)
            return self._sent(reply or self._shake_hands(frame, now, fault), fault)
        channel = self._channel if self.is_secure(now) else None
        if frame.has_mac and channel and channel.takes(frame.signed, frame.mac):
            self._used_at = now
            answer = refusal or self._secret_command(channel, frame, now)
            return self._sealed(channel, frame, answer, fault)
        if frame.has_mac:
            self._channel = None
        may_act = frame.block == Block.NONE and channel is None
        if may_act and self.settings.demands_secure_channel:
            may_act = frame.code in _IN_CLEAR
        if may_act:
            answer = refusal or self._carry_out(frame.code, frame.data, now)
        else:
            answer = refused(Refusal.SECURITY_STATE)
        return self._sent(_plain(frame, answer), fault)

    # -- the handshake -------------------------------------------------------------

    def _shake_hands(
        self, frame: CommandFrame, now: float, fault: OsdpFault | None
    ) -> ReplyFrame:
        if not self.settings.has_aes:
            return _plain(frame, refused(Refusal.NO_SECURITY))
        match frame.block, frame.code:
            case Block.CHALLENGE, Code.CHLNG:
                return self._challenged(frame)
            case Block.SERVER_CRYPTOGRAM, Code.SCRYPT:
                return self._proved(frame, now, fault)
            case _:
                return _plain(frame, refused(Refusal.SECURITY_STATE))

    def _challenged(self, frame: CommandFrame) -> ReplyFrame:
        self._channel = self._handshake = None
        if len(frame.data) != NONCE_BYTES:
            return _plain(frame, refused(Refusal.LENGTH))
        if frame.block_data != _OWN_KEY and self.base_key is not None:
            return _plain(frame, refused(Refusal.SECURITY_STATE))
        which = _DEFAULT_KEY if self.base_key is None else _OWN_KEY
        own_nonce = self._nonce(NONCE_BYTES)
        key = self.base_key or DEFAULT_KEY
        self._handshake = shake = Handshake.begun(key, frame.data, own_nonce)
        data = self.settings.client_id + own_nonce + shake.own_cryptogram()
        answer = Answer(code=Reply.CCRYPT, data=data)
        return _plain(frame, answer, Block.CLIENT_CRYPTOGRAM, which)

    def _proved(
        self, frame: CommandFrame, now: float, fault: OsdpFault | None
    ) -> ReplyFrame:
        handshake, self._handshake = self._handshake, None
        mac = None if handshake is None else handshake.initial_mac(frame.data)
        if handshake is None or mac is None:
            return _plain(frame, refused(Refusal.SECURITY_STATE))
        told = self._told_mac if fault is OsdpFault.STALE_MAC else mac
        self._told_mac = mac
        self._channel, self._used_at = SecureChannel(handshake, mac), now
        self.sessions += 1
        answer = Answer(code=Reply.RMAC_I, data=told)
        return _plain(frame, answer, Block.INITIAL_MAC, _SUCCEEDED)

    # -- inside and outside the channel --------------------------------------------

    def _secret_command(
        self, channel: SecureChannel, frame: CommandFrame, now: float
    ) -> Answer:
        data: bytes | None = frame.data
        if frame.block == Block.COMMAND_SECRET:
            data = channel.opened(frame.data)
        if data is None:
            return refused(Refusal.LENGTH)
        return self._carry_out(frame.code, data, now)

    def _sealed(
        self,
        channel: SecureChannel,
        frame: CommandFrame,
        answer: Answer,
        fault: OsdpFault | None,
    ) -> bytes:
        reply = _secured(channel, frame, answer, frame.sequence)
        mac = channel.reply_mac(reply.signed())
        self._last_reply = reply.framed(mac)
        wire = _spoiled(self._last_reply, fault)
        if fault is OsdpFault.OLD_SEQUENCE:
            old = _secured(channel, frame, answer, _before(frame.sequence))
            wire = old.framed(channel.reply_mac(old.signed()))
        channel.gave(mac)
        return wire

    def _sent(self, reply: ReplyFrame, fault: OsdpFault | None) -> bytes:
        self._last_reply = reply.framed()
        return _spoiled(self._last_reply, fault)


def _plain(
    frame: CommandFrame,
    answer: Answer,
    block: Block = Block.NONE,
    block_data: bytes = b"",
    *,
    sequence: int | None = None,
) -> ReplyFrame:
    """Return ``answer`` in clear, checked in the way of the command."""
    return ReplyFrame(
        address=frame.address,
        sequence=frame.sequence if sequence is None else sequence,
        has_crc=frame.has_crc,
        code=answer.code,
        data=answer.data,
        block=block,
        block_data=block_data,
    )


def _secured(
    channel: SecureChannel, frame: CommandFrame, answer: Answer, sequence: int
) -> ReplyFrame:
    """Return ``answer`` for the channel; a NAK's code stays in clear, as libosdp's."""
    is_secret = bool(answer.data) and answer.code is not Reply.NAK
    return ReplyFrame(
        address=frame.address,
        sequence=sequence,
        has_crc=frame.has_crc,
        code=answer.code,
        data=channel.enciphered(answer.data) if is_secret else answer.data,
        block=Block.REPLY_SECRET if is_secret else Block.REPLY_MAC,
    )


def _next(sequence: int | None) -> int | None:
    return None if sequence is None else sequence % 3 + 1


def _before(sequence: int) -> int:
    return (sequence - 2) % 3 + 1 if sequence else 3


def _spoiled(reply: bytes, fault: OsdpFault | None) -> bytes:
    """Return what is left of ``reply`` under a fault of the line."""
    if not reply:
        return reply
    match fault:
        case OsdpFault.WRONG_CHECK:
            return reply[:-1] + bytes((reply[-1] ^ 0xFF,))
        case OsdpFault.TRUNCATED:
            return reply[: len(reply) // 2]
        case OsdpFault.DROPPED:
            return b""
        case OsdpFault.OLD_SEQUENCE:
            return _renumbered(reply)
        case OsdpFault.WRONG_MAC:
            return _with_wrong_mac(reply)
        case _:
            return reply


def _renumbered(reply: bytes) -> bytes:
    """Return a reply with the number before its own and a sound check."""
    control = reply[4]
    has_crc = bool(control & 0x04)
    content = bytearray(reply[:-2] if has_crc else reply[:-1])
    content[4] = control & ~0x03 | _before(control & 0x03)
    return with_check(bytes(content), crc=has_crc)


def _with_wrong_mac(reply: bytes) -> bytes:
    """Return a reply whose MAC alone is wrong; the same if it has none."""
    control = reply[4]
    if not control & 0x08 or reply[6] not in (Block.REPLY_MAC, Block.REPLY_SECRET):
        return reply
    has_crc = bool(control & 0x04)
    content = bytearray(reply[:-2] if has_crc else reply[:-1])
    content[-4:] = bytes(byte ^ 0xFF for byte in content[-4:])
    return with_check(bytes(content), crc=has_crc)
