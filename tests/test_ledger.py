"""The ledger's verdicts are a function of the scores: whatever order they come in, and as the definitions say."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnopt as fo
from fnopt.sweep.ledger import Ledger, _ordinal

EPOCHS = 12
ORDERED = [
    fo.asynchronous_halving(eta=2),
    fo.asynchronous_halving(eta=1.5, min_epochs=2),
    fo.median(min_epochs=2, every=3, warmup=2),
]
WHOLE = [fo.halving(eta=2), fo.halving(eta=3, min_epochs=2), fo.hyperband(eta=2), fo.hyperband(eta=3, min_epochs=2)]
SCORES = (0.0, 0.25, 0.5, 0.75, 1.0, math.nan, math.inf)  # few, so that there are ties


@st.composite
def tables(draw, most=14):
    """Scores and losses of each configuration at each age, and the age at which it leaves by itself."""
    n, rng = draw(st.integers(1, most)), Random(draw(st.integers(0, 2**32)))
    rows = [[(rng.choice(SCORES), rng.choice(SCORES)) for _ in range(EPOCHS)] for _ in range(n)]
    left = [rng.choice((EPOCHS, rng.randint(0, EPOCHS))) for _ in range(n)]
    return rows, left


def simulate(rule, table, order, higher=False):
    """Train all to their ends, the next event always of the configuration that ``order`` chooses: all verdicts."""
    rows, left = table
    ledger = Ledger(rule, len(rows), EPOCHS)
    age = dict.fromkeys(range(len(rows)), 0)
    waiting, told = set(), []
    while moving := [c for c in age if c not in waiting]:
        config = moving[order(len(moving))]
        rung = ledger.until(config, age[config])
        assert age[config] < rung <= EPOCHS and rung == next(
            (a for a in ledger.ages(config) if a > age[config]), EPOCHS
        )
        if left[config] < rung or rung == EPOCHS:
            new = ledger.leave(config)
            del age[config]
        else:
            age[config] = rung
            waiting.add(config)
            new = ledger.arrive(config, rung, *rows[config][rung - 1], higher)
        for v in new:
            assert v.config in waiting and v.age == age[v.config] and bool(v.why) != v.on
            waiting.remove(v.config)
            if not v.on:
                del age[v.config]
        told += new
    assert not waiting and not age, "somebody waits for ever"
    return told


def orders(seed):
    """An order of events; of seed 0, always the last configuration first, of seed 1 the first."""
    rng = Random(seed)
    return lambda m: m - 1 if seed == 0 else 0 if seed == 1 else rng.randrange(m)


SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize("rule", [None, *ORDERED, *WHOLE])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(table=tables(), one=SEEDS, other=SEEDS, higher=st.booleans())
def test_the_order_of_events_has_no_influence(rule, table, one, other, higher):
    first = simulate(rule, table, orders(one), higher)
    second = simulate(rule, table, orders(other), higher)
    assert sorted(first) == sorted(second)
    assert len({(v.config, v.age) for v in first}) == len(first)  # nobody is judged twice


def key(rows, config, age, higher):
    """What sorts by at a rung; by definition."""
    score, loss = rows[config][age - 1]
    bad = not math.isfinite(score)
    return bad, 0.0 if bad else -score if higher else score, loss if math.isfinite(loss) else math.inf, config


def by_definition(rule, table, higher):
    """Every verdict, rung after rung of each bracket: everything known, nothing asynchronous."""
    rows, left = table
    verdicts = {}
    for bracket in rule.brackets(len(rows), EPOCHS):
        alive = list(bracket.members)
        for age in bracket.ages:
            alive = [c for c in alive if left[c] >= age]
            ranked = sorted(key(rows, c, age, higher) for c in alive)
            if not rule.ordered:
                best = {c for bad, *_, c in ranked[: math.ceil(len(alive) / rule.eta - 1e-9)] if not bad}
            elif isinstance(rule, type(fo.median())):
                best, before = set(), []
                for c in alive:
                    mine = key(rows, c, age, higher)
                    worse_than = sum(k[:3] < mine[:3] for k in before)  # a tie is not worse
                    if not mine[0] and (len(before) < rule.warmup or worse_than <= len(before) / 2):
                        best.add(c)
                    before.append(mine)
            else:
                best = set()
                for k, c in enumerate(alive):
                    so_far = sorted(key(rows, d, age, higher) for d in alive[: k + 1])
                    best |= {d for bad, *_, d in so_far[: math.ceil((k + 1) / rule.eta - 1e-9)] if d == c and not bad}
            verdicts |= {(c, age): c in best for c in alive}
            alive = [c for c in alive if c in best]
    return verdicts


@pytest.mark.parametrize("rule", [*ORDERED, *WHOLE])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(table=tables(), seed=SEEDS, higher=st.booleans())
def test_verdicts_are_those_of_the_definition(rule, table, seed, higher):
    told = simulate(rule, table, orders(seed), higher)
    assert {(v.config, v.age): v.on for v in told} == by_definition(rule, table, higher)


@pytest.mark.parametrize("rule", ORDERED)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(table=tables(), m=st.integers(1, 14), one=SEEDS, other=SEEDS)
def test_more_configurations_change_nothing_for_the_first(rule, table, m, one, other):
    rows, left = table
    few = simulate(rule, (rows[:m], left[:m]), orders(one))
    all_of_them = simulate(rule, table, orders(other))
    assert sorted(few) == sorted(v for v in all_of_them if v.config < m)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (fo.asynchronous_halving(eta=2), {1: "2nd of 2 at epoch 1"}),
        (fo.halving(eta=2), {2: "3rd of 4 at epoch 1", 1: "4th of 4 at epoch 1"}),
    ],
)
def test_why_names_the_rank(rule, expected):
    table = [[(s, s)] * EPOCHS for s in (0.1, 0.4, 0.3, 0.2)], [EPOCHS] * 4
    assert {v.config: v.why for v in simulate(rule, table, orders(1)) if not v.on and v.age == 1} == expected


def test_where_one_trains_next_and_which_rung_is_due():
    ledger = Ledger(fo.halving(eta=2), 2, EPOCHS)
    assert ledger.ages(0) == (1, 3, 6)
    assert [ledger.until(0, age) for age in (0, 1, 2, 3, 5, 6, 11)] == [1, 3, 3, 6, 6, 12, 12]
    assert ledger.due(0) == 1
    assert ledger.arrive(0, 1, 0.5, 0.5, False) == [] and ledger.due(0) == 3 and ledger.due(1) == 1
    assert [v.config for v in ledger.leave(1)] == [0] and ledger.due(1) == EPOCHS
    assert ledger.leave(1) == []  # told once
    assert Ledger(None, 2, EPOCHS).due(0) == EPOCHS and Ledger(None, 2, EPOCHS).leave(0) == []


def test_many_configurations_that_wait_for_one_are_decided_at_once():
    n = 3000
    ledger = Ledger(fo.median(warmup=1), n, 50)
    assert all(ledger.arrive(i, 3, float(i), 0.0, False) == [] for i in range(1, n))
    verdicts = ledger.arrive(0, 3, 0.5, 0.0, False)
    assert [v.config for v in verdicts] == list(range(n)) and not any(v.on for v in verdicts[2:])


def test_ordinals():
    assert [_ordinal(k) for k in (22, 23, 101, 111, 112, 113, 121)] == [
        "22nd",
        "23rd",
        "101st",
        "111th",
        "112th",
        "113th",
        "121st",
    ]
