"""scikit-learn's BernoulliRBM before fnopt's classifier: features that were learned without labels, in one pipeline.

A restricted Boltzmann machine is no feedforward network, so it is not part of fnopt. It learns here from all images of
digits, of which few have a label, and the classifier without a hidden layer draws straight boundaries in what it found.
"""

import warnings

import numpy as np
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import fnopt as fo
from fnopt.sklearn import FnoptClassifier

LABELLED = 100


def main(components=200, epochs=30):
    digits = fo.data.digits()
    x, y = np.asarray(digits.x, float), np.asarray(digits.y)
    order = np.random.default_rng(0).permutation(len(x))
    few, rest = order[:LABELLED], order[LABELLED:]
    features = make_pipeline(
        MinMaxScaler(), BernoulliRBM(components, learning_rate=0.06, n_iter=epochs, random_state=0)
    ).fit(x)
    straight = FnoptClassifier(hidden_layer_sizes=(), max_iter=100, learning_rate_init=0.01, random_state=0)
    whole = make_pipeline(features, straight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        straight.fit(features.transform(x[few]), y[few])
        with_features = whole.score(x[rest], y[rest])
        pixels = straight.fit(x[few], y[few]).score(x[rest], y[rest])
    print(f"{LABELLED} labels, straight boundaries: {pixels:.3f} of pixels, {with_features:.3f} of learned features")
    return pixels, with_features


if __name__ == "__main__":
    pixels, with_features = main()
    assert with_features > pixels
