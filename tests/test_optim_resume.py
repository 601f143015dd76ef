"""Taken up again after any step, a run is the straight run in every bit: optimizers × wrappers × schedules.

Every cut goes through the file that a sweep's checkpoint is, from which optimizer, schedules and state are made anew.
The quick tests put all wrappers around each optimizer at once, under one schedule; the slow ones take every optimizer
in every wrapper under every schedule.
"""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from resume_cases import (
    AROUND,
    KINDS,
    STEPS,
    begin,
    finished,
    order_for,
    same_bits,
    save,
    stepper,
    straight_run,
    wrapped,
)

from fnopt import schedules
from fnopt.optim import NAMES, WRAPPERS


def cut_everywhere(folder, name, wrappers, kinds):
    """The ends of a straight run, one a schedule; what it was after each step is in the folder's file."""
    optimizer, own = wrapped(name, wrappers)
    ages = straight_run(stepper(optimizer), begin(optimizer, kinds, own))
    save(folder, optimizer, kinds, own, ages[:-1])
    for start, end in zip(ages[0], ages[-1], strict=True):
        assert int(end.step) == STEPS and np.isfinite(end.params["w"]).all()
        assert not np.array_equal(end.params["w"], start.params["w"])
    return ages[-1]


def all_cuts_hold(folder, name, wrappers, kinds):
    """The kinds whose runs come to the same bits from every cut."""
    ends = cut_everywhere(folder, name, wrappers, [*kinds.values()])
    again = finished(folder)
    assert len(again) == STEPS
    assert stepper(wrapped(name, wrappers)[0])._cache_size() == 1
    return [kind for k, kind in enumerate(kinds) if all(same_bits(ages[k], ends[k]) for ages in again)]


def test_the_tables_are_whole():
    kinds = {
        name for name, kind in vars(schedules).items() if isinstance(kind, type) and kind is not schedules.Schedule
    }
    assert {type(kind).__name__ for kind in KINDS.values()} == kinds
    assert {*AROUND} == {*WRAPPERS}
    assert {order_for(name)[0] for name in NAMES} == {*WRAPPERS}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_in_all_wrappers(name, tmp_path):
    kind = [*KINDS][NAMES.index(name) % len(KINDS)]
    assert all_cuts_hold(tmp_path, name, order_for(name), {kind: KINDS[kind]}) == [kind]


def test_every_schedule(tmp_path):
    assert all_cuts_hold(tmp_path, "adam", (), KINDS) == [*KINDS]


@pytest.mark.holds("all cuts")
@pytest.mark.slow
@pytest.mark.parametrize("wrapper", [None, *AROUND])
@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_in_every_wrapper_under_every_schedule(name, wrapper, tmp_path):
    assert all_cuts_hold(tmp_path, name, [wrapper] * (wrapper is not None), KINDS) == [*KINDS]


@pytest.mark.slow
def test_another_process_goes_on_to_the_same_bits(tmp_path):
    ends = {}
    for k, name in enumerate(NAMES):
        kind = [*KINDS.values()][k % len(KINDS)]
        ends[tmp_path / name] = cut_everywhere(tmp_path / name, name, order_for(name), [kind])
    script = Path(__file__).parent / "resume_cases.py"
    root = {"PYTHONPATH": os.pathsep.join([str(script.parent.parent), *sys.path])}
    subprocess.run([sys.executable, script, *ends], check=True, env={**os.environ, **root})
    for folder, end in ends.items():
        for k in range(STEPS):
            with np.load(folder / f"end-{k}.npz") as file:
                assert [file[n].tobytes() for n in file.files] == [
                    np.asarray(x).tobytes() for x in jax.tree.leaves(end)
                ]


@pytest.mark.parametrize("lost", ["memory", "step", "hyper"])
def test_what_is_lost_shows(lost):
    """The bits would tell: a state that begins anew in one place ends elsewhere."""
    optimizer, own = wrapped("adam", ())
    step = stepper(optimizer)
    ages = straight_run(step, begin(optimizer, [KINDS["plateau"]], own))
    first, cut = ages[0][0], ages[3][0]
    changed = cut._replace(**{lost: getattr(first, lost)})
    assert same_bits(straight_run(step, [cut], 3)[-1][0], ages[-1][0])
    assert not same_bits(straight_run(step, [changed], 3)[-1][0], ages[-1][0])
