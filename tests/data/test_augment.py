"""Augmentations against NumPy, SciPy and plain slices, row D5."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import fnopt as fo

a = fo.data.augment
KEY = jax.random.key(5)
RNG = np.random.default_rng(0)
B, H, W = 12, 7, 6
SHAPES = {"NHW": (B, H, W), "NHWC": (B, H, W, 3)}


def pictures(shape=(B, H, W), dtype=np.float32):
    return RNG.uniform(0.5, 99, shape).astype(dtype)


def uniform(shape, low=0.0, high=1.0):
    return np.asarray(jax.random.uniform(KEY, shape, minval=low, maxval=high))


def flipped(x, p, axis=1):
    return np.stack([np.flip(one, axis) if u < p else one for one, u in zip(x, uniform((len(x),)), strict=True)])


def zoomed(x, z):
    """Bilinear in float64 by SciPy, each channel its own."""
    out = np.zeros(x.shape)
    centre = np.array([(H - 1) / 2, (W - 1) / 2])[:, None, None]
    places = np.mgrid[0:H, 0:W]
    for i, f in enumerate(1 + z * uniform((len(x),), -1, 1).astype(np.float64)):
        at = centre + (places - centre) / f
        for c in range(x.shape[3] if x.ndim == 4 else 1):
            where = (i, ..., c) if x.ndim == 4 else i
            out[where] = map_coordinates(x[where].astype(np.float64), at, order=1, mode="grid-constant")
    return out


def cropped(x, share):
    """A window of the picture with a margin of zeros."""
    u, out = uniform((2, len(x))), []
    for i, one in enumerate(x):
        margins = [round(share * side) for side in (H, W)]
        padded = np.pad(one, [(r, r) for r in margins] + [(0, 0)] * (one.ndim - 2))
        top, left = (int(u[k, i] * (2 * r + 1)) for k, r in enumerate(margins))
        out.append(padded[top : top + H, left : left + W])
    return np.stack(out)


def windows(x, share, size=(4, 3)):
    u, out = uniform((2, len(x))), []
    for i, one in enumerate(x):
        begins = []
        for k, (side, new) in enumerate(zip((H, W), size, strict=True)):
            room = side - new
            begins.append(room // 2 + round(share * (int(u[k, i] * (room + 1)) - room // 2)))
        out.append(one[begins[0] : begins[0] + size[0], begins[1] : begins[1] + size[1]])
    return np.stack(out)


def noisy(x, s):
    return x + s * np.asarray(jax.random.normal(KEY, x.shape, np.float32), np.float64)


# augmentation, oracle, strengths, tolerance
ORACLES = {
    "flip": (a.flip, flipped, (0.3, 1.0), 0),
    "flip_vertical": (a.flip_vertical, lambda x, p: flipped(x, p, 0), (0.3, 1.0), 0),
    "zoom": (a.zoom, zoomed, (0.1, 0.6, 0.99), 2e-4),
    "crop": (a.crop, cropped, (0.2, 0.5, 0.95), 0),
    "crop_to": (a.crop_to((4, 3)), windows, (0.0, 0.5, 1.0), 0),
    "noise": (a.noise, noisy, (0.1, 3.0), 1e-5),
}
KEEPING = [name for name in ORACLES if name != "crop_to"]


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_equals_its_oracle(name, shape):
    augment, oracle, strengths, tolerance = ORACLES[name]
    x = pictures(SHAPES[shape])
    for strength in strengths:
        got = augment(KEY, x, {name: strength})
        assert got.dtype == x.dtype
        np.testing.assert_allclose(got, oracle(x, strength), rtol=0, atol=tolerance)
    assert not np.array_equal(got, augment.evaluated(x))  # it did something


@pytest.mark.parametrize("name", KEEPING)
def test_strength_0_is_the_identity_to_the_bit(name):
    x = pictures()
    x[0, 0, :3] = -0.0, 1e-38, 3e38
    for given in (x, x.astype(jnp.bfloat16)):
        given = jnp.asarray(given)
        for call in (ORACLES[name][0], jax.jit(ORACLES[name][0])):
            assert np.asarray(call(KEY, given, {name: 0.0})).tobytes() == np.asarray(given).tobytes()


@pytest.mark.parametrize("name", ORACLES)
def test_strengths_of_many_lanes_are_a_loop_over_them(name):
    augment, _, strengths, tolerance = ORACLES[name]
    x, strengths = pictures(), np.array(strengths, np.float32)
    many = jax.vmap(lambda s: augment(KEY, x, {name: s}))(strengths)
    for s, one in zip(strengths, many, strict=True):
        np.testing.assert_allclose(one, augment(KEY, x, {name: s}), rtol=0, atol=tolerance)


def test_lanes_share_the_draws():
    """A picture that is mirrored at one probability is mirrored at every larger one."""
    x = pictures((64, 2, 3))
    some = [np.asarray(a.flip(KEY, x, {"flip": p}) != x).any(axis=(1, 2)) for p in (0.2, 0.5, 0.9)]
    assert [8 < m.sum() < 62 for m in some] == [True] * 3
    assert (some[0] <= some[1]).all() and (some[1] <= some[2]).all()


def test_places_of_crops_are_uniform():
    count = 4000
    x = np.zeros((count, 5, 5), np.float32)
    x[:, 2, 2] = 1
    moved = np.asarray(a.crop(KEY, x, {"crop": 0.4}))  # by −2 … 2
    ramp = np.broadcast_to(np.arange(25, dtype=np.float32).reshape(5, 5), (count, 5, 5))
    corners = np.asarray(a.crop_to(2)(KEY, ramp, {"crop_to": 1.0}))[:, 0, 0]
    places = {
        "rows": moved.any(axis=2).argmax(axis=1),
        "columns": moved.any(axis=1).argmax(axis=1),
        "windows": corners // 5 * 4 + corners % 5,
    }
    for name, found in places.items():
        sides = 16 if name == "windows" else 5
        counts, expected = np.bincount(found.astype(int), minlength=sides), count / sides
        assert len(counts) == sides
        assert np.abs(counts - expected).max() < 4.5 * np.sqrt(expected), name


def test_whole_numbers_stay_whole():
    x = pictures(dtype=np.uint8)
    for name in ("flip", "flip_vertical", "crop", "crop_to"):
        augment, oracle, strengths, _ = ORACLES[name]
        got = augment(KEY, x, {name: strengths[0]})
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, oracle(x, strengths[0]))


def test_outside_training_only_sizes_change():
    x = pictures()
    for name in KEEPING:
        assert ORACLES[name][0].evaluated(x) is x
    np.testing.assert_array_equal(a.crop_to((4, 3)).evaluated(x), x[:, 1:5, 1:4])
    np.testing.assert_array_equal(a.centre_crop((4, 3)).evaluated(x), x[:, 1:5, 1:4])
    np.testing.assert_array_equal(a.centre_crop((4, 3))(KEY, x, {}), x[:, 1:5, 1:4])
    np.testing.assert_array_equal(a.chain(a.flip, a.crop_to(2), a.noise).evaluated(x), x[:, 2:4, 2:4])


def test_a_chain_is_its_parts_in_order_each_with_a_key_of_its_own():
    x = pictures()
    hyper = {"flip": 0.5, "zoom": 0.3, "noise": 0.2}
    parts = (a.flip, a.zoom, a.noise)
    wanted = x
    for k, part in enumerate(parts):
        wanted = part(jax.random.fold_in(KEY, k), wanted, hyper)
    np.testing.assert_array_equal(a.chain(*parts)(KEY, x, hyper), wanted)
    np.testing.assert_array_equal(a.as_augmentation(parts)(KEY, x, hyper), wanted)
    rows = a.chain(*parts, shape=(H, W))(KEY, x.reshape(B, -1), hyper)
    np.testing.assert_array_equal(rows, np.asarray(wanted).reshape(B, -1))


def test_rows_of_pixels_come_back_as_rows_of_the_new_size():
    x = pictures((B, H, W, 3))
    rows = a.chain(a.crop_to((4, 3)), shape=(H, W, 3))
    assert rows(KEY, x.reshape(B, -1), {"crop_to": 1.0}).shape == (B, 36)
    np.testing.assert_array_equal(rows.evaluated(x.reshape(B, -1)), x[:, 1:5, 1:4].reshape(B, -1))


def shifted(key, x, hyper):
    """An augmentation of anyone's own."""
    return x + hyper["by"] * jax.random.uniform(key, x.shape[:1] + (1,) * (x.ndim - 1))


