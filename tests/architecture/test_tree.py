"""What the tree promises: its top level, its commands, its secrets, its clock."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "dashboard", "engine", "assets", "tests", "Dockerfile", "LICENSE", "README.md",
     "CHANGELOG.md", "Makefile", ".ci/run", "requirements.lock", "requirements-dev.lock"],
)  # fmt: skip
def test_the_top_level_holds(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_readme_names_the_two_commands_and_the_makefile_has_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("run", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)


SECRET = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_[0-9A-Za-z]{36}|sk-[0-9A-Za-z]{32,})"
)


def test_no_file_holds_a_secret() -> None:
    assert SECRET.search("AKIA" + "A" * 16), "the pattern must be able to find one"
    texts = [
        p
        for p in tracked()
        if p.suffix in {".py", ".toml", ".md", ".yaml", ".yml", ".js", ".css", ".lock"}
    ]
    assert [p for p in texts if SECRET.search(p.read_text(encoding="utf-8"))] == []


MACHINE_PATH = re.compile(r"(/home/\w+/|/root/|/work/|C:\\\\Users)")


def test_no_file_names_a_path_of_a_machine() -> None:
    assert MACHINE_PATH.search("/home/" + "somebody/project"), (
        "the pattern must be able to find one"
    )
    texts = [
        p
        for p in tracked()
        if p.suffix in {".py", ".toml", ".md", ".js", ".css"} and p != Path(__file__)
    ]
    assert [p for p in texts if MACHINE_PATH.search(p.read_text(encoding="utf-8"))] == []


CLOCK_CALLS = {
    ("time", "time"),
    ("time", "monotonic"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
}
MAY_ASK_THE_TIME = {
    "engine/strategies/base.py",  # stamps a signal at the edge when the caller gave no `now`
}


def clock_calls(path: Path) -> list[int]:
    calls = [
        n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)
    ]
    return [
        c.lineno for c in calls
        if isinstance(c.func, ast.Attribute) and isinstance(c.func.value, ast.Name)
        and (c.func.value.id, c.func.attr) in CLOCK_CALLS
    ]  # fmt: skip


def test_nothing_in_the_engine_but_an_adapter_asks_for_the_time() -> None:
    sources = [p for p in (ROOT / "engine").rglob("*.py") if "adapters" not in p.parts]
    assert sources
    offenders = {
        str(p.relative_to(ROOT)): lines
        for p in sources
        if str(p.relative_to(ROOT)) not in MAY_ASK_THE_TIME and (lines := clock_calls(p))
    }
    assert offenders == {}


def test_the_search_for_clock_calls_finds_one(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("import time\ntime.time()\n")
    assert clock_calls(sample) == [2]
