"""A sweep's folder under damage: any byte flipped, any length cut off: a clear error, or what was there before."""

import os
import random
import shutil
import warnings

import jax
import numpy as np
import pytest
from test_engine import KEY, blobs, sweep_of

import fnopt as fo
from fnopt.run.manifest import datasets
from fnopt.run.store import asked_of, table_csv
from fnopt.sweep.result import digest

FEW = fo.data.split(blobs(40), (0.6, 0.4), key=KEY)  # so that every byte can be tried


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A finished sweep in its folder, and the table of it."""
    folder = tmp_path_factory.mktemp("stored") / "s"
    sweep = sweep_of(2, path=folder, epochs=2, data=FEW)
    return folder, table_csv(sweep.table())


def copied(stored, tmp_path):
    """The folder again, to be damaged, and what it asks."""
    folder = tmp_path / "s"
    shutil.copytree(stored[0], folder)
    return folder, asked_of(folder)


def outcome(read):
    """What was read; None where it was refused with a clear error."""
    error = None
    try:
        return read()
    except ValueError as caught:
        error = str(caught)
    assert any(word in error for word in ("damaged", "altered", "format", "lacks")), error
    return None


def same_data(got, expected):
    return all(
        np.asarray(a).dtype == np.asarray(b).dtype and np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True)
    )


def test_every_byte_of_the_manifest(stored, tmp_path):
    folder, asked = copied(stored, tmp_path)
    file = folder / "sweep.json"
    data = file.read_bytes()
    unseen = []
    for place in range(len(data)):
        file.write_bytes(flipped(data, place, 1 << place % 8))
        got = outcome(lambda: asked_of(folder))
        assert got is None or got == asked, place
        unseen += [] if got is None else [data[place]]
    # Blanks between words, a 17th digit that rounds to the same number, and an exponent after E.
    assert {*unseen} <= {*b" \n0123456789e"}
    for length in range(len(data) - 1):  # the last byte is a line's end
        file.write_bytes(data[:length])
        assert outcome(lambda: asked_of(folder)) is None


def test_every_byte_of_the_data(stored, tmp_path):
    """Heads of the archive and of the arrays may say the same in other words; the numbers may not."""
    folder, asked = copied(stored, tmp_path)
    file = folder / "data.npz"
    data, expected = file.read_bytes(), datasets(folder, asked)
    payload = set()
    for part in FEW:
        for array in (part.x, part.y):
            start = data.find(np.asarray(array).tobytes())
            assert start > 0
            payload |= {*range(start, start + np.asarray(array).nbytes)}
    assert len(payload) == 40 * (4 * 4 + 4)
    chance = random.Random(0)
    for place in range(len(data)):
        file.write_bytes(flipped(data, place, 1 << chance.randrange(8)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the archive: an odd name
            got = outcome(lambda: datasets(folder, asked))
        assert got is None or same_data(got, expected), place
        assert got is None or place not in payload
    for length in range(len(data)):
        file.write_bytes(data[:length])
        assert outcome(lambda: datasets(folder, asked)) is None


def test_the_same_numbers_in_the_other_order_of_bytes_are_not_the_same_bytes():
    """What one bit of an array's head would make of it, where nothing else notices."""
    array = np.arange(6, dtype="<f4")
    assert digest(array.view(">f4")) != digest(array)
    assert digest(array.astype(">f4")) == digest(array)


def test_what_a_damaged_folder_says_when_it_is_opened(stored, tmp_path):
    folder, _ = copied(stored, tmp_path)
    for name in ("results.csv", "curves.csv"):  # for people and other programs; nothing is read back from them
        (folder / name).write_text("rubbish")
    assert table_csv(fo.open(folder).table()) == stored[1]
    newest = sorted(folder.glob("checkpoint-*.bin"))[-1]
    whole = newest.read_bytes()
    newest.write_bytes(flipped(whole, len(whole) - 1))
    with pytest.warns(UserWarning, match=f"{newest.name}.* is damaged.* is used instead"):
        again = fo.open(folder)
    assert not again.finished and table_csv(again.table()) == stored[1], "the state before: all lanes, not yet the end"
    for name, what in (("data.npz", np.asarray(FEW[0].x).tobytes()), ("sweep.json", b'"epochs": 2')):
        folder, _ = copied(stored, tmp_path / name)
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(flipped(whole, whole.index(what) + len(what) - 1))
        with pytest.raises(ValueError, match=rf"{name}.*(damaged|altered)"):
            fo.open(folder)


def flipped(data, place, bits=1):
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


def test_all_is_on_the_disk_before_it_has_a_name(tmp_path, monkeypatch):
    """Bytes of a file, then its name; the names in a folder, then the folder's own."""
    events = []
    sync, replace = os.fsync, os.replace

    def fsync(handle):
        events.append(("sync", os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))))
        sync(handle)

    def named(function):
        def call(source, target, **more):
            events.append(("name", os.path.basename(target)))
            return function(source, target, **more)

        return call

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", named(replace))
    folder = tmp_path / "parent" / "s"
    sweep_of(2, path=folder, epochs=2, data=FEW)
    data, asked = events.index(("name", "data.npz")), events.index(("name", "sweep.json"))
    assert events[data - 1][0] == events[data + 1][0] == "sync" and events[data + 1][1] == "s"
    assert data < asked and events[asked + 1] == ("sync", "s")
    assert any(event[0] == "sync" and event[1].startswith(".sweep.json.") for event in events[:asked])
    assert ("sync", "parent") in events[:data], "the folder has its name before anything is in it"
    last = len(events) - 1 - events[::-1].index(("name", "curves.csv"))
    assert events[last + 1] == ("sync", "s")
