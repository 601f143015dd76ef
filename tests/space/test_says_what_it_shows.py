"""What a space says is what table(), results.csv and the lineage show: names × kinds × searches × rules, one model."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

KEY = jax.random.key(0)
TRAIN, DEV = fo.data.split(fo.data.iris(), (0.4, 0.2, 0.4), key=KEY, stratify=True)[:2]
OPTIONS = np.logspace(-5, -1, 5)
SPACE = {
    "lr": fo.log_normal(-4.0, 0.5),
    "plain": fo.log_uniform(1e-3, 1e-1),
    "block1.rate": fo.choice(*OPTIONS),
    "enc/w": fo.choice(np.float32(0.25), np.int8(2), jnp.asarray(0.5), np.float16(4.0)),
    "a b": fo.integer(1, 50),
    "größe": fo.one_minus_log_uniform(np.float64(0.5), np.float32(0.99)),
    "a": fo.uniform(2, np.int64(3)),
    "course.peak": fo.uniform(5.0, 6.0),
    "course": fo.schedules.cosine(peak=fo.log_uniform(1e-3, 1e-1), steps=9),
    "branch": fo.choice(0.5, fo.uniform(2.0, 3.0)),
    "switch": fo.choice(True, False),
    "counts": fo.log_integer(1, 500),
    "fixed": np.float64(0.125),
    "where": fo.when(switch=True, where=fo.normal(7.0, 0.1)),
}
MODEL = fo.supervised(
    init=lambda key, example, hyper: (jnp.zeros((4, 3)), ()),
    loss=lambda w, s, b, h, key, train: (-jnp.take_along_axis(jax.nn.log_softmax(b.x @ w), b.y[:, None], 1)[:, 0], s),
    predict=lambda w, s, x, h: x @ w,
    numbers={name: 0.0 for name in SPACE if name != "lr"},
    optimizer="sgd",
)


def among(*options):
    return lambda x: any(x == o and type(x) is type(o) for o in options)


def inside(low, high, kind=float):
    return lambda x: type(x) is kind and low <= x <= high


SHOWN = {  # column -> what it may hold; None stands for blank
    "lr": inside(0.0, 1.0),
    "plain": inside(1e-3, 1e-1),
    "block1.rate": among(*OPTIONS.tolist()),
    "enc/w": among(0.25, 2, 0.5, 4.0),
    "a b": inside(1, 50, int),
    "größe": inside(0.5, float(np.float32(0.99))),
    "a": inside(2.0, 3.0),
    r"course\.peak": inside(5.0, 6.0),
    "course": among("Cosine"),
    "course.peak": inside(1e-3, 1e-1),
    "counts": inside(1, 500, int),
    "fixed": among(0.125),
    "switch": among(True, False),
}
MOVED = {*SHOWN, "where"} - {"course", "fixed", "switch"}  # a condition asks for the switch
RULES = {
    "nothing": None,
    "early stopping": fo.early_stopping(patience=fo.integer(1, 3), min_delta=fo.choice(0.0, 0.01)),
    "halving": fo.halving(eta=2),
    "asynchronous halving": fo.asynchronous_halving(eta=2),
    "median": fo.median(min_epochs=1, warmup=1),
    "population": fo.population(every=1, share=0.5, resample=0.5),
}
CASES = [
    *(("random", rule) for rule in RULES),
    ("sobol", "nothing"),
    pytest.param("sobol", "population", marks=pytest.mark.slow),  # each of the two holds with another
    ("grid", "nothing"),
    ("grid", "halving"),
    ("coarse_to_fine", "early stopping"),
]


def same(cell, value):
    """A cell says a number in the shortest text that gives it back in float32."""
    if isinstance(value, float):
        return np.float32(cell) == np.float32(value)
    return cell == str(value)


@pytest.mark.parametrize(("search", "rule"), CASES)
def test_what_a_space_says_is_what_is_shown(search, rule, tmp_path, monkeypatch):
    monkeypatch.setattr("fnopt.run.coarse.edges", lambda *ranked: [])  # no range is widened here
    folder = tmp_path / "s"
    options = dict(n=8, epochs=4, key=KEY, search=search, stop=RULES[rule])
    sweep = fo.caviar(MODEL, SPACE, TRAIN, DEV, path=folder, **options)
    rows = sweep.table()
    assert [row["config"] for row in rows] == list(range(len(rows)))
    for row in rows:
        for column, may in SHOWN.items():
            assert may(row[column]), (column, row[column])
        assert row["where"] == 0.0 if not row["switch"] else 6 < row["where"] < 8  # the model's own, where blank
        assert row["branch"] == 0.5 or 2 <= row["branch"] <= 3
        if rule == "early stopping":
            assert row["stop.patience"] in (1, 2, 3) and row["stop.min_delta"] in (0.0, 0.01)
    if search in ("random", "sobol"):
        varied = {c for c in SHOWN if len({row[c] for row in rows}) > 1}
        assert varied >= {*SHOWN} - {"course", "fixed"} - ({"switch", "enc/w"} if rule == "population" else set())
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    for row, cells in zip(rows, written, strict=True):
        for column in (*SHOWN, "where", "branch"):
            assert same(cells[column], row[column]), column
    opened = fo.open(folder, model=MODEL)
    assert opened.space == sweep.space
    assert repr(opened.table()) == repr(rows) and repr(opened.configs) == repr(sweep.configs)
    moves = [move for i in range(sweep.n) for move in sweep.lineage(i)]
    assert bool(moves) == (rule == "population")
    for i, row in enumerate(rows if moves else ()):
        for move in sweep.lineage(i)[-1:]:
            assert {*move.numbers} >= MOVED - {"where"}
            assert all(row[name] == x for name, x in move.numbers.items() if name in SHOWN)
    if moves:
        changed = {n for m in moves for n, x in m.numbers.items() if n in SHOWN and x != rows[m.donor][n]}
        assert changed >= {"plain", "block1.rate", "a b", "a", r"course\.peak", "course.peak"}


def test_the_order_of_names_counts_in_no_search():
    turned = dict(reversed(SPACE.items()))
    for search in ("random", "sobol", "grid"):
        one, other = (fo.sweep.propose(space, 5, KEY, search) for space in (SPACE, turned))
        shown = [[{**c, "course": float(c["course"].peak)} for c in some] for some in (one, other)]
        assert shown[0] == shown[1], search


RESERVED = (
    "config",
    "seed",
    "fold",
    "rank",
    "score",
    "status",
    "why",
    "epoch",
    "cost",
    "updates",
    "dev/loss",
    "",
    "stop",
)


@pytest.mark.parametrize("name", RESERVED)
def test_the_name_of_a_column_is_no_name_of_a_number(name):
    functions = (lambda k, e, h: (jnp.zeros(4), ()), lambda *a: (0, ()), lambda *a: 0)
    with pytest.raises(ValueError, match=r"column of every table|is empty|early stopping is called"):
        fo.supervised(*functions, numbers={name: 1.0})
    with pytest.raises(ValueError, match=r"column of every table|is empty|an argument beside the space"):
        fo.caviar(fo.classifier(), {"lr": 0.1, name: fo.uniform(0, 1)}, TRAIN, n=2)
