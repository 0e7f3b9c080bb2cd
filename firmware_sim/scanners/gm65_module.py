# SPDX-License-Identifier: Apache-2.0
"""The command dialogue of a GM65-family scan module, and its power.

The law of the module: a command is carried out when its reply is due, one by one; a
reset answers and reboots, deaf and blind, with what was saved. Replies and codes share
one outbox, so that a code may stand inside a reply. Nothing a gateway sends raises; a
request that is not sound meets silence (unverified).
Source: specter-diy src/hosts/qr.py, its PR #401 and issue #355 (a reset is 9600 at
once, whether its answer arrives or not); Tasmota xsns_107_gm861.ino.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from firmware_sim.happening import Diary, What
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.scanners.gm65_frames import (
    Gm65Command,
    Gm65Request,
    Gm65Requests,
    heartbeat_reply,
    reply,
)
from firmware_sim.scanners.gm65_zones import Gm65Zones, ReadMode, Zone
from firmware_sim.scanners.qr_settings import ScannerFault, SetupCode

if TYPE_CHECKING:
    from firmware_sim.scanners.qr_settings import Gm65Settings

#: Commands waiting while one is carried out; a gateway asks one at a time.
MAX_WAITING_COMMANDS = 16
#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000
#: A request that stands still for so long is forgotten (unverified).
REQUEST_TIMEOUT_S = 0.5
#: Values of the zones that setup codes write.
_KEYBOARD_OUTPUT, _SERIAL_OUTPUT, _SETUP_OFF = 0xA1, 0xA0, 0x01

OK = reply(b"\x00")


class Gm65Module:
    """The part of a scanner that listens; ``outbox`` and ``diary`` are the scanner's.

    ``reboots`` counts them: what a scanner was about must not outlive one.
    """

    def __init__(self, settings: Gm65Settings, outbox: Outbox, diary: Diary) -> None:
        self.settings = settings
        self.zones = Gm65Zones(
            settings.commissioned, software_version=settings.software_version
        )
        self.baud = self._next_baud = self.zones.baud or 9_600
        self.commands = 0
        self.reboots = 0
        self._outbox = outbox
        self._diary = diary
        self._requests = Gm65Requests()
        self._heard_at = 0.0
        self._work: deque[tuple[float, Gm65Request]] = deque()
        #: The second half of a halved reply.
        self._rest: tuple[float, bytes] | None = None
        self._faults: deque[ScannerFault] = deque(maxlen=MAX_FAULTS)
        self._back_at: float | None = None
        self._trigger_ends_at: float | None = None
        self._is_asleep = False

    # -- the wire ------------------------------------------------------------------

    @property
    def ignored_bytes(self) -> int:
        """How much of what was heard was no request."""
        return self._requests.ignored_bytes

    @property
    def is_deaf(self) -> bool:
        """Whether it reboots at this moment."""
        return self._back_at is not None

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the gateway; lost while it reboots."""
        if self.is_deaf:
            return
        if now - self._heard_at >= REQUEST_TIMEOUT_S:
            self._requests.forget()
        self._heard_at = now
        for request in self._requests.feed(data):
            if len(self._work) < MAX_WAITING_COMMANDS:
                begin = max(now, self._work[-1][0]) if self._work else now
                self._work.append((begin + self.settings.reply_delay_s, request))

    def sent_all(self) -> None:
        """Take note that the outbox is empty: a new rate holds from here on."""
        if not self._work and self._rest is None:
            self.baud = self._next_baud

    def deadline(self) -> float | None:
        """Return when something is due."""
        rest = self._rest[0] if self._rest else None
        # A reply is ended before the next command is looked at.
        work = self._work[0][0] if self._work and rest is None else None
        return earliest(work, rest, self._back_at, self._trigger_ends_at)

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``, each thing at its own time."""
        while (due := self.deadline()) is not None and due <= now:
            self._happen(due)

    # -- reading -------------------------------------------------------------------

    @property
    def is_reading(self) -> bool:
        """Whether a code before it is seen."""
        if self.is_deaf or self._is_asleep:
            return False
        is_free = self.zones.mode in (ReadMode.CONTINUOUS, ReadMode.PRESENCE)
        return is_free or self.zones.is_triggered

    def has_read(self) -> None:
        """Take note of a read: a trigger is good for one."""
        self.zones.end_trigger()
        self._trigger_ends_at = None

    # -- the hand in the world -----------------------------------------------------

    def spoil(self, fault: ScannerFault, replies: int) -> None:
        """Spoil the next replies, behind those already to be spoiled."""
        self._faults.extend([fault] * min(replies, MAX_FAULTS))

    def reboot(self, now: float) -> None:
        """Lose the power and get it back; what was not saved is gone."""
        self.zones.load()
        self._work.clear()
        self._outbox.clear()
        self._requests.forget()
        self._rest = self._trigger_ends_at = None
        self._is_asleep = False
        self.baud = self._next_baud = self.zones.baud or 9_600
        self.reboots += 1
        self._back_at = now + self.settings.reboot_s
        self._diary.note(What.POWER_LOST, now)

    def show_setup_code(self, code: SetupCode, now: float) -> bool:
        """Hold up a setup code; tell whether the module obeyed. It keeps what it is."""
        if not (self.is_reading and self.zones.setup_codes_work):
            return False
        match code:
            case SetupCode.FACTORY_RESET:
                self.zones.reset()
                self.reboot(now)
            case SetupCode.USB_KEYBOARD:
                self._keep(Zone.OUTPUT, _KEYBOARD_OUTPUT)
            case SetupCode.SERIAL_OUTPUT:
                self._keep(Zone.OUTPUT, _SERIAL_OUTPUT)
            case SetupCode.SETUP_OFF:
                self._keep(Zone.SETUP_CODES, _SETUP_OFF)
        return True

    # -- inside --------------------------------------------------------------------

    def _keep(self, zone: Zone, value: int) -> None:
        self.zones.working[zone] = self.zones.saved[zone] = value

    def _happen(self, due: float) -> None:
        """Do the one thing that is due first."""
        if self._back_at == due:
            self._back_at = None
            self._diary.note(What.POWER_BACK, due)
        elif self._rest is not None and self._rest[0] == due:
            self._outbox.put(self._rest[1], due)
            self._rest = None
        elif self._trigger_ends_at == due:
            self.has_read()
        else:
            self._carry_out(self._work.popleft()[1], due)

    def _carry_out(self, request: Gm65Request, due: float) -> None:
        self.commands += 1
        match request:
            case Gm65Request(command=Gm65Command.HEARTBEAT):
                self._say(heartbeat_reply(), due)
            case Gm65Request(command=Gm65Command.READ, address=address, data=data):
                if data[0]:
                    self._say(reply(self.zones.read(address, data[0])), due)
            case Gm65Request(command=Gm65Command.WRITE, address=address, data=data):
                self._write(address, data, due)
            case Gm65Request(address=0, data=b"\x00"):
                self.zones.save()
                self._say(OK, due)
            case Gm65Request(address=0, data=b"\x02"):
                self._reset(due)
            case _:
                pass  # what else 09 may do is not known

    def _write(self, address: int, data: bytes, due: float) -> None:
        control = Zone.CONTROL - address
        if 0 <= control < len(data):
            self._control(data[control], due)
            return
        self.zones.write(address, data)
        if address <= Zone.TRIGGER < address + len(data):
            timeout_s = self.zones.read_timeout_s
            is_limited = self.zones.is_triggered and timeout_s is not None
            self._trigger_ends_at = due + (timeout_s or 0) if is_limited else None
        self._next_baud = self.zones.baud or self._next_baud
        self._say(OK, due)

    def _control(self, value: int, due: float) -> None:
        match value:
            case 0x50:
                self._reset(due)
                return
            case 0x55:
                self.zones.restore_own()
                self._next_baud = self.zones.baud or self._next_baud
            case 0x56:
                self.zones.keep_own()
            case 0xA5 | 0x00:
                self._is_asleep = value == 0xA5
            case _:
                return
        self._say(OK, due)

    def _reset(self, due: float) -> None:
        self.zones.reset()
        self.reboot(due)
        self._say(OK, due)
        # It answers as it goes down: nothing of the reply may come later.
        self._rest = None

    def _say(self, frame: bytes, due: float) -> None:
        fault = self._faults.popleft() if self._faults else None
        half = len(frame) // 2
        match fault:
            case ScannerFault.LOST_REPLY:
                return
            case ScannerFault.WRONG_CRC:
                frame = frame[:-1] + bytes((frame[-1] ^ 0x01,))
            case ScannerFault.CUT_REPLY:
                frame = frame[:half]
            case ScannerFault.HALVED_REPLY:
                self._rest = (due + self.settings.halt_s, frame[half:])
                frame = frame[:half]
        self._outbox.put(frame, due)
