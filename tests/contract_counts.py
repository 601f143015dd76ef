"""What the tests find of each optimizer and wrapper, counted by property and written where ``--contract`` says.

A test marked ``holds("formula")`` counts as one check of the optimizer that its parameter ``name`` names, and of the
wrapper that ``wrapper`` names; one that is marked ``holds`` alone tells what it found, by :func:`counted`.
``pytest -m holds --contract FILE`` runs all of them, and ``python -m benchmarks.contract`` makes a page of it.
"""

import json
from collections import defaultdict
from pathlib import Path

from fnopt.optim import NAMES, WRAPPERS

HELD = defaultdict(lambda: [0, 0])  # (kind, name, property) -> held, of


def pytest_addoption(parser):
    parser.addoption("--contract", type=Path, help="a JSON file to write: optimizer × property, held of all checks")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "holds(property): what --contract counts, for the optimizer and the wrapper in the parameters"
    )


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("holds")
        if mark and mark.args:
            of = item.callspec.params
            found = [("optimizer", of.get("name")), ("wrapper", of.get("wrapper"))]
            known = [(kind, name) for kind, name in found if name in (NAMES if kind == "optimizer" else WRAPPERS)]
            item.user_properties += [("holds", [kind, name, mark.args[0]]) for kind, name in known]


def pytest_runtest_logreport(report):
    """Of each test once, with workers too: what it said comes with its report."""
    if report.when == "call" or report.failed:
        for what, said in report.user_properties:
            if what == "holds":
                add(*said, int(report.passed), 1)
            elif what == "contract" and report.when == "call":
                add(*said)


def pytest_sessionfinish(session):
    path = session.config.getoption("--contract", None)
    if path and not hasattr(session.config, "workerinput"):
        rows = [[*whose, *held] for whose, held in sorted(HELD.items())]
        path.write_text(json.dumps(rows, indent=0) + "\n")


def add(kind, name, column, held, of):
    counts = HELD[kind, name, column]
    counts[0] += held
    counts[1] += of


def counted(record_property, kind, name, report):
    """Tell the rows of ``fo.check.optimizer``."""
    for row in report.rows:
        record_property("contract", [kind, name, row.property, int(row.passed), 1])
