# SPDX-License-Identifier: Apache-2.0
"""The gateway's status in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


#: A gateway's certificate is asked after so long before its end.
WARN_BEFORE_DAYS = 30
_STICK = {
    "done": "has a copy of the last backup",
    "none": "none labelled MENSHEN is in",
    "full": "FULL: delete something from it, or plug another one in",
    "read_only": "CANNOT BE WRITTEN: look at its switch, and whose the mount is",
    "broken": "FAILED: take another one",
}


def lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each thing worth knowing, faults in capitals."""
    if "empty" in status:
        yield f"EMPTY BOX    {status['empty']}"
        return
    events, platform, roster = status["events"], status["platform"], status["roster"]
    yield f"gateway      pid {status['pid']}, up {status['uptime_s']:.0f} s"
    if status["lost"]:
        yield f"WAY OUT ONLY {status['lost']}: nobody can be let in by card or code"
    if status["fire"]:
        how = "menshen end-emergency FIRE"
        yield f"FIRE         escape doors are held open; end it with: {how}"
    for told in status.get("messages", ()):
        yield f"message      {told['by']}: {told['text']}"
    for name, door in status["doors"].items():
        yield f"door         {name}: {door['mode']}, {door['phase']}"
    for name, bank in status["banks"].items():
        phases = Counter(bank["compartments"].values())
        counted = ", ".join(f"{n} {phase}" for phase, n in sorted(phases.items()))
        yield f"lockers      {name}: {counted}"
    now_ms = status["clock"].get("earliest_ms")
    for name, device in status["devices"].items():
        yield from _device(name, device, now_ms)
    yield f"events       {events['waiting']} wait to be sent, last {events['last_seq']}"
    if events["storage_fault"]:
        yield f"STORAGE      {events['not_on_disk']} events are in memory alone"
    if "duty" in status:
        told = status["duty"]
        sure = f"{told['confirmed_points']} of them confirmed"
        points = f"{told['points']} points in {told['month']}, {sure}"
        yield f"duty         {told['on_duty']} on duty; {points}"
    yield from _platform(platform)
    yield from _days(status.get("days") or ())  # a gateway of before tells none
    revision = f"{roster['epoch']}@{roster['revision']}" if roster["epoch"] else "NONE"
    people = f"{roster['credentials']} credentials, confirmed {roster['age_s']} s ago"
    yield f"roster       {revision}, {people}"
    box = status.get("box") or {}  # a gateway of before tells nothing of it
    if "fingerprint" in box:
        yield f"box key      {box['fingerprint']}"
    elif box:
        yield f"BOX KEY      {box['trouble']}"
    yield from _parts(status.get("parts") or {})
    if lost := status.get("panel", {}).get("pins_lost"):
        how = "menshen account pin NAME, or put the file back and start again"
        yield f"PINS         {lost} are void, keys/panel-pepper is another: {how}"
    yield from _backup(status.get("backup") or {})
    known = "known" if status["clock"]["known"] else "NOT KNOWN, only a lower bound"
    yield f"clock        {known}"


_PARTS = {
    "disk": "DISK         nearly full: make room, or take a bigger card",
    "power": "POWER        the supply sagged: tighten or replace it",
}


def _parts(parts: dict[str, Any]) -> Iterator[str]:
    """Yield what of the box itself is not well."""
    for name, line in _PARTS.items():
        if parts.get(name, {}).get("good") is False:
            yield line


def _backup(told: dict[str, Any]) -> Iterator[str]:
    """Yield the newest backup, and what became of the last restore."""
    if not told:
        return
    newest = f"{told['last']}, {told['bytes'] >> 10} kB" if told["last"] else "NONE yet"
    yield f"backup       {newest}; {told['count']} kept"
    if told["fault"]:
        yield f"BACKUP       {told['fault']}"
    if told.get("stick"):
        yield f"stick        {_STICK.get(told['stick'], told['stick'])}"
    if told["is_ending"]:
        yield f"restore      waits: {told['waits'] or 'ending now'}"
    if told["restored"].get("fault"):
        yield f"RESTORE      not done: {told['restored']['fault']}"
    elif told["restored"]:
        aside = told["restored"].get("aside", "")
        yield f"restored     {told['restored'].get('file', '')}; before: {aside}"


