"""Who holds up the engine's loop: a thread that looks when the loop's beat is late, and names the agent and the line.

It needs no help from what it watches: the agent is found on the stack of the loop's thread. A block that does not end
is told while it lasts, and broken off where whoever is told says so.
"""

import asyncio
import ctypes
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from inspect import getattr_static
from pathlib import Path
from types import FrameType, MappingProxyType

from engine.core.belonging import OWNER, is_at_home
from engine.core.containing import BrokenOffError

BEAT_S = 0.05
THRESHOLD_S = 0.05
"""A beat so late counts as a block: short ones add up, whoever takes them judges that."""
SAMPLES = 10
"""Looks at an agent of one's own at work that make a block of small bites: each stands for a beat."""
STUCK_S = 5.0
"""A block that lasts so long is told while it lasts, and again after each such time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The loop stood still: for how long, in whose work (empty when nobody's), and at which line."""

    seconds: float
    agent_id: str = ""
    where: str = ""


class LoopWatch:
    """Watches the loop that it is started in.

    Parameters
    ----------
    on_block : callable
        Gets each block once it is over, in the loop.
    on_stuck : callable, optional
        Gets a block that still lasts, in the watching thread; what it returns true for is broken off: `BrokenOffError`
        is raised at its next line of Python.
    threshold_s, stuck_s : float
        From here on a late beat counts, and is told while it lasts.
    timer : callable
        Gives the seconds that beats are measured in.
    homes : mapping of str to str
        Where the code of agents of one's own lies, by id: what they left to the loop is theirs.
    """

    def __init__(
        self,
        on_block: Callable[[Block], None],
        threshold_s: float = THRESHOLD_S,
        timer: Callable[[], float] = time.perf_counter,
        *,
        on_stuck: Callable[[Block], bool] = lambda _: False,
        stuck_s: float = STUCK_S,
        homes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._on_block = on_block
        self._on_stuck = on_stuck
        self._threshold_s, self._stuck_s = threshold_s, stuck_s
        self._now_s = timer
        self._homes = homes
        self._beat_at = 0.0
        self._seen: Block | None = None
        self._bites: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ident = 0
        self._timer: asyncio.TimerHandle | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; call in the loop. Harmless twice."""
        if self._thread is not None:
            return
        self._ident = threading.get_ident()
        self._loop = asyncio.get_running_loop()
        self._beat()
        self._thread = threading.Thread(target=self._look, name="loop-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; harmless twice."""
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join(4 * BEAT_S)

    def _beat(self) -> None:
        """Show that the loop is alive; after a block, tell of it."""
        now = self._now_s()
        late_s = now - self._beat_at - BEAT_S
        seen, self._seen = self._seen, None
        is_first = self._beat_at == 0.0
        self._beat_at = now
        if late_s > self._threshold_s and not is_first:
            found = seen or Block(seconds=0.0)
            self._on_block(Block(seconds=late_s, agent_id=found.agent_id, where=found.where))
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _look(self) -> None:
        of_beat, n_told = 0.0, 0
        while not self._stop.wait(BEAT_S):
            beat_at = self._beat_at
            if beat_at != of_beat:
                of_beat, n_told = beat_at, 0
            late_s = self._now_s() - beat_at - BEAT_S
            if late_s <= self._threshold_s:
                self._count_bites()
            elif self._seen is None:
                found = blamed(sys._current_frames().get(self._ident), self._homes)
                if self._beat_at == beat_at:  # else it is over, and the next block is another's
                    self._seen = found
            if late_s > self._stuck_s * (n_told + 1):
                n_told += 1
                self._tell_stuck(beat_at, late_s)

    def _count_bites(self) -> None:
        """Look who is at work though no beat is late: bites too short to be seen one by one add up.

        So many looks as find an agent at work, so many beats of the loop it took, in the long run.
        """
        if not self._homes:
            return
        found = blamed(sys._current_frames().get(self._ident), self._homes)
        if found.agent_id not in self._homes:
            return
        n = self._bites[found.agent_id] = self._bites.get(found.agent_id, 0) + 1
        if n >= SAMPLES and self._loop is not None and not self._loop.is_closed():
            self._bites[found.agent_id] = 0
            self._loop.call_soon_threadsafe(self._on_block, replace(found, seconds=n * BEAT_S))

    def _tell_stuck(self, beat_at: float, late_s: float) -> None:
        found = blamed(sys._current_frames().get(self._ident), self._homes)
        must_end = self._on_stuck(replace(found, seconds=late_s))
        if must_end and self._beat_at == beat_at:
            raise_in(self._ident, BrokenOffError)


def raise_in(ident: int, error: type[BaseException]) -> None:
    """Raise an error in another thread, at its next line of Python: what waits in C ends first."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))


def blamed(frame: FrameType | None, homes: Mapping[str, str] = MappingProxyType({})) -> Block:
    """Return the agent whose code is at work in a stack, innermost first, and the line; nobody when none is.

    Parameters
    ----------
    frame : frame, optional
        The innermost frame.
    homes : mapping of str to str
        Where agents' code lies: a task or a timer that an agent began is told by its context and its code.
    """
    passed: list[FrameType] = []
    while frame is not None:
        actor = frame.f_locals.get("self")
        # looked up without asking the object: it may be anybody's, and its own lookup may fail or take its time
        agent_id = getattr_static(actor, "agent_id", None)
        if isinstance(agent_id, str) and agent_id:
            return _block(agent_id, frame)
        if isinstance(actor, asyncio.Handle):
            return _begun(actor, passed, homes)
        passed.append(frame)
        frame = frame.f_back
    return Block(seconds=0.0)


def _begun(handle: asyncio.Handle, frames: list[FrameType], homes: Mapping[str, str]) -> Block:
    """Return the agent that began what a handle runs, and its innermost line; nobody when the code is another's."""
    owner = getattr(handle, "_context", Context()).get(OWNER, "")
    home = homes.get(owner, "")
    mine = next((each for each in frames if is_at_home(each.f_code, home)), None)
    return Block(seconds=0.0) if mine is None else _block(owner, mine)


def _block(agent_id: str, frame: FrameType) -> Block:
    code = frame.f_code
    where = f"{Path(code.co_filename).name}:{frame.f_lineno} in {code.co_name}"
    return Block(seconds=0.0, agent_id=agent_id, where=where)
