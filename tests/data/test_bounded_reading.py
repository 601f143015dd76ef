"""What is read is a regular file of a stated size at most; more is refused before memory is taken."""

import gzip
import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from fnopt import data
from fnopt.data import _files, _text

MEMORY = 60 * 2**20  # bytes that a refusal may take


@pytest.fixture
def refused():
    """Check that a call is refused in these words, and takes little memory."""

    def check(words, call, *arguments):
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match=words):
                call(*arguments)
            assert tracemalloc.get_traced_memory()[1] < MEMORY
        finally:
            tracemalloc.stop()

    return check


def readers(path):
    return (
        lambda: data.read_csv(path, "y"),
        lambda: data.read_table(path, [data.Column("a")]),
        lambda: data.read_idx(path, path),
        lambda: data.read_npz(path),
    )


@pytest.mark.parametrize("kind", ["pipe", "link to a device"])
def test_only_regular_files_are_read(tmp_path, refused, kind):
    path = tmp_path / "data.csv"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    for read in readers(path):
        refused("is no regular file", read)


def test_a_file_that_is_too_large_is_refused_by_its_size(tmp_path, refused):
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,y\n1,0\n")
    os.truncate(path, 2**40)
    for read in readers(path)[:3]:
        refused("holds more than 2048 MB unpacked", read)


def test_a_gzip_file_that_says_it_is_too_large_is_refused(tmp_path, refused, monkeypatch):
    monkeypatch.setattr(_files.opened.__wrapped__, "__defaults__", (2**20,))
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a,y\n" + b"1,0\n" * 2**19))
    refused("holds more than 1 MB unpacked", lambda: data.read_csv(path, "y"))


BOMBS = {
    "rows": (b"a,y\n", b"1,0\n" * 2**20, "unpacks to more than 300 times its size"),
    "one line": (b"a,y\n", b"1" * 2**22, "unpacks to more than 300 times its size"),
    "zeros": (b"", bytes(2**22), "unpacks to more than 300 times its size"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_gzip_bomb_whose_last_part_lies_is_refused(tmp_path, refused, case):
    head, chunk, words = BOMBS[case]
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(head) + gzip.compress(chunk) * 64)
    refused(words, lambda: data.read_csv(path, "y"))


def test_the_first_look_at_a_gzip_file_unpacks_what_it_needs(tmp_path):
    """A wrong target is named although the rest of the file is damaged."""
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a,y\n" + os.urandom(2**18).hex().encode() + b",1\n")[:-9])
    with pytest.raises(ValueError, match="no target column 'z'"):
        data.read_csv(path, "z")
    with pytest.raises(ValueError, match=r"damaged gzip|more than 131072"):
        data.read_csv(path, "y")


def test_cells_and_lines_have_limits(tmp_path, refused, monkeypatch):
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,y\n" + b"1,0\n" * 30_000)
    monkeypatch.setattr(_text, "MOST_CELLS", 20_000)
    refused("more than 0 million cells", lambda: data.read_csv(path, "y"))
    path.write_bytes(b"a,y\n" + b"1" * (2**24 + 5))
    refused("a line of more than 16 million characters", lambda: data.read_csv(path, "y"))


def npz(path, shape, payload):
    """An .npz file whose x claims a shape."""
    member, y = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": shape})
    np.save(y, np.zeros(3))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", member.getvalue() + payload)
        archive.writestr("y.npy", y.getvalue())
    return path


def test_claims_of_an_npz_file_are_compared_with_it(tmp_path, refused, monkeypatch):
    path = npz(tmp_path / "a.npz", (10**12,), bytes(80))
    refused(r"array 'x' is not of its shape \(1000000000000,\)", data.read_npz, path)
    monkeypatch.setattr("fnopt.data.npz.LARGEST", 2**20)
    refused("holds more than 1 MB unpacked", data.read_npz, npz(tmp_path / "b.npz", (2**20,), bytes(2**23)))


@pytest.mark.parametrize("packed", [False, True])
def test_claims_of_an_idx_file_are_compared_with_it(tmp_path, refused, packed):
    raw = b"\0\0\x08\x03" + struct.pack(">3I", 60000, 2**15, 2**15)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    refused("is cut off: expected 64424509440016 bytes", data.read_idx, path, path)
