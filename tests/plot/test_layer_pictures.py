"""Embeddings, histograms and signals: of arrays and of the layers of a run."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("matplotlib")

import fnopt as fo
from fnopt.plot.embed import embed, outliers, pca


@pytest.fixture(scope="module")
def run():
    """A net with batch norm of numbers that are not the usual ones."""
    model = fo.classifier(hidden=(5, 4), norm="batch", norm_eps=0.1, norm_bias_correction=0.0)
    return fo.fit(model, fo.data.iris(), hyper=dict(lr=0.01), epochs=2, key=jax.random.key(0))


def test_pca_is_that_of_the_covariance():
    x = np.random.default_rng(0).normal(size=(40, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    found = pca(x, 3)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    np.testing.assert_allclose(found.shares, values[::-1][:3] / values.sum())
    expected = (x - x.mean(axis=0)) @ vectors[:, ::-1][:, :3]
    np.testing.assert_allclose(np.abs(found.points), np.abs(expected), atol=1e-10)
    np.testing.assert_allclose(pca(-x, 3).points, -found.points, atol=1e-9)  # one sign for one set of data


def test_outliers_are_far_from_the_middle_of_their_own_group():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 30, [[30.0, 0.0]]])
    groups = np.array([0] * 50 + [1] * 50 + [1])
    far = outliers(points, groups)
    assert far[-1] and far.sum() <= 3
    assert not outliers(points[-3:], groups[-3:]).any()


def test_embedding_of_a_dataset_and_of_an_array():
    data = fo.data.iris()
    expected = pca(np.asarray(data.x, float))
    axes = fo.plot.embedding(data, mark=False)
    for k, dots in enumerate(axes.collections):
        np.testing.assert_allclose(dots.get_offsets(), expected.points[np.asarray(data.y) == k])
    assert [dots.get_label() for dots in axes.collections] == list(map(str, data.classes))
    values = np.linspace(0, 1, 150)
    axes = fo.plot.embedding(np.asarray(data.x), labels=values, dimensions=3, mark=False)
    assert axes.name == "3d"
    np.testing.assert_allclose(axes.collections[0].get_array(), values)


def test_embedding_of_a_layer(run):
    data = fo.data.iris()
    axes = fo.plot.embedding(run, data, layer=2, mark=False)
    assert axes.get_title() == "hidden_1"
    outputs = fo.plot.embedding(run, data, layer="output", mark=False)
    assert fo.plot.embedding(run, data, layer=-1, mark=False).get_title() == outputs.get_title()
    assert "negative ones count from the end" in fo.plot.embedding.__doc__
    seen = np.concatenate([dots.get_offsets() for dots in outputs.collections])
    order = np.argsort(np.asarray(data.y), kind="stable")
    expected = pca(np.asarray(run.outputs(data.x), float)).points[order]
    np.testing.assert_allclose(seen, expected, atol=1e-4)  # so the numbers of batch norm were those of the run


@pytest.mark.slow
def test_tsne_keeps_groups_together_and_repeats():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(20, 4)), rng.normal(size=(20, 4)) + 20])
    pytest.importorskip("sklearn")
    first, second = (embed(x, "tsne", seed=1).points for _ in range(2))
    np.testing.assert_array_equal(first, second)
    middles = [first[:20].mean(axis=0), first[20:].mean(axis=0)]
    nearer = np.linalg.norm(first[:20] - middles[0], axis=1) < np.linalg.norm(first[:20] - middles[1], axis=1)
    assert nearer.all()


def test_umap_is_called_with_as_many_neighbours_as_there_are(monkeypatch):
    seen = {}

    class Umap:
        def __init__(self, **given):
            seen.update(given)

        def fit_transform(self, x):
            return x[:, :2]

    monkeypatch.setitem(sys.modules, "umap", type(sys)("umap"))
    sys.modules["umap"].UMAP = Umap
    x = np.random.default_rng(0).normal(size=(16, 3))
    np.testing.assert_array_equal(embed(x, "umap", seed=3).points, x[:, :2])
    assert seen == dict(n_components=2, n_neighbors=15, random_state=3, n_jobs=1)


def test_histograms_of_weights_and_activations(run):
    made = fo.plot.weights(run)
    assert [axes.get_title().split()[0] for axes in made] == ["hidden_0.weight", "hidden_1.weight", "output.weight"]
    assert sum(bar.get_height() for bar in made[1].patches) == 20
    made = fo.plot.activations(run, fo.data.iris())
    assert [axes.get_title().split()[0] for axes in made] == ["inputs", "hidden_0", "hidden_1", "output"]
    assert sum(bar.get_height() for bar in made[2].patches) == 150 * 4
    made = fo.plot.histograms({"a": [0.0, 0.0, 0.0, 1.0]}, bins=2, name="weight (1)")
    assert [bar.get_height() for bar in made[0].patches] == [3, 1]
    assert made[0].get_title() == "a\n4 of std 0.433, 75% zero" and made[0].get_xlabel() == "weight (1)"


def test_signals_by_layer():
    net = fo.nn.mlp(hidden=(6, 6), out=2, activation="sigmoid")
    params, _ = net.init(jax.random.key(0), features=3)
    found = fo.check.signals(net, params, jnp.ones((8, 3)))
    sizes, shares = fo.plot.signals(found)
    for line, name in zip(sizes.lines, ("activation", "gradient", "weights"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), [row[name] for row in found.table])
    np.testing.assert_allclose(shares.lines[0].get_ydata(), [row["dead"] for row in found.table])
    assert [text.get_text() for text in sizes.get_xticklabels()] == [*net.layers, "output"]


def test_activations_take_the_numbers_of_batch_norm():
    net = fo.nn.mlp(hidden=(3,), out=1, norm="batch")
    params, stats = net.init(jax.random.key(0), features=2)
    x = jnp.array([[1.0, 2.0], [3.0, 1.0], [0.0, 1.0]])
    stats = net.forward(params, stats, x, train=True)[1]
    numbers = dict(norm_eps=0.5, norm_bias_correction=0.0, norm_start=2.0)
    seen = net.activations(params, stats, x, **numbers)
    np.testing.assert_array_equal(seen["output"], net.forward(params, stats, x, **numbers)[0])
    assert not np.allclose(seen["output"], net.activations(params, stats, x)["output"])


def two_classes():
    """A run whose output is one logit, and its examples."""
    iris = fo.data.iris()
    data = fo.data.dataset(np.asarray(iris.x)[:100], np.asarray(iris.y)[:100])
    return fo.fit(fo.classifier(hidden=(2,)), data, hyper=dict(lr=0.01), epochs=1), data


FEW = np.random.default_rng(0).normal(size=(5, 3))
MISTAKES = {
    "tsne of five": (lambda run: fo.plot.embedding(FEW, method="tsne"), ValueError, "at least 16 of them, got 5; take"),
    "umap of five": (lambda run: fo.plot.embedding(FEW, method="umap"), ValueError, 'got 5; take method="pca"'),
    "method": (lambda run: fo.plot.embedding(FEW, method="tnse"), ValueError, "unknown method 'tnse'; did you mean"),
    "dimensions": (lambda run: fo.plot.embedding(FEW, dimensions=4), ValueError, "must be 2 or 3, got 4"),
    "pca of a column": (
        lambda run: fo.plot.embedding(FEW[:, :1]),
        ValueError,
        r"as many .*\(5, 1\); a layer of one unit",
    ),
    "pca of two columns": (lambda run: fo.plot.embedding(FEW[:, :2], dimensions=3), ValueError, "take dimensions=2"),
    "pca of one example": (lambda run: fo.plot.embedding(FEW[:1]), ValueError, "give at least 2 examples, here 1"),
    "layer of one unit": (
        lambda run: fo.plot.embedding(*two_classes(), layer=-1),
        ValueError,
        "a layer of one unit is a line: fo.plot.histograms or fo.plot.activations shows it, or take another layer",
    ),
    "pca, constant": (lambda run: fo.plot.embedding(0 * FEW), ValueError, "`x` must vary"),
    "layer's name": (
        lambda run: fo.plot.embedding(run, fo.data.iris(), layer="hidden_2"),
        ValueError,
        "unknown layer 'hidden_2'",
    ),
    "layer's number": (
        lambda run: fo.plot.embedding(run, fo.data.iris(), layer=7),
        ValueError,
        "`layer` must be one of 0 inputs, 1 hidden_0, 2 hidden_1, 3 output, got 7",
    ),
    "layer of an array": (lambda run: fo.plot.embedding(FEW, layer=1), ValueError, "`layer` is of a run"),
    "no examples": (lambda run: fo.plot.embedding(run, layer=1), ValueError, "the examples that it is shown"),
    "labels": (lambda run: fo.plot.embedding(FEW, labels=[1]), ValueError, "each of the 5 of `x`, got 1"),
    "flat axes": (
        lambda run: fo.plot.embedding(FEW, dimensions=3, axes=fo.plot.panels(1)[0]),
        TypeError,
        '3 dimensions here: give those of figure.add_subplot.projection="3d"',
    ),
    "no weights": (lambda run: fo.plot.weights({"a": np.zeros(3)}), ValueError, "a leaf of two axes, and has none"),
    "activations, no data": (lambda run: fo.plot.activations(run), ValueError, "the examples that it is shown"),
    "histogram of NaN": (lambda run: fo.plot.histograms([np.nan]), ValueError, "`arrays` must be finite"),
    "signals": (lambda run: fo.plot.signals([{"a": 1}]), TypeError, "must be what fo.check.signals"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name, run):
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call(run)


def test_layers_of_own_functions_are_not_known():
    model = fo.supervised(
        init=lambda key, example, hyper: ({"w": jnp.zeros((4, 3))}, ()),
        loss=lambda params, stats, batch, hyper, key, train: (
            fo.losses.softmax_cross_entropy(batch.x @ params["w"], batch.y),
            stats,
        ),
        predict=lambda params, stats, x, hyper: x @ params["w"],
        task="classes",
    )
    mine = fo.fit(model, fo.data.iris(), epochs=1, hyper=dict(lr=0.1))
    with pytest.raises(ValueError, match="give what a layer puts out as an array"):
        fo.plot.activations(mine, fo.data.iris())


@pytest.mark.parametrize(("method", "library"), [("tsne", "sklearn"), ("umap", "umap")])
def test_a_missing_library_is_named_with_the_line_to_install_it(method, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(ImportError, match=rf"needs {library}, .*pip install 'fnopt\[embed\]'"):
        fo.plot.embedding(np.eye(20), method=method)
