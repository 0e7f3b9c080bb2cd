# SPDX-License-Identifier: Apache-2.0
"""A box that is still empty, restored from the browser of whoever sets it up.

The law of the module: only the tablet that the label's code paired may do it, and only
while no manager can log in. What is inside is known before anything is replaced; the
work is a process of its own; until it has made all ready the box is as empty as
before, and from then on its next start restores the whole of it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edge.cli.backup.errand import errand
from edge.cli.backup.finishing import is_staged, result
from edge.cli.backup.spool import Spool, SpoolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.accounts.book import Book
    from edge.accounts.people import Tablet
    from edge.control.server import Act

#: Bytes of a file that may be sent: a full journal packs into less than half of it.
MOST_BYTES = 512 << 20
FILE = "backup.tar.gz"
LONGEST_PHRASE = 200
#: Of what went wrong so much is told.
FAULT = 240


class FirstRestore:
    """The verbs of the page where a box is restored.

    ``staged`` is called when all lies ready for the next start, ``forget`` lets it be
    none again; ``waits`` says what keeps this gateway from ending, "" for nothing.
    """

    def __init__(
        self,
        book: Book,
        state: Path,
        *,
        now_s: Callable[[], float],
        staged: Callable[[], None],
        forget: Callable[[], None],
        waits: Callable[[], str] = lambda: "",
    ) -> None:
        self._book = book
        self._state = state
        self._now_s = now_s
        self._staged = staged
        self._drop_staged = forget
        self._waits = waits
        self._spool = Spool(state, FILE)
        self._task: asyncio.Task[None] | None = None
        self._doing = ""
        self._inside: dict[str, Any] = {}
        #: A word for what hindered it last, and the whole sentence.
        self._fault, self._detail = "", ""

    def acts(self) -> dict[str, Act]:
        """Return the verbs by name."""
        return {
            "first-restore": self._tell,
            "first-restore-begin": self._begin,
            "first-restore-piece": self._piece,
            "first-restore-go": self._go,
            "first-restore-cancel": self._cancel,
        }

    async def close(self) -> None:
        """Leave what is under way to the next try."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tell(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return how far it is: a ``step``, what is inside, what hindered it."""
        tablet = self._tablet(request)
        done = result(self._state)
        step = self._step()
        if step == "empty" and done.get("by") == tablet.id:
            return {"step": "done", "file": done.get("file", "")}
        if not self._is_allowed(tablet):
            raise ValueError("this box has a manager already")
        return {
            "step": step,
            "inside": self._inside,
            "fault": self._fault or ("start" if done.get("fault") else ""),
            "detail": self._detail or done.get("fault", ""),
            "waits": self._waits() if step == "ending" else "",
        }

    def _step(self) -> str:
        if self._doing:
            return self._doing
        if is_staged(self._state):
            return "ending"
        return "held" if self._inside else "empty"

    async def _begin(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Begin to take a file of so many ``bytes`` in; ``state`` says whether."""
        self._allowed(request)
        if self._is_at_work or self._spool.is_busy(self._now_s()):
            return {"state": "busy"}
        self._forget()
        try:
            size = request.get("bytes")
            ticket = await self._spool.begin(size, MOST_BYTES, self._now_s())
        except SpoolError as fault:
            return {"state": fault.kind}
        return {"state": "begun", "ticket": ticket}

    async def _piece(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Take the next piece of it in; after the last one it is looked into."""
        self._allowed(request)
        try:
            taken = await self._spool.take(request, self._now_s())
        except SpoolError as fault:
            return {"state": fault.kind}
        if self._spool.is_whole and not self._is_at_work:
            self._begin_work("looking", self._look())
        return {"state": "taken", "taken": taken}

    async def _go(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Make it ready; this gateway then ends for it as soon as it may."""
        tablet = self._allowed(request)
        phrase = request.get("passphrase") or ""
        if not isinstance(phrase, str) or len(phrase) > LONGEST_PHRASE:
            return {"state": "passphrase"}
        if self._step() != "held":
            return {"state": "busy"}
        self._begin_work("staging", self._stage(tablet, phrase))
        return {"state": "begun"}

    async def _cancel(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        """Let there be no file and no restore; the box is as empty as before."""
        self._allowed(request)
        if self._is_at_work:
            return {"state": "busy"}
        self._drop_staged()
        self._forget()
        await self._spool.drop()
        return {"state": "done"}

    # ---- work -------------------------------------------------------------------

    @property
    def _is_at_work(self) -> bool:
        return self._task is not None and not self._task.done()

    def _begin_work(self, doing: str, work: Any) -> None:
        self._doing, self._fault, self._detail = doing, "", ""
        self._task = asyncio.get_running_loop().create_task(self._do(work))

    async def _do(self, work: Any) -> None:
        try:
            await work
        finally:
            self._doing = ""

    async def _look(self) -> None:
        given = {"file": str(self._spool.path)}
        told = await errand(self._state, "look", given=given)
        if self._is_told(told):
            await self._spool.drop()
        else:
            self._inside = told

    async def _stage(self, tablet: Tablet, phrase: str) -> None:
        given = {"file": str(self._spool.path), "passphrase": phrase}
        entry = {"tablet": tablet.dump()}
        told = await errand(
            self._state, "stage", "--by", tablet.id, given=given | entry
        )
        if not self._is_told(told):
            with suppress(OSError):
                await self._spool.drop()
            self._staged()

    def _is_told(self, told: dict[str, Any]) -> bool:
        """Keep what hindered the work; say whether something did."""
        if "fault" in told:
            self._fault = str(told.get("kind") or "other")
            text = str(told["fault"]).replace(f"{self._spool.path}: ", "")
            self._detail = text.replace(f"{self._state}: ", "")[:FAULT]
        return "fault" in told

    def _forget(self) -> None:
        self._inside, self._fault, self._detail = {}, "", ""

    # ---- who --------------------------------------------------------------------

    def _tablet(self, request: dict[str, Any]) -> Tablet:
        tablet = self._book.tablet_of(request.get("tablet"))
        if tablet is None:
            raise ValueError("this tablet is not paired")
        return tablet

    def _is_allowed(self, tablet: Tablet) -> bool:
        return tablet.is_first and self._book.needs_first

    def _allowed(self, request: dict[str, Any]) -> Tablet:
        tablet = self._tablet(request)
        if not self._is_allowed(tablet):
            raise ValueError("this box has a manager already")
        return tablet
