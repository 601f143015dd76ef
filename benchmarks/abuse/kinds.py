"""The kinds of trials and how many of each are least."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.abuse import (
    callers,
    csv_files,
    disk,
    edges,
    folders,
    inputs,
    interrupted,
    json_files,
    names,
    options,
    strangers,
    surroundings,
    toml_files,
)
from benchmarks.abuse.tally import Trial


class Kind(NamedTuple):
    """Trials of one kind, and how many there are at least."""

    trials: Callable[[random.Random], Iterator[Trial]]
    least: int


KINDS = {
    "finished": Kind(folders.of_finished, 400),
    "unfinished": Kind(folders.of_unfinished, 300),
    "test.json": Kind(json_files.of_test, 150),
    "odd-json": Kind(json_files.of_odd, 100),
    "sweep.json": Kind(json_files.of_sweep, 400),
    "model.json": Kind(json_files.of_model, 200),
    "strangers": Kind(strangers.of_strangers, 14),
    "outputs": Kind(strangers.of_outputs, 14),
    "callers": Kind(callers.of_callers, 30),
    "signals": Kind(interrupted.of_signals, 14),
    "faults": Kind(disk.of_faults, 140),
    "surroundings": Kind(surroundings.of_surroundings, 50),
    "predict": Kind(inputs.of_predict, 40),
    "edges": Kind(edges.of_edges, 120),
    "csv": Kind(csv_files.of_csv, 250),
    "toml": Kind(toml_files.of_toml, 100),
    "options": Kind(options.of_options, 120),
    "commands": Kind(options.of_commands, 26),
    "names": Kind(names.of_names, 150),
}
