"""The documents are true: their snippets run, their links lead somewhere, their commands exist."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)]+)\)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "path", [d for d in DOCUMENTS if SNIPPET.search(d.read_text(encoding="utf-8"))], ids=named
)
def test_the_snippets_of_a_document_run_one_after_another(path: Path) -> None:
    names: dict[str, object] = {"__name__": "snippet"}
    for code in SNIPPET.findall(path.read_text(encoding="utf-8")):
        exec(compile(code, named(path), "exec"), names)  # noqa: S102 -- the project's own documents


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_to_a_file(path: Path) -> None:
    missing = [
        target
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


def test_the_readme_names_commands_that_the_package_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "pilothouse" in project["scripts"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"^pilothouse (\w+)", readme, re.MULTILINE))
    assert used == {"serve", "status"}


def test_the_settings_page_lists_every_variable() -> None:
    from engine.settings import VARIABLES

    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert [name for name in VARIABLES.values() if f"`{name}`" not in text] == []
