"""scikit-learn's BernoulliRBM before fnopt's classifier: a step of a pipeline, which learns features without labels.

A restricted Boltzmann machine is no feedforward network, so it is not part of fnopt. The classifier has no hidden layer
here and draws straight boundaries. Digits that were moved by a pixel defeat these among pixels, not among the features.
"""

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline

import fnopt as fo
from fnopt.sklearn import FnoptClassifier

STEPS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


def moved(images, down, right):
    """Images moved by some pixels; what comes in is empty."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return np.roll(padded, (down, right), axis=(1, 2))[:, 1:-1, 1:-1]


def main(components=100, iterations=10, epochs=20):
    digits = fo.data.digits()
    images = np.asarray(digits.x, float).reshape(-1, 8, 8) / 16  # in [0, 1], as the machine wants them
    x = np.concatenate([moved(images, *step) for step in STEPS]).reshape(-1, 64)
    y = np.tile(np.asarray(digits.y), len(STEPS))
    x, new_x, y, new_y = train_test_split(x, y, test_size=0.2, random_state=0)
    straight = FnoptClassifier(hidden_layer_sizes=(), max_iter=epochs, learning_rate_init=0.01, random_state=0)
    machine = BernoulliRBM(components, learning_rate=0.06, n_iter=iterations, random_state=0)
    pixels = straight.fit(x, y).score(new_x, new_y)
    features = make_pipeline(machine, straight).fit(x, y).score(new_x, new_y)
    print(f"straight boundaries: accuracy {pixels:.3f} of pixels, {features:.3f} of the machine's features")
    return pixels, features


if __name__ == "__main__":
    pixels, features = main()
    assert features > pixels + 0.05
