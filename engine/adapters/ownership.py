"""Who owns the engine: an operating-system lock on a file, held as long as the process lives.

The kernel frees it when the process dies, however it dies, so a standby can take over at once. The lease in the journal
adds the fencing number.
"""

from pathlib import Path

from filelock import FileLock, Timeout

LOCK_NAME = "engine.lock"


class EngineLock:
    """One lock per data folder.

    Parameters
    ----------
    home : Path
        Data folder; it must exist when the lock is taken.
    """

    def __init__(self, home: Path) -> None:
        self._lock = FileLock(home / LOCK_NAME, timeout=0, thread_local=False, mode=0o600)

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._lock.is_locked

    def acquire(self) -> bool:
        """Take the lock without waiting; return False when another process (or object) holds it."""
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Free it; harmless when it is not held."""
        self._lock.release()
