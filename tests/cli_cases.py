"""What the tests of the command line share: a small table, a space of one structure, and a way to run it."""

import numpy as np

from fnopt.cli.entry import run

COLOURS = ("black", "brown", "white")
SPACE = 'lr = {log_uniform = [1e-3, 1e-1]}\nhidden = [4]\noptimizer = "momentum"\nbatch_size = 16\n'


def write_pets(folder, rows=60):
    """A table with numbers, a text column and text labels that the first number tells apart; and the space."""
    rng = np.random.default_rng(0)
    lines = ["weight,colour,age,kind"]
    for k in range(rows):
        weight = rng.normal(4 if k % 2 else 20, 2)
        lines.append(f"{weight:.3f},{COLOURS[k % 3]},{rng.integers(1, 15)},{'cat' if k % 2 else 'dog'}")
    (folder / "pets.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")


def sweep_pets(folder, out, *more, n=3, epochs=2):
    """The exit code of a sweep over the table."""
    table, space = str(folder / "pets.csv"), str(folder / "space.toml")
    fixed = ["sweep", table, "--target", "kind", "--space", space, "--out", str(out), "--epochs", str(epochs)]
    return run([*fixed, "--n", str(n), *more])


def contents(folder):
    """Every file below a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
