"""What is shipped is whole: the built wheel, installed elsewhere, starts and serves its own files."""

import re
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import FAST, ROOT, Server


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the tools of this environment: nothing is fetched."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--wheel-dir", str(target), str(ROOT)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    (built,) = target.glob("pilothouse-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel unpacked as an installer would, and nothing of the checkout."""
    site = tmp_path_factory.mktemp("installed") / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
         "--disable-pip-version-check", "--target", str(site), str(wheel)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return site


def alone(installed: Path) -> str:
    """Return the beginning of a script that sees the installed wheel and other packages, not the checkout (-S)."""
    others = sysconfig.get_paths()["purelib"]
    return f"import sys; sys.path[:0] = [{str(installed)!r}]; sys.path.append({others!r}); "


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The installed program, started from another folder; the checkout is not on its path."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = (
        sys.executable,
        "-S",
        "-c",
        f"{alone(installed)}from dashboard.__main__ import run; sys.exit(run())",
    )
    running = Server(
        elsewhere / "pilot", settings=dict(FAST), command=command, folder=elsewhere
    )  # fmt: skip
    yield running.start()
    running.stop()


def fetched(server: Server, path: str) -> bytes:
    with urllib.request.urlopen(server.url + path, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def test_the_wheel_carries_code_bars_assets_and_notices_and_no_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"engine", "dashboard"}
    assert "dashboard/assets/live.js" in names
    assert [n for n in names if n.startswith("engine/data/") and not n.endswith((".py", ".md"))]
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert any(n.endswith("NOTICE.md") for n in names)
    assert "engine/adapters/journals/migrations/versions/r0001_start.py" in names


def test_the_wheel_has_every_asset_of_the_checkout(wheel: Path):
    shipped = {n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("dashboard/assets/")}
    listed = subprocess.run(
        ["git", "ls-files", "assets"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(listed) > 10
    assert {f"dashboard/{name}" for name in listed} <= shipped


def test_the_installed_program_is_the_wheels_and_not_the_checkouts(server: Server, installed: Path):
    assert server.process is not None
    maps = Path(f"/proc/{server.process.pid}/cwd")
    if maps.exists():
        assert maps.resolve() == server.folder
    script = (
        f"{alone(installed)}import dashboard, engine; print(dashboard.__file__, engine.__file__)"
    )
    probe = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=server.folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert [Path(f).is_relative_to(installed) for f in probe.stdout.split()] == [True, True]


def test_the_installed_program_trades_its_shipped_bars(server: Server):
    server.wait_for_bars(1)
    status = server.status()
    assert status["engine"]["state"] == "running"
    assert {"AAPL", "IBM", "SPX"} <= set(status["symbols"])


def test_the_installed_program_serves_every_file_its_page_asks_for(server: Server):
    page = fetched(server, "/").decode()
    asked = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert any("live.js" in path for path in asked)
    assert any("tokens.css" in path for path in asked)
    for path in asked:
        assert fetched(server, path.replace("&amp;", "&")), path


def test_a_library_call_leaves_the_current_folder_alone(server: Server):
    assert [p.name for p in server.folder.iterdir() if not p.name.startswith("pilot")] == []
