"""How a folder begins: one caller at a time, nothing of anybody's removed, what a dead process left cleared away."""

import errno
import os
import shutil
import threading
from contextlib import ExitStack

import pytest
from folder_cases import OTHER, SPACE, stored, sweep_of

import fnopt as fo
from fnopt.run import store
from fnopt.run.lock import Locked, locked
from fnopt.run.store import table_csv


@pytest.mark.parametrize("second", [SPACE, OTHER], ids=["the same sweep", "another sweep"])
@pytest.mark.parametrize("begun", ["absent", "empty"])
def test_two_callers_in_one_new_folder(tmp_path, second, begun):
    sweep_of()
    sweep_of(OTHER)  # both are compiled
    for k in range(3):
        folder, bar, said, refused = tmp_path / str(k), threading.Barrier(2), {}, []
        if begun == "empty":
            folder.mkdir()

        def call(who, space, folder=folder, bar=bar, said=said, refused=refused):
            bar.wait()
            try:
                said[who] = table_csv(sweep_of(space, path=folder).table())
            except ValueError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=call, args=(who, space)) for who, space in enumerate((SPACE, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said, "one of them is served"
        assert all("is held by" in why or "holds another sweep" in why for why in refused)
        assert {table_csv(fo.open(folder).table())} == set(said.values())


def test_a_slow_beginning_is_held_from_its_first_byte(tmp_path, monkeypatch):
    """While one caller writes its data, another that comes is refused, and finds nothing to remove."""
    (_, right), write, refused = stored(), store.save_arrays, []

    def slow(handle, arrays):
        with pytest.raises(ValueError, match="is held by this process"):
            sweep_of(OTHER, path=tmp_path / "s")
        refused.append(sorted(os.listdir(tmp_path / "s"))[0])
        write(handle, arrays)

    monkeypatch.setattr(store, "save_arrays", slow)
    sweep = sweep_of(path=tmp_path / "s")
    assert sweep.finished and refused[0] == ".data.npz." + refused[0].split(".")[-2] + ".tmp"
    assert table_csv(fo.open(tmp_path / "s").table()) == right


def test_what_a_dead_process_left_is_cleared_by_the_next_call(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    shutil.copy(stored()[0] / "data.npz", folder / "data.npz")
    for name in (".sweep.json.0123456789abcdef.tmp", ".data.npz.0123456789abcdef.tmp"):
        (folder / name).write_bytes(b"half")
    assert sweep_of(path=folder).finished
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == [".lock"]
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("name", ["data.npz", "mine.csv", ".sweep.json.mine.tmp", "coarse"])
def test_nothing_is_written_where_something_else_is(tmp_path, name):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / name).write_text("mine")
    with pytest.raises(ValueError, match=r"holds something else than a sweep .*: choose another folder$"):
        sweep_of(path=tmp_path / "s")
    assert [p.name for p in (tmp_path / "s").iterdir()] == [name]


def test_a_mistake_leaves_an_empty_folder_as_it_was(tmp_path, monkeypatch):
    from fnopt.run import conduct

    def fails(*_, **__):
        raise MemoryError("too much")

    monkeypatch.setattr(conduct, "run_field", fails)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(MemoryError):
            sweep_of(path=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["empty"] and not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize("name", ["data.npz", "sweep.json"])
def test_a_disk_that_refuses_while_a_folder_begins_leaves_nothing(tmp_path, monkeypatch, name):
    replace = os.replace

    def full(source, target, **where):
        if target == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target, **where)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            sweep_of(path=tmp_path / "s")
    assert not list(tmp_path.iterdir())
    assert table_csv(sweep_of(path=tmp_path / "s").table()) == stored()[1]


def test_a_folder_that_another_begins_in_between_two_looks_is_held(tmp_path, monkeypatch):
    with ExitStack() as other:
        as_ever = store.is_sweep

        def meanwhile(folder):
            monkeypatch.setattr(store, "is_sweep", as_ever)
            other.enter_context(locked(tmp_path))
            (tmp_path / "data.npz").write_bytes(b"begun")
            return False

        monkeypatch.setattr(store, "is_sweep", meanwhile)
        with pytest.raises(Locked, match="is held by this process"), store.hold(tmp_path):
            pass
