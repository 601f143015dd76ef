"""Which inputs matter: scikit-learn's permutation_importance of fnopt's classifier, with inputs of noise among them."""

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

import fnopt as fo
from fnopt.sklearn import FnoptClassifier

NAMES = ("sepal length", "sepal width", "petal length", "petal width", "noise 1", "noise 2", "noise 3", "noise 4")


def main(repeats=20):
    iris = fo.data.iris()
    x = np.hstack([np.asarray(iris.x, float), np.random.default_rng(0).normal(size=(len(iris), 4))])
    x, new_x, y, new_y = train_test_split(x, np.asarray(iris.y), stratify=iris.y, random_state=0)
    net = FnoptClassifier(hidden_layer_sizes=16, max_iter=60, learning_rate_init=0.01, random_state=0).fit(x, y)
    found = permutation_importance(net, new_x, new_y, n_repeats=repeats, random_state=0)
    for k in np.argsort(-found.importances_mean):
        print(f"{NAMES[k]:<13} {found.importances_mean[k]:+.3f} ± {found.importances_std[k]:.3f}")
    return found.importances_mean


if __name__ == "__main__":
    importance = main()
    assert set(np.argsort(-importance)[:2]) == {2, 3}  # the petals
    assert importance[[2, 3]].min() > 3 * importance[4:].max()