def test_anyones_own_function_with_a_number():
    own = a.augmentation(shifted, dict(by=2.0))
    x = pictures()
    wanted = x + 2.0 * uniform((B,))[:, None, None]
    np.testing.assert_allclose(own(KEY, x, {"by": 2.0, "other": 1.0}), wanted, rtol=1e-6)
    assert own.strengths == {"by": a.Strength(2.0, fo.numbers.REAL)} and own.evaluated(x) is x
    with pytest.raises(KeyError, match=r"no number 'by' \(it has none\): declare it"):
        a.augmentation(shifted)(KEY, x, {"by": 2.0})


EQUAL = {
    "flip": lambda: a.flip,
    "crop_to": lambda: a.crop_to(4),
    "a chain": lambda: a.chain(a.flip, a.centre_crop((3, 4)), shape=(H, W)),
    "own": lambda: a.augmentation(shifted, dict(by=2.0)),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_settings_are_equal_and_of_one_hash(name):
    one = EQUAL[name]()
    for other in (EQUAL[name](), pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert one == other and hash(one) == hash(other)
    assert len({make() for make in EQUAL.values()}) == len(EQUAL)
    assert a.crop_to(4) != a.crop_to(5) and a.flip != a.flip_vertical and a.crop != a.zoom


ROWS = np.ones((3, 42), np.float32)
WRONG = {
    "rows": (lambda: a.flip(KEY, ROWS, {"flip": 0.5}), r"pictures.*shape \(m, 42\).*chain\(.*flip, shape=\(height, w"),
    "square rows": (lambda: a.zoom(KEY, ROWS[:, :36], {"zoom": 0.5}), r"zoom, shape=\(6, 6\)\)"),
    "rows of another size": (
        lambda: a.chain(a.flip, shape=(5, 5))(KEY, ROWS, {"flip": 0.5}),
        r"shape=\(5, 5\) .* rows of 25 pixels.*shape \(m, 42\)",
    ),
    "pictures where rows were said": (
        lambda: a.chain(a.flip, shape=(7, 6))(KEY, pictures(), {"flip": 0.5}),
        r"rows of 42 pixels.*shape \(m, 7, 6\)",
    ),
    "a crop larger than the picture": (
        lambda: a.crop_to((4, 9))(KEY, pictures(), {"crop_to": 1.0}),
        r"`crop_to` to \(4, 9\) is larger than the pictures, which are \(7, 6\)",
    ),
    "a centre crop that is larger": (lambda: a.centre_crop(8).evaluated(pictures()), "larger than the pictures"),
    "a probability above 1": (lambda: a.flip(KEY, pictures(), {"flip": 1.5}), r"`flip` must be in \[0, 1\], got 1.5"),
    "a zoom of 1": (lambda: a.zoom(KEY, pictures(), {"zoom": 1.0}), r"`zoom` must be in \[0, 1\), got 1"),
    "noise below 0": (lambda: a.noise(KEY, pictures(), {"noise": -0.1}), r"`noise` must be in \[0, inf\), got -0.1"),
    "no strength": (lambda: a.crop(KEY, pictures(), {}), r"no 'crop'; write dict\(crop=0.1\)"),
    "zoom of whole numbers": (lambda: a.zoom(KEY, pictures(dtype=np.uint8), {"zoom": 0.1}), "`zoom` wants floating x"),
    "noise on whole numbers": (lambda: a.noise(KEY, np.ones((2, 3), np.int32), {"noise": 1.0}), "wants floating x"),
    "a size of 0": (lambda: a.crop_to(0), "`size` must be a whole number ≥ 1"),
    "a size of three": (lambda: a.centre_crop((1, 2, 3)), r"`size` must be \(height, width\)"),
    "no size": (lambda: a.chain(a.crop_to), r"crop_to wants a size: write fo.data.augment.crop_to\(\(24, 24\)\)"),
    "a shape of one": (lambda: a.chain(a.flip, shape=(4,)), r"`shape` must be \(height, width\)"),
    "nothing": (lambda: a.chain(), r"chain\(\) of nothing"),
    "text": (lambda: a.as_augmentation("flip"), r"as fo.data.augment.flip, or a function \(key, x, hyper\) -> x"),
    "no function": (lambda: a.augmentation(3), "`function` must be a function, got int"),
    "one name, two numbers": (lambda: a.chain(a.flip, a.augmentation(shifted, dict(flip=2.0))), "numbers by 'flip'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_one_clear_error(name):
    call, message = WRONG[name]
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        call()
