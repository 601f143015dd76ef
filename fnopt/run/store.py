"""A sweep's folder: plain files, written atomically, never executed.

    sweep.json     what was asked: model, configurations, key, epochs, versions, fingerprint, digest of the data
    data.npz       the data, as the sweep got it
    results.csv    one row a configuration: no times and no paths, so equal runs give equal files
    curves.csv     one row a configuration, seed and epoch
    lanes.json     status, best epoch and digest of the final weights, by configuration and seed
    best.npz       the weights of the best ten

``sweep.json`` and ``data.npz`` stand before the first step; the others appear when the sweep ends, ``lanes.json`` last.
"""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fnopt import tree
from fnopt.model import Model
from fnopt.run.manifest import FORMAT, arrays_of, datasets, manifest, model_of
from fnopt.run.plain import curves, load_arrays, numbers, plain, read_json, save_arrays, write_atomically
from fnopt.sweep.chunk import LaneResult

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


def create(sweep: "Sweep", folder: Path) -> "Path | Sweep":
    """Put the folder there by one rename, with all that a replay needs.

    Returns:
        the folder; or, where this very sweep stands there already and is finished, that sweep.

    Raises:
        ValueError: where the folder holds something else.
    """
    asked = manifest(sweep)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        same = (folder / "sweep.json").exists() and read_json(folder / "sweep.json").get("identity") == asked[
            "identity"
        ]
        if same and sweep.model.kind == "supervised":
            raise ValueError(
                f"{str(folder)!r} holds a sweep of functions, and whether they are the same cannot be seen; "
                "fo.open(folder, model=…) opens it, another folder takes a new one"
            )
        if same and (folder / "lanes.json").exists() and read_json(folder / "lanes.json").get("finished"):
            return open_sweep(folder, sweep.model)
        what = "this sweep, broken off" if same else "another sweep" if _is_sweep(folder) else "something else"
        raise ValueError(f"{str(folder)!r} holds {what}; choose another folder, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        save_arrays(made / "data.npz", {**arrays_of(sweep.train, "train"), **arrays_of(sweep.dev, "dev")})
        (made / "sweep.json").write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
        made.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return folder


def _is_sweep(folder: Path) -> bool:
    return (folder / "sweep.json").exists()


def finish(sweep: "Sweep", folder: Path) -> None:
    """Write the results; each file appears whole or not at all."""
    write_atomically(folder / "results.csv", table_csv(sweep.table()).encode())
    write_atomically(folder / "curves.csv", curves_csv(sweep).encode())
    weights = {
        f"{r.config}.{r.seed}.{part}.{name}": leaf
        for r in sweep.kept.lanes.values()
        if r.params is not None
        for part, some in (("params", r.params), ("stats", r.stats))
        for name, leaf in zip(tree.names(some), jax.tree.leaves(some), strict=True)
    }
    memory = io.BytesIO()
    save_arrays(memory, weights)
    write_atomically(folder / "best.npz", memory.getvalue())
    lanes = [
        {
            **{k: getattr(r, k) for k in ("config", "seed", "epochs", "best", "status", "why", "digest", "scores")},
            "history": jax.tree.map(lambda a: [float(v) for v in a], r.history, is_leaf=lambda a: hasattr(a, "shape")),
        }
        for _, r in sorted(sweep.kept.lanes.items())
    ]
    done = {"format": FORMAT, "finished": sweep.finished, "lanes": lanes}
    write_atomically(folder / "lanes.json", (json.dumps(plain(done), allow_nan=False) + "\n").encode())


def open_sweep(folder: str | Path, model: Model | None = None) -> "Sweep":
    """A finished sweep from its folder, in another process: ranking, table, replay and refit work as before.

    Args:
        folder: what ``caviar(path=...)`` wrote.
        model: the model, where it was made by ``supervised``: functions are not written to files.

    Raises:
        FileNotFoundError: where there is no such folder.
        ValueError: where it holds no finished sweep, or was altered.
    """
    from fnopt.run.rebuild import rebuild

    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    if not _is_sweep(folder):
        raise ValueError(f"{str(folder)!r} holds no sweep: it has no sweep.json")
    asked = read_json(folder / "sweep.json")
    if asked.get("format") != FORMAT:
        raise ValueError(f"{str(folder)!r} has format {asked.get('format')!r}, this fnopt reads {FORMAT}")
    if not (folder / "lanes.json").exists():
        raise ValueError(f"{str(folder)!r} holds a sweep that was broken off before it wrote results; run it again")
    done = read_json(folder / "lanes.json")
    try:
        train, dev = datasets(folder, asked)
        results = [_lane(row) for row in done["lanes"]]
        sweep = rebuild(asked, model_of(asked, model), train, dev, results, _weights(folder))
        sweep.finished = done["finished"]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{str(folder)!r} is damaged, or was written by another fnopt: {error!r}") from error
    return sweep


def table_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV; a blank cell for what a configuration lacks, floats so that they read back exactly."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None or v != v else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def curves_csv(sweep: "Sweep") -> str:
    """One row a configuration, seed and epoch: every score, the training cost and the learning rate."""
    rows = []
    for (config, seed), r in sorted(sweep.kept.lanes.items()):
        parts = {f"{p}/{name}": v for p in ("train", "dev") for name, v in r.history.get(p, {}).items()}
        columns = {**parts, "cost": r.history["cost"], "lr": r.history["lr"]}
        rows += [
            {"config": config, "seed": seed, "epoch": e + 1, **{k: float(v[e]) for k, v in columns.items()}}
            for e in range(r.epochs)
        ]
    return table_csv(rows)


def _weights(folder: Path) -> dict[tuple[int, int], dict[str, list[np.ndarray]]]:
    found: dict[tuple[int, int], dict[str, list[np.ndarray]]] = {}
    for name, leaf in load_arrays(folder / "best.npz").items():
        config, seed, part, _ = name.split(".", 3)
        found.setdefault((int(config), int(seed)), {"params": [], "stats": []})[part].append(leaf)
    return found


def _lane(row: Mapping[str, Any]) -> LaneResult:
    return LaneResult(
        **{**row, "history": curves(row["history"]), "scores": numbers(row["scores"]), "params": None, "stats": None}
    )
