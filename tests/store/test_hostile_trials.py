"""A small part of ``benchmarks.abuse``: the trials in which a folder, a JSON file or a table is altered."""

import random
from itertools import islice

import pytest

from benchmarks.abuse.kinds import KINDS
from benchmarks.abuse.studies import clear
from benchmarks.abuse.tally import count

SEED = 11
SOME = {"finished": 12, "test.json": 6, "odd-json": 8, "sweep.json": 16, "model.json": 12, "outputs": 5, "csv": 40}


@pytest.fixture(scope="module", autouse=True)
def folders():
    yield
    clear()


@pytest.mark.parametrize("kind", SOME)
def test_trials_are_held(kind, capfd):
    trials = islice(KINDS[kind].trials(random.Random(SEED)), SOME[kind])
    found = count(kind, trials, lambda text: None)
    assert found.failures == () and found.tried == SOME[kind]
    assert found.answered + found.refused >= found.tried  # each did ask for something
