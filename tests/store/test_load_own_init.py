"""What a user's own ``init`` raises is shown as it is; of two files of two models none is ever mixed."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

pytest.importorskip("safetensors")
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
DATA = fo.data.dataset(X, np.arange(30) % 3)


class Mine(Exception):
    """An exception that only the user has."""


def linear(error=None):
    def init(key, example, hyper):
        if error is not None:
            raise error
        return {"w": jnp.zeros((4, 3))}, ()

    def predict(params, stats, x, hyper):
        return x @ params["w"]

    def loss(params, stats, batch, hyper, key, train):
        return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats

    return fo.supervised(init, loss, predict)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two saved models of one structure and other weights."""
    folder = tmp_path_factory.mktemp("models")
    for name, rate in (("a", 1e-2), ("b", 1e-1)):
        fo.fit(linear(), DATA, hyper={"lr": rate}, epochs=1).save(folder / f"{name}.safetensors")
    return folder


@pytest.mark.parametrize("error", [Mine("no weights today"), RuntimeError("mine"), ValueError("mine"), KeyError("w")])
def test_what_init_raises_is_the_users_own(two, error):
    with pytest.raises(type(error)) as caught:
        fo.load(two / "a.safetensors", model=linear(error))
    assert caught.value is error and "damaged" not in str(error)
    assert any("own `init`" in note for note in error.__notes__)


@pytest.mark.parametrize("renamed", [".json", ".safetensors"])
def test_a_model_of_which_one_file_was_renamed_is_refused(two, tmp_path, renamed):
    for ending in (".json", ".safetensors"):
        shutil.copy(two / f"{'b' if ending == renamed else 'a'}{ending}", tmp_path / f"m{ending}")
    with pytest.raises(ValueError, match="digest is not the one"):
        fo.load(tmp_path / "m.safetensors", model=linear())
