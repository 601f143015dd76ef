"""A sweep's state as JSON and arrays, and back: results, curves, the best weights, and lanes under way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._types import Trial
from fnopt.run.checkpoint_schema import OF, check_state
from fnopt.run.generations import Damaged
from fnopt.run.lineage import lane_numbers, lineages_from, lineages_plain
from fnopt.run.manifest import text_digest
from fnopt.sweep.chunk import Place, Work
from fnopt.sweep.field import Entry
from fnopt.sweep.lineage import Lineage, founder_of
from fnopt.sweep.merge import bound, shapes_of
from fnopt.sweep.plan import Plan
from fnopt.sweep.population import Population
from fnopt.sweep.result import LaneResult, digest, result_of
from fnopt.train import CURVES, Records, reported, start

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

FIELDS = ("config", "seed", "fold", "epochs", "best", "status", "why", "digest")
State = tuple[dict[str, Any], dict[str, np.ndarray]]


def state_of(sweep: "Sweep", places: Sequence[Place]) -> State:
    """All that a sweep knows beside what was asked."""
    results = [r for _, r in sorted(sweep.kept.lanes.copy().items()) if r.status != "cut"]
    meta: dict[str, Any] = {
        "finished": sweep.finished,
        "ended": sweep.ended,
        "plan": None if sweep.plan is None else sweep.plan.plain(),
        "lanes": [[getattr(r, name) for name in FIELDS] for r in results],
        "weights": [],
        "under_way": [],
    }
    if isinstance(sweep.stop, Population):
        meta |= {"lineages": lineages_plain(results), "descent": [], "generation": _generation(places)}
    arrays: dict[str, np.ndarray] = {"curves": _stacked([_curves(r.history) for r in results])}
    for k, r in enumerate(results):
        if r.params is not None:
            meta["weights"].append(k)
            leaves = jax.tree.leaves((r.params, r.stats))
            arrays |= {f"weights.{k}.{j}": np.asarray(leaf) for j, leaf in enumerate(leaves)}
    groups: dict[Any, list[Place]] = defaultdict(list)
    for place in places:
        program = sweep.entries[place.founder].program
        groups[program.trial, jax.tree.structure(place.lane)].append(place)
    for g, some in enumerate(groups.values()):
        meta["under_way"].append([[p.config, p.seed, p.fold, p.age] for p in some])
        if isinstance(sweep.stop, Population):
            meta["descent"].append(lineages_plain(some))
        for j, leaves in enumerate(zip(*(jax.tree.leaves(p.lane) for p in some), strict=True)):
            arrays[f"lanes.{g}.{j}"] = np.stack(leaves)
        arrays[f"seen.{g}"] = _stacked([_rows(p.seen) for p in some if p.seen is not None])
    return meta, arrays


def _generation(places: Sequence[Place]) -> int:
    """Of a population, whose lanes go from one to the next together."""
    return max((place.generation for place in places), default=0)


class Stored(NamedTuple):
    """A state from a file, checked against its sweep."""

    results: list[LaneResult]
    places: list[Place]
    finished: bool
    ended: str
    plan: Plan | None


def decoded(
    sweep: "Sweep", configs: Sequence[Any], identity: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Stored:
    """A stored state: results with their weights, and lanes under way.

    Args:
        sweep: which it must be of.
        configs, identity: those of the folder's ``sweep.json``.
        meta, arrays: from the file.

    Raises:
        Damaged: where it is of another sweep, or is not what a sweep writes.
    """
    try:
        return _decoded(sweep, configs, identity, meta, arrays)
    except (Damaged, MemoryError):
        raise
    except ValueError as error:
        raise Damaged(str(error)) from error
    except Exception as error:  # a file may say anything
        raise Damaged(f"its state is not that of this sweep ({type(error).__name__})") from error


def _decoded(
    sweep: "Sweep", configs: Sequence[Any], identity: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Stored:
    OF(meta.get("of"), "its state.of")
    n = meta["of"]["n"]
    same = n <= len(configs) and meta["of"]["configs"] == text_digest(configs[:n])
    compared = sweep.stop is not None and not sweep.stop.ordered and n != len(configs)
    if meta["of"]["identity"] != identity or not same or compared:
        raise Damaged("it is of another sweep")
    check_state(meta, "its state", sweep)
    results, row = [], 0
    columns = _columns(sweep)
    tables = [arrays["curves"], *(arrays[f"seen.{g}"] for g in range(len(meta["under_way"])))]
    lengths = [sum(told[FIELDS.index("epochs")] for told in meta["lanes"])]
    lengths += [sum(age for *_, age in some) for some in meta["under_way"]]
    for table, length in zip(tables, lengths, strict=True):
        if len(table) != length or (length and table.shape[1] != len(columns)):
            raise ValueError(f"its curves have not {length} rows and the {len(columns)} columns of this fnopt's")
    lineages = lineages_from(meta.get("lineages"), len(meta["lanes"]))
    weighed = set(meta["weights"])
    for k, values in enumerate(meta["lanes"]):
        told = dict(zip(FIELDS, values, strict=True))
        curves = arrays["curves"][row : row + told["epochs"]]
        row += told["epochs"]
        history = _history(sweep, curves, columns)
        scores = {part: {n: float(v[told["best"]]) for n, v in rows.items()} for part, rows in _parts(history)}
        made = LaneResult(**told, history=history, scores=scores, params=None, stats=None, lineage=lineages[k])
        results.append(_weighed(sweep, made, arrays, k) if k in weighed else made)
    descent = meta.get("descent", [None] * len(meta["under_way"]))
    places = [
        place
        for g, some in enumerate(meta["under_way"])
        for place in _places(sweep, some, lineages_from(descent[g], len(some)), arrays, g, columns)
    ]
    places = [place._replace(generation=meta.get("generation", 0)) for place in places]
    whole = len(meta["lanes"]) == sweep.n * len(sweep.kept.replicas)  # else it was killed while it was extended
    plan = None if meta["plan"] is None else Plan.of(meta["plan"])
    return Stored(results, places, meta["finished"] and whole, meta["ended"], plan)


def put_into(sweep: "Sweep", stored: Stored) -> None:
    """Put a stored state into its sweep."""
    sweep.kept.add(stored.results)
    sweep.places, sweep.finished, sweep.ended, sweep.plan = stored[1:]


def add_cut(sweep: "Sweep") -> None:
    """Results, for the time being, of lanes that were broken off: they count after all that came to their end."""
    cut = []
    for place in sweep.places:
        entry = sweep.entries[place.founder]
        why = f"broken off after epoch {place.age}"
        cut.append(result_of(sweep.work, entry.program, place, why, entry.trim)._replace(status="cut"))
    sweep.kept.add(cut)


def _parts(history: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(part, history[part]) for part in ("train", "dev") if part in history]


def _stacked(tables: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(tables) if tables else np.zeros((0, 0), np.float32)


def _columns(sweep: "Sweep") -> list[tuple[str, str]]:
    """What the columns of a table of curves are: (part, score), then cost, lr and updates."""
    names = [score.name for score in reported(sweep.trials[0])]
    parts = ("train",) if sweep.work.folds[0].dev is None else ("train", "dev")
    return [*((part, name) for part in parts for name in names), *((name, "") for name in CURVES)]


def _curves(history: Mapping[str, Any]) -> np.ndarray:
    scores = [values for _, rows in _parts(history) for values in rows.values()]
    return np.stack([*scores, *(history[name] for name in CURVES)], axis=1)


def _history(sweep: "Sweep", curves: np.ndarray, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    history: dict[str, Any] = {}
    for (part, name), values in zip(columns, curves.T, strict=True):
        if name:
            history.setdefault(part, {})[name] = values
        else:
            history[part] = values
    return history


def _rows(seen: Records) -> np.ndarray:
    parts = [seen.train, *([] if seen.dev is None else [seen.dev])]
    return np.concatenate([*parts, *(getattr(seen, name)[:, None] for name in CURVES)], axis=1)


def _places(
    sweep: "Sweep",
    some: Any,
    lineages: Sequence[Lineage],
    arrays: Mapping[str, np.ndarray],
    g: int,
    columns: Sequence[Any],
) -> list[Place]:
    places, row, templates = [], 0, {}
    width = len(reported(sweep.trials[0]))
    for i, (config, seed, fold, age) in enumerate(some):
        founder = founder_of(config, lineages[i])
        entry = sweep.entries[founder]
        kind = entry.program.trial, jax.tree.structure(entry.numbers)
        if kind not in templates:
            templates[kind] = jax.tree.flatten(lane_template(sweep.work, entry))
        leaves, structure = templates[kind]
        mine = [np.array(arrays[f"lanes.{g}.{j}"][i]) for j in range(len(leaves))]
        if any((a.shape, a.dtype) != (b.shape, b.dtype) for a, b in zip(mine, leaves, strict=True)):
            raise ValueError(f"the stored lane of configuration {config} has not the shapes of this model")
        table = arrays[f"seen.{g}"][row : row + age]
        row += age
        dev = table[:, width : 2 * width] if len(columns) > width + len(CURVES) else None
        alone = dict(zip(CURVES, table[:, -len(CURVES) :].T, strict=True))
        seen = Records(train=table[:, :width], dev=dev, **alone)
        lane, lineage = jax.tree.unflatten(structure, mine), lineages[i]
        numbers = lane_numbers(sweep, founder, fold, lineage[-1].numbers) if lineage else entry.of(fold)
        places.append(Place(config, seed, fold, numbers, age, lane, seen, lineage))
    return places


def lane_template(work: Work, entry: Entry) -> Any:
    """The shapes of a lane of this configuration."""
    trial: Trial = entry.program.trial
    f = jnp.result_type(float)
    numbers = jax.tree.map(lambda _: jnp.zeros((), f), entry.numbers)

    def one(key: Any, numbers: Any) -> Any:
        which = jnp.zeros((), jnp.int32)
        return start(bound(trial, which), key, work.folds[0].example, numbers, work.rule)

    return jax.eval_shape(one, work.key, numbers)


def _weighed(sweep: "Sweep", result: LaneResult, arrays: Mapping[str, np.ndarray], k: int) -> LaneResult:
    """A lane's result with its kept weights, checked against their digest."""
    structure = jax.tree.structure(shapes_of(sweep.trials[result.founder], sweep.work.folds[0].example))
    made = jax.tree.unflatten(structure, [arrays[f"weights.{k}.{j}"] for j in range(structure.num_leaves)])
    if digest(*made) != result.digest:
        raise ValueError(f"the kept weights of configuration {result.config} were altered: their digest differs")
    return result._replace(params=made[0], stats=made[1])
