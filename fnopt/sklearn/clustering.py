"""How well features fall into groups: scikit-learn's scores of a clustering."""

from typing import Any

import numpy as np
from sklearn import metrics

INSIDE = {
    "silhouette": metrics.silhouette_score,
    "calinski_harabasz": metrics.calinski_harabasz_score,
    "davies_bouldin": metrics.davies_bouldin_score,
}
AGAINST = {
    "rand": metrics.rand_score,
    "adjusted_rand": metrics.adjusted_rand_score,
    "mutual_info": metrics.mutual_info_score,
    "normalized_mutual_info": metrics.normalized_mutual_info_score,
    "adjusted_mutual_info": metrics.adjusted_mutual_info_score,
    "fowlkes_mallows": metrics.fowlkes_mallows_score,
    "homogeneity": metrics.homogeneity_score,
    "completeness": metrics.completeness_score,
    "v_measure": metrics.v_measure_score,
}


def clustering_scores(features: Any, labels: Any, truth: Any = None) -> dict[str, Any]:
    """All of scikit-learn's scores of a clustering, by their names there without ``_score``.

    Without ``truth`` they say how far apart the groups lie: ``silhouette`` in [−1, 1], ``silhouette_samples``,
    ``calinski_harabasz``, and ``davies_bouldin``, of which less is better. With it also how far the groups are the true
    ones: ``rand``, ``adjusted_rand``, ``mutual_info`` and its ``normalized_`` and ``adjusted_`` forms,
    ``fowlkes_mallows``, ``homogeneity``, ``completeness``, ``v_measure``, and the matrices ``contingency_matrix``
    (truth in rows) and ``pair_confusion_matrix``.

    Args:
        features: shape=(m, n), m ≥ 3; what a layer puts out, as in ``run.activations(x)["hidden_1"]``, or inputs.
        labels: shape=(m,); the group of each row, 2 to m − 1 of them.
        truth: shape=(m,); the true groups, where they are known.

    Returns:
        a dict of floats and arrays.

    Raises:
        ValueError: for arrays of unlike length, and for one group or one a row.

    >>> found = clustering_scores([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1], truth=["a", "a", "b", "b"])
    >>> round(found["silhouette"], 2), found["adjusted_rand"]
    (0.98, 1.0)

    Source: the definitions and their papers are in https://scikit-learn.org/stable/modules/clustering.html, section
    "Clustering performance evaluation".
    """
    features, labels = np.asarray(features), np.asarray(labels)
    truth = None if truth is None else np.asarray(truth)
    for name, values in (("labels", labels), ("truth", truth)):
        if values is not None and values.shape != features.shape[:1]:
            raise ValueError(
                f"`{name}` must have shape ({len(features)},), one group a row of features, got {values.shape}"
            )
    groups = len(np.unique(labels))
    if not 2 <= groups < len(features):
        raise ValueError(
            f"`labels` must name 2 to {len(features) - 1} groups of the {len(features)} rows, got {groups}: scores "
            "compare distances inside groups with those between them"
        )
    found: dict[str, Any] = {name: float(score(features, labels)) for name, score in INSIDE.items()}
    found["silhouette_samples"] = metrics.silhouette_samples(features, labels)
    if truth is not None:
        found |= {name: float(score(truth, labels)) for name, score in AGAINST.items()}
        found["contingency_matrix"] = metrics.cluster.contingency_matrix(truth, labels)
        found["pair_confusion_matrix"] = metrics.pair_confusion_matrix(truth, labels)
    return found
