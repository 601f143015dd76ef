"""Columns far from zero keep their digits on the way in: moments and scaling in float64, types as they came."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

Z = np.random.default_rng(0).normal(size=(200, 3))
SECONDS = 1_700_000_000 + np.arange(200)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9, 1e12, -1e12])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
def test_scaled_columns_do_not_depend_on_their_offset(offset, spread):
    if abs(offset) > 1e12 * spread:
        return  # float64 itself is too coarse
    x = offset + spread * Z
    centred = x - x.mean(axis=0)  # of the numbers as float64 has them
    expected = (centred - centred.mean(axis=0)) / centred.std(axis=0)
    scale = fo.data.standardizer(x)
    np.testing.assert_allclose(scale.scale, centred.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale(x), expected, atol=1e-6 + 1e-16 * abs(offset) / spread)
    np.testing.assert_allclose(scale(fo.data.dataset(x, SECONDS).x), scale(x), rtol=0, atol=0)
    np.testing.assert_allclose(
        scale.inverse(scale(x)) - offset, x - offset, atol=1e-6 * max(spread, 1e-9 * abs(offset))
    )


@pytest.mark.parametrize("unit", [1e-50, 1e-30, 1e30, 1e37])
def test_columns_of_any_size_are_scaled(unit):
    np.testing.assert_allclose(fo.data.standardizer(unit * Z)(unit * Z), fo.data.standardizer(Z)(Z), rtol=1e-5)


EXACT = {  # what comes, and whether a device holds every number of it
    "halves": (Z.round(1) * 10 / 2, True, jnp.float32),
    "float32": (Z.astype(np.float32), True, jnp.float32),
    "float16": (Z.astype(np.float16), True, jnp.float16),
    "big-endian": (Z.astype(">f4"), True, jnp.float32),
    "small integers": (np.arange(6).reshape(3, 2), True, jnp.int32),
    "bytes": (np.arange(6, dtype=np.uint8).reshape(3, 2), True, jnp.uint8),
    "yes or no": (Z > 0, True, bool),
    "any float64": (Z, False, np.float64),
    "seconds": (SECONDS[:, None] + 0.5, False, np.float64),
    "below float32": (np.array([[1e-50], [2e-50]]), False, np.float64),
    "flushed to 0": (np.array([[2.0**-140], [1.0]]), False, np.float64),
    "large integers": (np.array([[2**40], [1]]), False, np.int64),
    "larger integers": (np.array([[2**64 - 1], [1]], np.uint64), False, np.uint64),
}


@pytest.mark.parametrize("name", EXACT)
def test_inputs_keep_every_number(name):
    x, exact, dtype = EXACT[name]
    made = fo.data.dataset(x, np.arange(len(x)) % 2).x
    assert made.dtype == dtype and isinstance(made, jax.Array if exact else np.ndarray)
    assert np.asarray(made).astype(x.dtype).tobytes() == np.ascontiguousarray(x).tobytes()


def test_what_stays_on_the_host_is_a_copy_that_nobody_writes_to():
    x = Z.copy()
    data = fo.data.dataset(x, SECONDS)
    x[:] = 0
    np.testing.assert_array_equal(data.x, Z)
    with pytest.raises(ValueError, match="read-only"):
        data.x[0, 0] = 1.0


@pytest.mark.parametrize("y", [1e9 + Z[:, 0], SECONDS, 1e-40 * Z[:, :2], np.array([2**40, -(2**40)] * 100)])
def test_targets_keep_every_number(y):
    kept = fo.data.dataset(Z, y).y
    assert np.array_equal(np.asarray(kept).astype(y.dtype), y)


def test_a_memory_map_stays_one(tmp_path):
    np.save(tmp_path / "x.npy", 1e9 + Z)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = fo.data.dataset(mapped, SECONDS % 2)
    assert isinstance(data.x, np.memmap)
    np.testing.assert_allclose(fo.data.standardizer(data.x)(data.x), fo.data.standardizer(Z)(Z), atol=1e-6)
    (train, dev), made = fo.data.folds(data, 2).parts(data)[0], next(fo.data.batches(data, 5, sampling="order"))
    assert isinstance(train.x, np.ndarray) and len(dev) == 100 and made.x.shape == (5, 3)


def test_a_file_keeps_every_number(tmp_path):
    y = 1e9 + Z[:, 0]
    lines = [f"{a},{b!r}" for a, b in zip(SECONDS, y.tolist(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["t,y", *lines]) + "\n")
    data = fo.data.read_csv(tmp_path / "t.csv", target="y")
    assert np.array_equal(np.asarray(data.x)[:, 0], SECONDS) and np.array_equal(data.y, y)
    assert np.array_equal(np.asarray(fo.data.read_table(tmp_path / "t.csv", data.columns))[:, 0], SECONDS)
    for kind in ("pandas", "polars"):
        frame = pytest.importorskip(kind).DataFrame({"t": SECONDS, "u": y})
        assert np.array_equal(fo.data.dataset(frame, SECONDS).x, np.stack([SECONDS, y], axis=1))


def ulps(value, steps, dtype):
    """``value`` and a number so many steps above, ten of each."""
    low = high = np.array(value, dtype)
    for _ in range(steps):
        high = np.nextafter(high, np.array(np.inf, dtype))
    return np.repeat(np.stack([low, high]), 10)


NEAR = [  # (column, whether it is constant): rounding alone is no variation, and whole numbers are never rounded
    *((ulps(v, 1, np.float32), True) for v in (14.62, 1e-20, -3.3e3 / 7, 0.1)),
    *((ulps(v, 2, np.float64), True) for v in (14.62, 1e-20, -3.3e3 / 7, 0.1)),
    (np.float32([16777214, 16777216] * 10), False),
    (np.arange(20.0) + 1e12, False),
    (np.float32(1e6) + np.arange(20, dtype=np.float32) / 8, False),
    (np.array([1e9, 1e9 + 1e-3] * 10), False),
    (np.array([1e15, 1e15 + 1] * 10), False),
    (np.int64(2**52) + np.arange(20), False),
]


@pytest.mark.parametrize("k", range(len(NEAR)))
def test_a_column_constant_up_to_rounding_gives_zero(k):
    column, constant = NEAR[k]
    for scale in (fo.data.standardizer(column[:, None]), fo.data.standardizer(column[:, None], np.arange(1.0, 21.0))):
        z = np.asarray(scale(column[:, None]))
        assert (scale.scale[0] == 0) == constant and (not z.any() if constant else np.ptp(z) > 1.5)


@pytest.mark.parametrize("average", [1e-10, 1.0, 1e10])
def test_near_constant_columns_are_scikit_learns(average):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    sizes = 10.0 ** np.arange(-30, 4)  # of the deviation
    for rows in (10, 100, 1000):
        signs = np.where(np.arange(rows) % 2, 1.0, -1.0)[:, None]
        x = average + signs * sizes
        theirs = preprocessing.StandardScaler().fit(x)
        constant = theirs.scale_ == 1  # of what is constant
        np.testing.assert_array_equal(fo.data.standardizer(x).scale == 0, constant & (sizes != 1))


def test_a_weight_is_so_many_copies():
    x, w = 1e9 + Z, np.arange(200) % 4
    a, b = fo.data.standardizer(x, w), fo.data.standardizer(np.repeat(x, w, axis=0))
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-15)
    np.testing.assert_allclose(a.scale, b.scale, rtol=1e-7)


def test_the_jitted_step_of_a_hand_written_loop_moves_nothing():
    """Data that a device holds exactly are scaled once, and then live there."""
    data = fo.data.digits()
    scale = fo.data.standardizer(data.x)
    data = data._replace(x=scale(data.x))
    step = jax.jit(lambda w, x, y: w - jax.grad(lambda w: ((x @ w - y) ** 2).mean())(w))
    w, y = jnp.zeros(64), data.y.astype(jnp.float32)
    w = step(w, data.x, y)
    with jax.transfer_guard("disallow"):
        step(w, data.x, y).block_until_ready()
