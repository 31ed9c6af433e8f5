from dataclasses import replace
from pathlib import Path

import pytest

from engine.bootstrap.fingerprint import Fingerprint, code_hash

BASE = Fingerprint(seed=7, config_hash="c", data_hash="d", code_hash="e")


@pytest.mark.parametrize(
    ("field", "value"), [("seed", 8), ("config_hash", "x"), ("data_hash", "x"), ("code_hash", "x")]
)
def test_each_of_the_four_changes_the_fingerprint(field: str, value: object) -> None:
    assert str(replace(BASE, **{field: value})) != str(BASE)


def test_equal_parts_give_the_equal_fingerprint() -> None:
    assert str(replace(BASE)) == str(BASE)


def test_the_code_hash_follows_content_and_names(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    for folder, name, text in ((first, "m.py", "1"), (second, "m.py", "2"), (third, "n.py", "1")):
        folder.mkdir()
        (folder / name).write_text(text)
    assert len({code_hash(first), code_hash(second), code_hash(third)}) == 3
