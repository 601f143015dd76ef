"""The two tables of a sweep's folder, written from its state: what people and other programs read."""

from typing import TYPE_CHECKING, Any

from fnopt.run.cells import table_text
from fnopt.store.atomic import Folder, Irregular
from fnopt.train import CURVES

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

RESULTS, CURVES_TABLE = "results.csv", "curves.csv"


def write_tables(sweep: "Sweep", folder: Folder) -> None:
    """Write both tables from the state; a file that holds anything else is replaced, whole or not at all."""
    for name, text in ((RESULTS, table_csv(sweep.table())), (CURVES_TABLE, curves_csv(sweep))):
        content = text.encode()
        if not _holds(folder, name, content):
            folder.write(name, content)


def _holds(folder: Folder, name: str, content: bytes) -> bool:
    found = folder.regular(name)
    if found is None or found.st_size != len(content):
        return False
    try:
        return folder.read(name, len(content)) == content
    except Irregular:
        raise
    except (OSError, ValueError):  # it cannot be read: then it is written
        return False


def table_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV; a blank cell for what a configuration lacks, floats as short as they can be."""
    return table_text(rows)


def curves_csv(sweep: "Sweep") -> str:
    """One row a configuration, seed, fold and epoch: every score, the training cost and the numbers that change."""
    rows = []
    for r in (r for config in range(sweep.n) for r in sweep.lanes(config)):
        parts = {f"{p}/{name}": v for p in ("train", "dev") for name, v in r.history.get(p, {}).items()}
        more = {name: v for name, v in r.history.items() if name not in ("train", "dev", *CURVES)}
        columns = {**parts, **{name: r.history[name] for name in CURVES}, **more}
        rows += [
            {"config": r.config, "seed": r.seed, "fold": r.fold, "epoch": e + 1}
            | {k: float(v[e]) for k, v in columns.items()}
            for e in range(r.epochs)
        ]
    return table_csv(rows)
