"""How the store's folder is read and written: JSON bytes under text keys, and nothing that could run.

diskcache would unpickle any row that calls itself a pickle (CVE-2025-69872); this class refuses on both ways.
"""

import re
import sqlite3

import diskcache

from engine.domain.errors import StoreError

_RAW, _BINARY = 1, 2
_FILE_NAME = re.compile(r"[0-9a-f]{2}[/\\][0-9a-f]{2}[/\\][0-9a-f]{28}\.val")


def _refuse(what: str) -> StoreError:
    return StoreError(
        f"the store must hold bytes under text keys only, met {what}; delete its folder"
    )


class PlainDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """A diskcache disk for JSON bytes. Large values are files; their names are checked before they are followed."""

    def put(self, key: object) -> tuple[str, bool]:
        """Return the key for the database; text alone."""
        if type(key) is not str:
            raise _refuse(f"a key of type {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """Return the key from the database; text alone."""
        if type(key) is not str or not raw:
            raise _refuse("a key that is not text")
        return key

    def store(
        self, value: object, read: bool, key: object = diskcache.UNKNOWN
    ) -> tuple[int, int, str | None, memoryview | None]:
        """Return (size, mode, file name, value) for the database; bytes alone."""
        if type(value) is not bytes or read:
            raise _refuse(f"a value of type {type(value).__name__}")
        stored: tuple[int, int, str | None, memoryview | None] = super().store(
            value, False, key=key
        )
        return stored

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> bytes:
        """Return the value's bytes; whatever would have to be unpickled or read elsewhere is refused."""
        if read:
            raise _refuse("a wish for an open file")
        if mode == _RAW and type(value) in {bytes, sqlite3.Binary}:
            return bytes(value)  # type: ignore[call-overload,no-any-return]  # checked in the line above
        if mode == _BINARY and filename is not None and _FILE_NAME.fullmatch(filename):
            fetched: bytes = super().fetch(mode, filename, None, False)
            return fetched
        raise _refuse(f"a row of mode {mode!r}")

    def remove(self, file_path: str) -> None:
        """Delete a value's file, if the name is one of a value's file."""
        if _FILE_NAME.fullmatch(file_path):
            super().remove(file_path)
