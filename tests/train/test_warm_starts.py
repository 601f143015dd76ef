"""A run continues from another one's weights, statistics and scaling: with a rate of 0 nothing changes."""

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(40, 3)) * [1.0, 10.0, 100.0] + 5).astype(np.float32)
FIRST = fo.data.dataset(X[:20], np.array(["a", "b"])[np.arange(20) % 2])
SECOND = fo.data.dataset(X[20:] * 3, np.array(["a", "b"])[np.arange(20) // 10])


def test_nothing_changes_at_rate_0():
    model = fo.classifier(hidden=(3,), norm="batch")
    run = fo.fit(model, FIRST, SECOND, epochs=3, hyper=dict(lr=0.1))
    still = dict(lr=0.0, norm_decay=0.999999)  # the averages of the batches keep what they are
    same = fo.fit(model, SECOND, SECOND, params=(run.params, run.stats), encoding=run.encoding, hyper=still, epochs=1)
    assert same.scores["dev"] == pytest.approx(run.scores["dev"], rel=1e-3)
    np.testing.assert_allclose(same.outputs(X), run.outputs(X), rtol=1e-3, atol=1e-4)
    anew = fo.fit(model, SECOND, SECOND, params=run.params, hyper=still, epochs=1)
    assert anew.scores["dev"]["loss"] != pytest.approx(run.scores["dev"]["loss"], rel=1e-3)


def test_values_keep_their_scale():
    model = fo.regressor(hidden=(3,))
    first, second = (fo.data.dataset(some, some[:, 2] * 7) for some in (X[:20], X[20:] * 3))
    run = fo.fit(model, first, second, epochs=3)
    same = fo.fit(model, second, second, params=run.params, encoding=run.encoding, hyper=dict(lr=0.0), epochs=1)
    assert same.scores["dev"] == pytest.approx(run.scores["dev"], rel=1e-4)


def test_what_is_refused():
    model = fo.classifier(hidden=(3,), norm="batch")
    run = fo.fit(model, FIRST, epochs=1)
    with pytest.raises(ValueError, match="the second of `params`"):
        fo.fit(model, FIRST, params=(run.params, ()), epochs=1)
    with pytest.raises(ValueError, match="`params` must have the structure"):
        fo.fit(model, FIRST, params={"w": jnp.zeros(3)}, epochs=1)
    with pytest.raises(ValueError, match="`encoding` is of other data: its shape"):
        fo.fit(model, fo.data.dataset(X[:, :2], np.arange(40) % 2), encoding=run.encoding, epochs=1)
    with pytest.raises(TypeError, match=r"run\.encoding"):
        fo.fit(model, FIRST, encoding=run, epochs=1)
