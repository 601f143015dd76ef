"""caviar(search=[…]): configurations that the caller names, checked, trained and extended as drawn ones are."""

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt._compile import TRACES

MODEL = fo.classifier(hidden=(4,))
TRAIN, DEV = fo.data.split(fo.data.iris(), (0.6, 0.4), key=jax.random.key(0), stratify=True)
RATES = [dict(lr=0.01), dict(lr=0.05), dict(lr=0.002)]


def search(configs, space=None, model=MODEL, **rest):
    return fo.caviar(model, space or {}, TRAIN, DEV, search=configs, epochs=rest.pop("epochs", 2), **rest)


def test_configuration_i_is_the_ith_and_trains_as_a_drawn_one():
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), l2=fo.log_uniform(1e-6, 1e-2))
    drawn = fo.caviar(MODEL, space, TRAIN, DEV, n=3, epochs=2)
    given = [{name: config[name] for name in space} for config in drawn.configs]
    for named in (space, {}):
        sweep = search(given, named)
        assert sweep.n == 3 and sweep.search == "explicit"
        assert [c["lr"] for c in sweep.configs] == [c["lr"] for c in drawn.configs]
        assert [r.digest for i in range(3) for r in sweep.lanes(i)] == [
            r.digest for i in range(3) for r in drawn.lanes(i)
        ]
    assert "explicit search" in str(sweep)


def test_structures_that_are_listed_share_programs_as_searched_ones_do():
    configs = [dict(optimizer=o, batch_size=b) for o in ("adam", "rmsprop") for b in (16, 32)]
    before = TRACES["advance"]
    sweep = search(configs)
    assert TRACES["advance"] - before == 1
    assert [(c["optimizer"], c["batch_size"]) for c in sweep.configs] == [
        (c["optimizer"], c["batch_size"]) for c in configs
    ]


def test_plain_values_of_the_space_fill_in_and_own_lengths_count():
    sweep = search([dict(lr=0.01, epochs=1), dict(lr=0.01, epochs=2)], dict(l2=1e-3), epochs=None)
    assert [c["l2"] for c in sweep.configs] == [1e-3, 1e-3]
    assert [r.epochs for i in (0, 1) for r in sweep.lanes(i)] == [1, 2]


def test_a_folder_takes_the_same_list_up_again_and_a_longer_one_further(tmp_path):
    space = dict(lr=fo.log_uniform(1e-3, 1e-1))
    first = search(RATES[:2], space, path=tmp_path / "s")
    same = search(RATES[:2], space, path=tmp_path / "s")
    assert same.attached and [r.digest for r in same.lanes(1)] == [r.digest for r in first.lanes(1)]
    more = search(RATES, space, path=tmp_path / "s")
    assert more.n == 3 and [r.digest for r in more.lanes(0)] == [r.digest for r in first.lanes(0)]
    opened = fo.open(tmp_path / "s")
    assert opened.search == "explicit" and opened.configs == more.configs
    assert opened.replay(2).scores == more.replay(2).scores
    with pytest.raises(ValueError, match="other configurations"):
        search(RATES[::-1], space, path=tmp_path / "s")
    with pytest.raises(ValueError, match="asks for fewer"):
        search(RATES[:1], space, path=tmp_path / "s")


def test_a_rule_compares_them():
    sweep = search([dict(lr=lr) for lr in np.geomspace(1e-5, 1e-1, 9)], stop=fo.halving(), epochs=9)
    assert {s.status for s in sweep.ranking()} == {"done", "pruned"}


SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), optimizer=fo.choice("adam", "sgd"), l2=1e-3)
WHEN = dict(optimizer=fo.choice("adam", "sgd"), b1=fo.when(optimizer="adam", b1=fo.uniform(0.5, 0.9)))


@pytest.mark.parametrize(
    ("configs", "space", "rest", "words"),
    [
        ([], {}, {}, "lists no configuration"),
        ([dict(lr=0.1), 3], {}, {}, r"`search\[1\]` must be a dict"),
        ([dict(lr=fo.uniform(0, 1))], {}, {}, "holds a range, lr=uniform"),
        ([dict(lr=0.1, stop={})], {}, {}, "holds `stop`, which is an argument"),
        ([dict(lr=0.1)], {}, dict(n=2), "lists 1 configurations, and n=2"),
        ([dict(learning_rate=0.1)], {}, {}, r"`search\[0\]`: unknown name 'learning_rate'; did you mean 'lr'"),
        ([dict(lr=-0.1)], {}, {}, r"`search\[0\]`: .*lr"),
        ([dict(lr=0.1, optimizer="sgd", b1=0.9)], {}, {}, "this structure has no number 'b1'"),
        ([dict(lr=0.5, optimizer="sgd")], SPACE, {}, "lr=0.5 is not in log_uniform"),
        ([dict(lr=0.05, optimizer="rmsprop")], SPACE, {}, "optimizer='rmsprop' is not in choice"),
        ([dict(optimizer="sgd")], SPACE, {}, "'lr' is missing, which the space draws"),
        ([dict(lr=0.05, optimizer="sgd", l2=0.1)], SPACE, {}, "l2=0.1 is not in 0.001"),
        ([dict(optimizer="adam")], WHEN, {}, "'b1' is missing"),
        ([dict(optimizer="sgd", b1=0.6)], WHEN, {}, "'b1' does not exist here"),
        ([dict(lr=0.1)], {}, dict(stop=fo.early_stopping(patience=fo.integer(2, 5))), "has a range to draw from"),
        ([dict(lr=0.1, epochs=5)], {}, dict(epochs=2), "goes to 5, above"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_its_number(configs, space, rest, words):
    with pytest.raises((ValueError, TypeError), match=words):
        search(configs, space, **rest)


def test_conditions_are_kept():
    sweep = search([dict(optimizer="sgd"), dict(optimizer="adam", b1=0.6)], WHEN)
    assert "b1" not in sweep.configs[0] and sweep.configs[1]["b1"] == 0.6
