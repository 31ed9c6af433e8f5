"""Starts of the whole program; whatever a test leaves running is ended."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.program import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "pilot"


@pytest.fixture
def servers() -> Iterator[Callable[..., Server]]:
    """Make servers that are ended after the test, however it ends."""
    made: list[Server] = []

    def make(home: Path, **values: object) -> Server:
        made.append(Server(home, **values))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.stop(signal.SIGKILL)
