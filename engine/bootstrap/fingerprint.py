"""What makes a run repeatable: seed, configuration, data and code, each as a short hash and all as one."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENGINE = Path(__file__).parents[1]
HASH_CHARS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The four things that a run is a function of.

    Parameters
    ----------
    config_hash, data_hash, code_hash : str
        Short hashes; equal hashes stand for equal content.
    """

    seed: int
    config_hash: str
    data_hash: str
    code_hash: str

    def __str__(self) -> str:
        """Return the one hash of all four, in groups of four for reading aloud."""
        whole = short_hash(
            f"{self.seed}|{self.config_hash}|{self.data_hash}|{self.code_hash}".encode()
        )
        return "-".join(whole[k : k + 4] for k in range(0, HASH_CHARS, 4))


def short_hash(raw: bytes) -> str:
    """Return the first characters of the SHA-256 of some bytes."""
    return hashlib.sha256(raw).hexdigest()[:HASH_CHARS]


@cache
def code_hash(root: Path = ENGINE) -> str:
    """Return the hash of every Python source of the engine, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:HASH_CHARS]
