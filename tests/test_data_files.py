"""Binary files: IDX and npz."""

import gzip
import os
import struct
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt import data

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
FILES = Path(os.environ.get("FNOPT_DATA", "data"))  # public data, where somebody keeps them


def idx(a):
    """The bytes of an IDX file, written from the format's description."""
    head = bytes([0, 0, CODES[a.dtype.str[1:]], a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape)
    return head + a.astype(a.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def put(tmp_path):
    """Write two files and give their paths."""

    def put(images, labels):
        paths = tmp_path / "images", tmp_path / "labels"
        for path, raw in zip(paths, (images, labels), strict=True):
            path.write_bytes(raw if isinstance(raw, bytes) else idx(raw))
        return paths

    return put


IMAGES, LABELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([7, 1], np.uint8)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    kind=st.sampled_from(sorted(CODES)),
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    labels=st.sampled_from(["u1", "i1", "i2", "i4"]),
    squeeze=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_is_written_is_read_back(tmp_path_factory, kind, shape, labels, squeeze, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 100, shape).astype(kind)
    y = rng.integers(0, 10, shape[0]).astype(labels)
    folder = tmp_path_factory.mktemp("idx")
    for name, a in (("images.gz", x), ("labels", y)):
        raw = gzip.compress(idx(a), mtime=0) if squeeze else idx(a)
        (folder / name).write_bytes(raw)
    made = data.read_idx(folder / "images.gz", folder / "labels")
    np.testing.assert_array_equal(made.x, x.reshape(shape[0], -1))
    np.testing.assert_array_equal(made.y, y)
    assert (made.x.dtype, made.y.dtype) == (jnp.float32, jnp.int32)


BAD = {
    "not IDX": (b"PNG and more", LABELS, "images is not an IDX file: expected the bytes"),
    "empty": (b"", LABELS, "images is not an IDX file"),
    "unknown type": (b"\0\0\x0a\x01" + bytes(8), LABELS, r"not an IDX file: .*got \[0, 0, 10, 1\]"),
    "no axes": (b"\0\0\x08\0", LABELS, "not an IDX file"),
    "half a header": (idx(IMAGES)[:10], LABELS, "images is cut off: expected 16 bytes of header, got 10"),
    "cut off": (idx(IMAGES)[:-1], LABELS, r"images is cut off: expected 40 bytes for shape \(2, 3, 4\), got 39"),
    "too long": (idx(IMAGES) + b"0", LABELS, "images goes on after its end: expected 40"),
    "counts": (IMAGES, np.zeros(3, np.uint8), "images holds 2 examples, .*labels holds 3 labels"),
    "swapped": (LABELS, IMAGES, "labels must hold one whole-number label"),
    "labels twice": (LABELS, LABELS, "are the two swapped"),
    "fractional labels": (IMAGES, np.zeros(2, np.float32), "labels must hold one whole-number label"),
    "nothing": (np.zeros((0, 3), np.uint8), np.zeros(0, np.uint8), "holds no numbers"),
    "gigantic": (b"\0\0\x08\x03" + b"\xff" * 12, LABELS, "is cut off"),
    "damaged gzip": (gzip.compress(idx(IMAGES), mtime=0)[:-6], LABELS, "damaged gzip"),
    "infinite": (np.full((2, 3), np.inf, np.float32), LABELS, "row 0, column 0: inf"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_idx(put, case):
    images, labels, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        data.read_idx(*put(images, labels))


def test_no_idx(tmp_path, put):
    images, _ = put(IMAGES, LABELS)
    with pytest.raises(FileNotFoundError, match="did you mean 'labels'"):
        data.read_idx(images, tmp_path / "label")


@pytest.mark.skipif(not (FILES / "mnist").is_dir(), reason="the files of MNIST are not here")
def test_mnist():
    made = data.read_idx(FILES / "mnist/t10k-images-idx3-ubyte.gz", FILES / "mnist/t10k-labels-idx1-ubyte.gz")
    assert made.x.shape == (10000, 784)
    assert (float(made.x.min()), float(made.x.max())) == (0, 255)
    assert np.bincount(made.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_npz(tmp_path):
    path = tmp_path / "toy.npz"
    np.savez_compressed(path, x_train=np.eye(3), y_train=np.array(["a", "b", "a"]), w=np.ones(3))
    made = data.read_npz(path, x="x_train", y="y_train", weight="w")
    np.testing.assert_array_equal(made.x, np.eye(3))
    assert (made.y.tolist(), made.classes, made.name, made.weight.tolist()) == ([0, 1, 0], ("a", "b"), "toy", [1, 1, 1])
    with pytest.raises(ValueError, match=r"unknown array in .*toy.npz: 'x'; known: w, x_train, y_train"):
        data.read_npz(path)


def test_bad_npz(tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"not an \.npz file"):
        data.read_npz(path)
    np.savez(path, x=np.array([[{}]], object), y=np.zeros(1))
    with pytest.raises(ValueError, match="holds Python objects"):
        data.read_npz(path)
    np.savez(path, x=np.array([[1.0, np.nan]]), y=np.zeros(1))
    with pytest.raises(ValueError, match="row 0, column 1: nan"):
        data.read_npz(path)
    with pytest.raises(FileNotFoundError, match="no file"):
        data.read_npz(tmp_path / "none.npz")
    np.savez(path, x=np.eye(99), y=np.zeros(99))
    raw = bytearray(path.read_bytes())
    raw[300] ^= 255
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="is damaged"):
        data.read_npz(path)
