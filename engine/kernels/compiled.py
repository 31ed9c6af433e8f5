"""Kernels that are compiled: the one typed decorator, where machine code is kept, and how it is made warm.

Arithmetic follows IEEE to the letter, without contraction or reordering, so the same seed gives the same bits on every
processor; a kernel may reorder its sums only where no number that leaves it depends on their order.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

_F = TypeVar("_F", bound=Callable[..., object])

_HERE = Path(__file__).parent
_KEPT_FOLDERS = 4
"""Folders of other sources that stay beside ours; older ones are of programs that are gone."""

_WHOLE = "whole"

_registry: list[tuple[Any, str]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """What `warm` did.

    Parameters
    ----------
    n_kernels, n_loaded : int
        Kernels that are ready now, and how many of them came from the folder instead of the compiler.
    seconds : float
        How long it took.
    folder : str or None
        Where machine code is kept; None where no folder could be written, so every start compiles anew.
    """

    n_kernels: int
    n_loaded: int
    seconds: float
    folder: str | None


def compiled(
    signature: str | None = None, *, is_inlined: bool = False, may_reorder_sums: bool = False
) -> Callable[[_F], _F]:
    """Return the decorator that turns a function into machine code at its first call, without the interpreter's lock.

    Parameters
    ----------
    signature : str, optional
        Argument types as numba writes them, ``"void(float32[::1], int64)"``: what `warm` compiles. Functions without
        one are compiled at their first call, or with the kernel that calls them.
    is_inlined : bool
        Makes the function part of its callers whatever its size: a loop around a call cannot run in vector lanes.
    may_reorder_sums : bool
        Lets a sum run in vector lanes. The result then depends on the processor in its last digits, so it may only
        steer (where buckets lie), never leave.
    """

    def decorate(function: _F) -> _F:
        folder = code_folder()
        options: dict[str, Any] = {
            "nogil": True,
            "error_model": "numpy",
            "cache": folder is not None,
        }
        if is_inlined:
            options["forceinline"] = True
        if may_reorder_sums:
            options["fastmath"] = {"reassoc", "nsz"}
        with _kept_in(folder):
            kernel: Any = numba.njit(**options)(function)
        if signature is not None:
            _registry.append((kernel, signature))
        result: _F = kernel
        return result

    return decorate


def warm() -> Warmth:
    """Compile or load the kernels with a signature of the modules imported so far; fit for a thread after the start.

    Notes
    -----
    Compiling holds the interpreter's lock in short slices and numba's own lock throughout; a kernel that is called
    meanwhile waits for its own machine code and for nothing else after that.
    """
    began = time.perf_counter()
    loaded = 0
    for kernel, signature in tuple(_registry):
        kernel.compile(signature)
        loaded += sum(kernel.stats.cache_hits.values()) > 0
    folder = code_folder()
    return Warmth(
        n_kernels=len(_registry),
        n_loaded=loaded,
        seconds=time.perf_counter() - began,
        folder=None if folder is None else str(folder),
    )


def is_kept() -> bool:
    """Return whether machine code of all kernels is kept already; so it is where none can be."""
    folder = code_folder()
    return folder is None or (folder / _WHOLE).exists()


def note_kept() -> None:
    """Note that all kernels have been compiled into the folder."""
    folder = code_folder()
    if folder is not None:
        (folder / _WHOLE).touch()


@cache
def code_folder() -> Path | None:
    """Return the folder that keeps this program's machine code, or None where none can be written.

    Notes
    -----
    NUMBA_CACHE_DIR wins, then the package's own ``__pycache__``, then the user's cache folder. The folder's name holds
    a digest of the sources: numba looks at a kernel's own file only, and a function that it calls may have changed.
    """
    name = f"kernels-{_digest()}"
    for root in _roots():
        if _is_writable(root / name):
            _forget_old(root, name)
            return root / name
    return None


def _roots() -> Iterator[Path]:
    if told := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(told)
    yield _HERE / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or (
        os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    )
    yield (Path(base) if base else Path.home() / ".cache") / "pilothouse"


def _digest() -> str:
    """Return twelve digits of what machine code depends on: the compiler and every source with a kernel in it."""
    known = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_HERE.glob("*.py")):
        text = path.read_bytes()
        if b"@compiled(" in text:
            known.update(path.name.encode() + text)
    return known.hexdigest()[:12]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _forget_old(root: Path, name: str) -> None:
    """Remove all but the newest folders of other sources."""
    others = [path for path in root.glob("kernels-*") if path.name != name]
    for path in _newest_last(others)[:-_KEPT_FOLDERS]:
        shutil.rmtree(path, ignore_errors=True)


def _newest_last(folders: Sequence[Path]) -> list[Path]:
    def changed(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    return sorted(folders, key=changed)


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[None]:
    """Let numba choose `folder` for what is decorated inside, and leave its setting as it was."""
    config: Any = numba.config
    before = config.CACHE_DIR
    if folder is not None:
        config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before
