"""Who owns the engine: an operating-system lock on a file, held as long as the process lives.

The kernel frees it when the process dies, however it dies, so a standby can take over at once. The lease in the journal
adds the fencing number, and says who it is.
"""

from pathlib import Path

from filelock import FileLock, Timeout

from engine.domain.errors import ConfigurationError

LOCK_NAME = "engine.lock"


class EngineLock:
    """One lock per data folder.

    Parameters
    ----------
    home : Path
        Data folder; it must exist when the lock is taken.
    """

    def __init__(self, home: Path) -> None:
        # A "soft" lock, filelock's fallback where the kernel has none, would outlive a killed process.
        self._lock = FileLock(
            home / LOCK_NAME, timeout=0, thread_local=False, mode=0o600, fallback_to_soft=False
        )

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._lock.is_locked

    def acquire(self) -> bool:
        """Take the lock without waiting; return False when another process (or object) holds it.

        Raises
        ------
        ConfigurationError
            The folder is missing, cannot be written, or lies where files cannot be locked.
        """
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            folder = str(Path(self._lock.lock_file).parent)
            raise ConfigurationError(
                f"PILOTHOUSE_HOME must be a folder whose files can be locked, was {folder!r} ({error.strerror}); "
                "correct its permissions or choose a local disk"
            ) from error
        return True

    def release(self) -> None:
        """Free it; harmless when it is not held."""
        self._lock.release()
