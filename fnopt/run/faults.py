"""Where and why lanes of a sweep diverged: the failing step of each once more, leaf by leaf."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fnopt.train import last_cost

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


class Faults(list[dict[str, Any]]):
    """One dict a lane that diverged; printed, a line each."""

    def __str__(self) -> str:
        return "\n".join(map(_line, self)) or "no lane diverged"


def faults(sweep: "Sweep", configs: Sequence[int] | None = None) -> Faults:
    """See ``Sweep.faults``."""
    wanted = range(sweep.n) if configs is None else sorted({*configs})
    for config in wanted:
        sweep._known(config)
    rows = Faults()
    for r in (r for config in wanted for r in sweep.kept.of(config) if r.status == "diverged"):
        run = sweep.replay(r.config, seed=r.seed, fold=r.fold, debug=True)
        assert run.going is not None
        fault, found = run.going.lanes.fault, run.autopsy
        row = {"config": r.config, "seed": r.seed, "fold": r.fold}
        told = {"step": int(fault.step[0]), "epoch": r.epochs, "batch": 0, "cost": float(fault.cost[0])}
        first = fault._replace(step=fault.step[0], last=fault.last[0])
        last = {"last": last_cost(first), "leaf": "", "gradient": math.nan, "number": "", "autopsy": found}
        if found is not None:
            told = {name: getattr(found, name) for name in told}
            last |= {"leaf": found.first, "gradient": found.gradient, "number": found.number}
        rows.append(row | told | last)
    return rows


def _line(row: dict[str, Any]) -> str:
    where = f"first in {row['leaf']}" if row["leaf"] else "in the cost alone"
    where += row["number"] and f", {row['number']}"
    return (
        f"config {row['config']}, seed {row['seed']}, fold {row['fold']}: step {row['step']} (epoch {row['epoch']}, "
        f"batch {row['batch']}), cost {row['cost']:g} after {row['last']:g}, gradient norm {row['gradient']:g}, {where}"
    )
