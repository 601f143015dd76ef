"""What stands beside the arrays of a state, checked once as it is read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fnopt.store.schema import Schema, either, flag, list_of, maybe, number, one_of, record, row, shown, text, whole

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

STATUS = one_of("done", "stopped", "pruned", "diverged")
OF = record({"identity": text, "n": whole(1), "configs": text})  # of which sweep it is
PLAN = record(
    {
        "device": text,
        "devices": whole(),
        "threads": whole(),
        "lanes": list_of(whole(1)),
        "data": whole(),
        "memory": maybe(whole()),
        "programs": whole(),
        "traces": whole(),
        "measured": list_of(row(whole(), whole(1), number(0))),
        "live": whole(),
        "executed": whole(),
        "wall": number(0),
        "compiling": number(0),
        "stepping": number(0),
        "host": number(),
        "padding": number(),
        "segment": number(0),
        "predicted": maybe(number(0)),
        "halved": list_of(text),
    },
    {"sizes": whole(1)},
)


def _moved(sweep: "Sweep") -> Schema:
    """Numbers by path, each one that the space draws."""
    pairs = list_of(row(list_of(either("a name or a place", text, whole()), 1), either("a number", number(), flag)))

    def check(value: Any, where: str) -> None:
        pairs(value, where)
        for path, _ in value:
            if tuple(path) not in sweep.space.drawn:
                raise ValueError(f"{where} holds {shown(path)}, which the space does not draw")

    return check


def check_state(meta: Mapping[str, Any], where: str, sweep: "Sweep") -> None:
    """ValueError where a state is not one that this sweep can have come to."""
    seeds, folds, lengths = sweep.seeds, len(sweep.frames), sweep.lengths
    config, seed, fold = whole(0, sweep.n - 1), whole(0, seeds - 1), whole(0, folds - 1)
    longest = max(lengths)
    lane = row(config, seed, fold, whole(1, longest), whole(-1, longest - 1), STATUS, text, text)
    place = row(config, seed, fold, whole(0, longest))
    move = row(whole(0, longest), config, config, _moved(sweep))
    lineages = record({"moves": list_of(move), "of": list_of(list_of(whole()))})
    record(
        {
            "finished": flag,
            "ended": text,
            "plan": maybe(PLAN),
            "lanes": list_of(lane),
            "weights": list_of(whole(0, max(len(meta.get("lanes") or ()) - 1, 0))),
            "under_way": list_of(list_of(place)),
        },
        {"lineages": lineages, "descent": list_of(lineages), "generation": whole()},
    )(meta, where)
    for mine, _, _, epochs, best, *_ in meta["lanes"]:
        if epochs > lengths[mine] or best >= epochs:
            raise ValueError(f"configuration {mine} has {epochs} epochs in it and trains {lengths[mine]} at most")
    for some in meta["under_way"]:
        for mine, _, _, age in some:
            if age > lengths[mine]:
                raise ValueError(f"configuration {mine} is {age} epochs old in it and trains {lengths[mine]} at most")
    for name in ("lanes", "under_way"):
        every = meta["lanes"] if name == "lanes" else [one for some in meta["under_way"] for one in some]
        if len({tuple(one[:3]) for one in every}) != len(every):
            raise ValueError("a lane stands in it twice")
