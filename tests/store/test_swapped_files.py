"""A folder with files of another sweep, links in place of files, other modes: named, or left out; never shown."""

import json
import os
import shutil
import stat

import pytest
from folder_cases import Stops, stored, sweep_of

import fnopt as fo
from fnopt.run.manifest import identity_of, text_digest
from fnopt.run.store import table_csv


def copied(tmp_path, which="mine"):
    return shutil.copytree(stored(which)[0], tmp_path / "s")


def newest(folder):
    return sorted(folder.glob("checkpoint-*.bin"))[-1]


@pytest.mark.parametrize("how", [shutil.copy, os.symlink])
def test_a_state_of_another_sweep_is_left_out(tmp_path, how):
    folder = copied(tmp_path)
    mine, other = newest(folder), newest(stored("other")[0])
    mine.unlink()
    how(other, folder / mine.name)
    if other.name != mine.name:  # a generation is known by its number
        return
    with pytest.warns(UserWarning, match="is of another sweep|is a link"):
        assert table_csv(fo.open(folder).table()) == stored()[1]
    with pytest.warns(UserWarning, match="is of another sweep|is a link"):
        again = sweep_of(path=folder)
    assert table_csv(again.table()) == stored()[1] == (folder / "results.csv").read_text()


@pytest.mark.parametrize("damage", [lambda text: b"", lambda text: text[:30], lambda text: stored("other")[1].encode()])
@pytest.mark.parametrize("name", ["results.csv", "curves.csv"])
def test_tables_are_made_from_the_state(tmp_path, name, damage):
    folder = copied(tmp_path)
    right = (folder / name).read_bytes()
    (folder / name).write_bytes(damage(right))
    os.utime(folder / name, (4e9, 4e9))  # a clock that went back since
    assert sweep_of(path=folder).attached and (folder / name).read_bytes() == right


LINKS = {
    "link": lambda path, victim: path.symlink_to(victim),
    "dangling": lambda path, victim: path.symlink_to(victim.with_name("made")),
    "folder": lambda path, victim: path.mkdir(),
    "pipe": lambda path, victim: os.mkfifo(path),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("name", [".lock", "sweep.json", "data.npz", "results.csv", "curves.csv"])
def test_nothing_but_a_regular_file_is_read_or_replaced(tmp_path, name, kind):
    folder, victim = copied(tmp_path), tmp_path / "victim.txt"
    victim.write_text("my only copy")
    (folder / name).unlink()
    LINKS[kind](folder / name, victim)
    with pytest.raises((ValueError, OSError), match=f"{name}' is a (link|folder|pipe)|missing or damaged"):
        sweep_of(path=folder)
    assert victim.read_text() == "my only copy" and not victim.with_name("made").exists()
    assert stat.S_IFMT(os.lstat(folder / name).st_mode) != stat.S_IFREG


def test_a_lock_with_other_words_in_it_is_left_as_it_is(tmp_path):
    folder = copied(tmp_path)
    (folder / ".lock").write_text("my notes")
    assert sweep_of(path=folder).attached and (folder / ".lock").read_text() == "my notes"
    (folder / ".lock").unlink()
    (tmp_path / "two").write_text('{"pid": 1, "host": "h"}')
    os.link(tmp_path / "two", folder / ".lock")
    assert sweep_of(path=folder).attached and (tmp_path / "two").read_text() == '{"pid": 1, "host": "h"}'


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_modes_follow_the_umask_and_an_old_files_mode_stays(tmp_path, mask):
    before = os.umask(mask)
    try:
        sweep_of(path=tmp_path / "s")
        for path in (tmp_path / "s").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask, path
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o777 & ~mask
        (tmp_path / "s" / "results.csv").write_text("")
        os.chmod(tmp_path / "s" / "results.csv", 0o640)
        sweep_of(path=tmp_path / "s")
        assert stat.S_IMODE((tmp_path / "s" / "results.csv").stat().st_mode) == 0o640
    finally:
        os.umask(before)


MOVES = {
    "renamed": lambda path: path.rename(path.with_name("moved")),
    "removed": lambda path: shutil.rmtree(path),
    "replaced": lambda path: (path.rename(path.with_name("moved")), path.mkdir()),
    "elsewhere": lambda path: os.chdir(path.parent.parent),
}


@pytest.mark.parametrize("how", MOVES)
def test_results_go_into_the_folder_that_was_locked(tmp_path, monkeypatch, how):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folder = tmp_path / "here" / "s"
    call = lambda: sweep_of(path="s", progress=Stops(1, lambda: MOVES[how](folder)), threads=1)  # noqa: E731
    if how == "removed":
        with pytest.raises(OSError, match="could not write"):
            call()
        assert not folder.exists()
        return
    if how == "elsewhere":
        assert call().finished and not (tmp_path / "s").exists()
        kept = folder
    else:
        with pytest.warns(UserWarning, match="'s' was moved, removed or replaced while the sweep ran"):
            assert call().finished
        kept = folder.with_name("moved")
        assert not folder.exists() or not list(folder.iterdir())
    assert table_csv(fo.open(kept).table()) == stored()[1] == (kept / "results.csv").read_text()


FORGED = {
    "another type": lambda asked: asked.update(seeds="1"),
    "nothing": lambda asked: asked.pop("options"),
    "negative": lambda asked: asked.update(epochs=-3),
    "huge": lambda asked: asked.update(epochs=10**400),
    "a list for a name": lambda asked: asked["model"].update(kind=["classifier"]),
    "no configuration": lambda asked: asked.update(configs=[]),
    "a word for a configuration": lambda asked: asked.update(configs=["lr"]),
    "a key of nothing": lambda asked: asked["key"].update(data=[]),
    "an unknown key": lambda asked: asked["key"].update(impl="mine"),
    "notes that are text": lambda asked: asked.update(notes="x"),
    "a schedule nobody knows": lambda asked: asked["model"].update(
        numbers={"dict": {"lr": {"schedule": "print", "fields": {}}}}
    ),
    "a width of nothing": lambda asked: asked.update(widths=[0]),
    "a million units": lambda asked: asked["configs"][0]["dict"].update(hidden={"tuple": [2**60]}),
}


@pytest.mark.parametrize("sign", ["identity too", "digest alone"])
@pytest.mark.parametrize("change", FORGED)
def test_a_forged_manifest_is_one_line(tmp_path, change, sign):
    from fnopt.run.manifest_schema import APART

    folder = copied(tmp_path)
    asked = json.loads((folder / "sweep.json").read_text())
    del asked["digest"]
    FORGED[change](asked)
    if sign == "identity too":
        asked["identity"] = identity_of({k: v for k, v in asked.items() if k not in APART})
    asked["digest"] = text_digest(asked)
    (folder / "sweep.json").write_text(json.dumps(asked))
    for act in (lambda: fo.open(folder), lambda: sweep_of(path=folder)):
        with pytest.raises(
            ValueError, match=r"altered|damaged|another sweep|other configurations|cannot be continued"
        ) as caught:
            act()
        assert str(caught.value).count("\n") == 0 and str(folder) in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "9" * 10_000, "\ud800", "null"])
@pytest.mark.parametrize("name", ["sweep.json"])
def test_json_that_is_too_deep_or_none_is_one_line(tmp_path, name, text):
    folder = copied(tmp_path)
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r"damaged|format"):
        fo.open(folder)
