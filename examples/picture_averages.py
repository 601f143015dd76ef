"""Exponentially weighted averages of noisy values for several β: the larger β, the smoother and the later.

python examples/picture_averages.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import fnopt as fo
from fnopt.plot.averages import averaged

BETAS = (0.5, 0.9, 0.98)


def temperatures(days=365):
    """A year of daily temperatures: a wave and noise."""
    day = np.arange(1, days + 1)
    season = 10 - 12 * np.cos(2 * np.pi * day / 365)
    return day, season, season + 4 * np.random.default_rng(0).normal(size=days)


def lag(line, truth):
    """By how many days a line follows the truth: the shift at which they fit best."""
    shifts = np.arange(90)
    return int(min(shifts, key=lambda s: np.mean((line[s + 90 :] - truth[90 : len(truth) - s]) ** 2)))


def main(folder=None, days=365):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    day, season, y = temperatures(days)
    for corrected in (True, False):
        name = "averages" if corrected else "averages_uncorrected"
        axes = fo.plot.averages(y, BETAS, x=day, corrected=corrected, name="temperature (°C)")
        axes.set_xlabel("day")
        axes.figure.savefig(folder / f"{name}.png")
    lines = [np.asarray(averaged(y, beta)) for beta in BETAS]
    rough = [float(np.std(np.diff(line))) for line in lines]
    late = [lag(line, season) for line in lines]
    first = [float(averaged(y, beta, corrected=False)[0] / y[0]) for beta in BETAS]
    for beta, *row in zip(BETAS, rough, late, first, strict=True):
        print(
            "β = {}: from day to day ± {:.2f} °C, {} days late, begins at {:.2f} of the first value".format(beta, *row)
        )
    assert rough[0] > rough[1] > rough[2]
    assert late[0] < late[1] < late[2]
    assert np.allclose(first, [1 - beta for beta in BETAS], rtol=1e-4)  # without correction
    print(f"written to {folder}")
    return dict(rough=rough, late=late)


if __name__ == "__main__":
    main(*sys.argv[1:2])