def _platform(platform: dict[str, Any]) -> Iterator[str]:
    """Yield the way to the platform, and of each broker that failed what to do."""
    link = "connected" if platform["connected"] else "NOT CONNECTED (doors go on)"
    broker = platform.get("broker")
    yield f"platform     {link}{f', by {broker}' if broker else ''}"
    if platform.get("keys"):
        yield f"PLATFORM     NOT BELIEVED: {platform['keys']}"
    if platform.get("silent"):
        yield f"PLATFORM     SILENT: {platform['silent']}"
    for trouble in platform.get("troubles") or ():
        yield f"broker       {trouble['broker']}: {trouble['why']}"
        if trouble["advice"] and trouble["advice"] != platform.get("silent"):
            yield f"             {trouble['advice']}"
    days = platform.get("certificate_days")
    if days is not None and days < WARN_BEFORE_DAYS:
        how = f"expires in {days} days" if days >= 0 else "has expired"
        yield f"CERTIFICATE  of this gateway {how}: menshen keys renew"
    renewal = platform.get("renewal") or {}
    if renewal.get("stage") in ("ASKED", "TRYING"):
        yield f"certificate  a new one is under way ({renewal['stage'].lower()})"
    if renewal.get("stage") == "REFUSED":
        how = "the old one goes on; ask the platform's operator"
        yield f"CERTIFICATE  NOT RENEWED: {renewal['why']} ({how})"
    if platform.get("plain_tcp"):
        names = ", ".join(platform["plain_tcp"])
        yield f"PLAIN TCP    to {names}: what goes up can be read on the way"


def _days(days: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a tick for each of the last days, and what to do about one that differs."""
    if not days:
        return
    ticks = ", ".join(f"{day['day'][5:]} {_TICKS[day['state']]}" for day in days)
    yield f"days         {ticks}"
    for day in days:
        if day["state"] == "DIFFERS":
            how = f"menshen platform reconcile --day {day['day']}"
            yield f"DAY          {day['day']} is another at the platform; there: {how}"


def _device(name: str, device: dict[str, Any], now_ms: int | None) -> Iterator[str]:
    """Yield how a device stands, why, and what was found at it before."""
    word = "answers" if device["online"] else "DOES NOT ANSWER"
    special = _SPECIAL.get(device.get("state", ""))
    since = _ago(device.get("since_ms"), now_ms)
    for_so_long = f" for {since}" if since else ""
    words = f"{special}{for_so_long}, {word}" if special else f"{word}{for_so_long}"
    detail = f" ({device['detail']})" if device.get("detail") else ""
    yield f"device       {name}: {words}{detail}"
    fault, last = device.get("fault"), device.get("last_fault")
    if fault:
        yield f"             {fault['why']}"
    elif last:
        ago = _ago(last["at_ms"], now_ms)
        yield f"             last fault {ago} ago: {last['why']}"
    tested = device.get("self_test")
    if tested:
        ago = _ago(tested["at_ms"], now_ms)
        outcome = "passed" if tested["passed"] else "FAILED"
        why = f": {tested['why']}" if tested["why"] else ""
        yield f"             self-test {outcome} {ago} ago{why}"


#: What stands for how a day compared with the platform's.
_TICKS = {"AGREED": "ok", "WAITING": "not compared yet", "DIFFERS": "DIFFERS"}
#: States that outweigh whether a device answers.
_SPECIAL = {"TAMPERED": "TAMPERED WITH", "CONFLICT": "TWO DEVICES HAVE ITS ADDRESS"}


def _ago(at_ms: int | None, now_ms: int | None) -> str:
    """Tell an age; right also where the clock is not, both are the same clock's."""
    if at_ms is None or now_ms is None:
        return ""
    seconds = max(0, now_ms - at_ms) // 1000
    for unit_s, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"
