"""Clustering scores: scikit-learn's, each under its name."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.cluster import KMeans

import fnopt as fo
from fnopt.sklearn import clustering_scores

RNG = np.random.default_rng(0)
FEATURES = np.concatenate([RNG.normal(c, 0.3, (20, 2)) for c in (0, 3, 6)])
TRUTH = np.repeat(["a", "b", "c"], 20)
LABELS = np.where(np.arange(60) % 7 == 0, 0, np.repeat([2, 0, 1], 20))

NAMES = {
    *("silhouette", "silhouette_samples", "calinski_harabasz", "davies_bouldin", "rand", "adjusted_rand"),
    *("mutual_info", "normalized_mutual_info", "adjusted_mutual_info", "fowlkes_mallows", "homogeneity"),
    *("completeness", "v_measure", "contingency_matrix", "pair_confusion_matrix"),
}


def test_each_is_that_of_its_name():
    found = clustering_scores(FEATURES, LABELS, TRUTH)
    assert set(found) == NAMES
    for name in NAMES - {"silhouette_samples", "contingency_matrix", "pair_confusion_matrix"}:
        inside = name in ("silhouette", "calinski_harabasz", "davies_bouldin")
        theirs = getattr(metrics, f"{name}_score")
        assert found[name] == pytest.approx(theirs(FEATURES if inside else TRUTH, LABELS)), name
    assert found["silhouette_samples"].mean() == pytest.approx(found["silhouette"])
    assert found["contingency_matrix"].sum() == 60 and found["contingency_matrix"].shape == (3, 3)
    assert found["pair_confusion_matrix"].sum() == 60 * 59


def test_without_truth_only_what_needs_none():
    assert set(clustering_scores(FEATURES, LABELS)) == {
        "silhouette", "silhouette_samples", "calinski_harabasz", "davies_bouldin",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "truth", "words"),
    [
        (LABELS[:5], None, r"`labels` must have shape \(60,\)"),
        (LABELS, TRUTH[:5], r"`truth` must have shape \(60,\)"),
        (LABELS * 0, None, "2 to 59 groups of the 60 rows, got 1"),
        (np.arange(60), None, "2 to 59 groups of the 60 rows, got 60"),
    ],
)
def test_what_cannot_be_scored_is_said(labels, truth, words):
    with pytest.raises(ValueError, match=words):
        clustering_scores(FEATURES, labels, truth)


def test_what_a_layer_learned_falls_into_the_classes_better_than_the_inputs():
    iris = fo.data.iris()
    run = fo.fit(fo.classifier(hidden=(16,)), iris, epochs=40, hyper=dict(lr=0.02, batch_size=30))
    layers = run.activations(iris.x)
    assert [(name, a.shape) for name, a in layers.items()] == [
        ("inputs", (150, 4)), ("hidden_0", (150, 16)), ("output", (150, 3)),
    ]  # fmt: skip
    np.testing.assert_allclose(layers["output"], run.outputs(iris.x), atol=1e-5)
    rand = []
    for name in ("inputs", "output"):
        groups = KMeans(3, n_init=5, random_state=0).fit_predict(layers[name])
        rand.append(clustering_scores(layers[name], groups, np.asarray(iris.y))["adjusted_rand"])
    assert rand[0] < 0.8 < rand[1], rand
