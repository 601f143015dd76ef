"""Programs on the disk: a second process takes what the first compiled, and no other user's programs are loaded."""

import os
import subprocess
import sys

import pytest

from fnopt._programs import MOST, SETTINGS, _trim, keep_programs

COUNT = """
import sys, collections, jax.monitoring as monitoring
seen = collections.Counter()
monitoring.register_event_listener(lambda event, **_: seen.update([event.split("/")[-1]]))
from fnopt.cli.entry import run
code = run(sys.argv[1:])
print(code, seen["cache_misses"], seen["cache_hits"], file=sys.stderr)
"""
SPACE = 'lr = {log_uniform = [1e-3, 1e-1]}\nhidden = [4]\noptimizer = "momentum"\nbatch_size = 16\n'


def test_the_second_command_compiles_nothing_that_the_first_compiled(tmp_path):
    (tmp_path / "space.toml").write_text(SPACE)
    unset = {"JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"}
    about = {name: value for name, value in os.environ.items() if name not in unset}
    about |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    counts = []
    for out in ("one", "two"):
        told = ["sweep", "iris", "--space", "space.toml", "--n", "2", "--epochs", "1", "--out", out]
        made = subprocess.run(
            [sys.executable, "-c", COUNT, *told], env=about, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert len(made.stderr.splitlines()) == 1, made.stderr
        counts.append([*map(int, made.stderr.split())])
    (zero, first, none), (again, missed, hits) = counts
    assert zero == again == none == missed == 0 and first == hits > 5
    for name in ("results.csv", "curves.csv", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.fixture
def settings():
    import jax

    before = {name: getattr(jax.config, name) for name in SETTINGS}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.usefixtures("settings")
def test_a_folder_that_others_can_write_is_refused_or_emptied(tmp_path):
    kept = keep_programs(tmp_path / "mine")
    assert kept.stat().st_mode & 0o777 == 0o700
    (kept / "planted").write_text("x")
    kept.chmod(0o777)
    assert keep_programs(tmp_path / "mine") == kept and not list(kept.iterdir()) and kept.stat().st_mode & 0o77 == 0
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(ValueError, match=r"others can write in .*open"):
        keep_programs(open_to_all)
    kept.rmdir()
    kept.symlink_to(open_to_all)
    with pytest.raises(ValueError, match="not this user's own folder"):
        keep_programs(tmp_path / "mine")


def test_the_oldest_programs_go_first(tmp_path):
    for k in range(4):
        with (tmp_path / f"{k}").open("wb") as file:
            file.truncate(MOST // 2 - 1)
        os.utime(tmp_path / f"{k}", (k, k))
    (tmp_path / "empty").touch()
    _trim(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
