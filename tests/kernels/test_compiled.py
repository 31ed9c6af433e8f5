from pathlib import Path

import numpy as np
import pytest

from engine.kernels import compiled as home
from engine.kernels import fan
from engine.kernels.compiled import code_folder, compiled, warm


@pytest.fixture
def folder_of(monkeypatch):
    """What `code_folder` answers anew, with writable roots as told."""

    def find(writable=lambda _: True, told=None):
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        if told is not None:
            monkeypatch.setenv("NUMBA_CACHE_DIR", str(told))
        monkeypatch.setattr(home, "_is_writable", writable)
        return code_folder.__wrapped__()

    return find


def test_every_kernel_is_ready_after_warming_and_warming_again_is_free():
    assert fan.fan_prices, "importing the module registers its kernels"
    first, second = warm(), warm()
    assert first.n_kernels == second.n_kernels == len(home._registry) >= 3
    assert all(kernel.signatures for kernel, _ in home._registry), "each has its machine code"
    before = [len(kernel.signatures) for kernel, _ in home._registry]
    warm()
    assert [len(kernel.signatures) for kernel, _ in home._registry] == before


def test_a_kernel_computes_what_its_source_says():
    @compiled("float64(float64[::1])")
    def total(values: np.ndarray) -> float:
        found = 0.0
        for i in range(values.size):
            found += values[i]
        return found

    try:
        assert total(np.arange(4.0)) == 6.0
    finally:
        home._registry.pop()


def test_machine_code_lies_where_the_environment_says_then_beside_the_sources(folder_of, tmp_path):
    name = f"kernels-{home._digest()}"
    assert folder_of(told=tmp_path) == tmp_path / name
    assert folder_of() == Path(home.__file__).parent / "__pycache__" / name


def test_a_package_that_cannot_be_written_keeps_its_code_in_the_users_folder(
    folder_of, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = folder_of(writable=lambda path: tmp_path in path.parents)
    assert found == tmp_path / "pilothouse" / f"kernels-{home._digest()}"


def test_without_any_folder_kernels_compile_at_every_start(folder_of, monkeypatch):
    assert folder_of(writable=lambda _: False) is None
    monkeypatch.setattr(home, "code_folder", lambda: None)

    @compiled()
    def double(x: float) -> float:
        return 2.0 * x

    assert double(4.0) == 8.0


def test_a_file_where_a_folder_should_be_is_not_writable(tmp_path):
    (tmp_path / "file").write_text("")
    assert not home._is_writable(tmp_path / "file" / "below")
    assert home._is_writable(tmp_path / "new" / "below")


def test_code_of_other_sources_is_forgotten_but_for_the_newest(tmp_path):
    for i in range(8):
        (tmp_path / f"kernels-{i}").mkdir()
    home._forget_old(tmp_path, "kernels-0")
    left = {path.name for path in tmp_path.iterdir()}
    assert "kernels-0" in left
    assert len(left) == 1 + home._KEPT_FOLDERS


def test_numbas_own_setting_is_left_as_it_was():
    before = home.numba.config.CACHE_DIR
    with home._kept_in(Path("somewhere")):
        assert home.numba.config.CACHE_DIR == "somewhere"
    assert before == home.numba.config.CACHE_DIR
