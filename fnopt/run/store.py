"""A sweep's folder: plain files, written atomically, never executed.

    sweep.json           what was asked: model, configurations, key, rules, versions, fingerprint, C of each structure
    data.npz             the data, as the sweep got it
    checkpoint-N.bin     the newest two states: results, curves, the best weights, lanes under way, lineages (see
                         ``generations``)
    results.csv          one row a configuration: no times and no paths, so equal runs give equal files
    curves.csv           one row a configuration, seed, fold and epoch
    coarse/              the first sweep of a coarse-to-fine search, which is there before the files above

``sweep.json`` and ``data.npz`` appear with the folder, by one rename and before anything is compiled; a state now and
then while the sweep runs, and the tables when it ends. All but the tables carry digests of what they hold.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fnopt.model import Model
from fnopt.run.cells import table_text
from fnopt.run.checkpoint import add_cut, restored, state_of
from fnopt.run.generations import read, sync, write
from fnopt.run.manifest import FORMAT, arrays_of, datasets, manifest, model_of, text_digest
from fnopt.run.plain import read_json, save_arrays, write_atomically
from fnopt.sweep.plan import differences
from fnopt.train import CURVES

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


def create(sweep: "Sweep", folder: Path) -> bool:
    """Put the folder there by one rename, with all that resuming and replaying need.

    Returns:
        whether it is new; False where this very sweep, or a part of it, stands there already.

    Raises:
        ValueError: where the folder holds something else.
    """
    asked = manifest(sweep)
    if holds(folder):
        there = asked_of(folder)
        if there["identity"] != asked["identity"]:
            raise _taken(folder, f"another sweep ({_unlike(there, asked)})")
        return False
    _check_free(folder, asked["search"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        save_arrays(made / "data.npz", {**arrays_of(sweep.train, "train"), **arrays_of(sweep.dev, "dev")})
        write_atomically(made / "sweep.json", _text(asked))
        if holds(folder / COARSE):  # the folder is a sweep as soon as sweep.json, the last to come, is in it
            for name in ("data.npz", "sweep.json"):
                (made / name).replace(folder / name)
                sync(folder)
            made.rmdir()
            return True
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
        sync(folder.parent)  # the rename too, or a crash of the machine could take it back
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return True


def coarse_folder(folder: Path, n: int) -> Path:
    """Where the coarse sweep of a search in ``folder`` lives, ``n`` configurations of it; it need not be there yet.

    Raises:
        ValueError: where the folder holds something else, or a coarse sweep of another size.
    """
    if not holds(folder):
        _check_free(folder, FINE)
    elif asked_of(folder)["search"] != FINE:
        raise _taken(folder, "another sweep (its search differs)")
    there = len(asked_of(folder / COARSE)["configs"]) if holds(folder / COARSE) else n
    if there != n:
        raise _taken(folder, f"a search whose coarse sweep has {there} configurations, and this one's would have {n}")
    return folder / COARSE


def _check_free(folder: Path, search: str) -> None:
    """ValueError where a folder that holds no sweep holds anything else than this search has put there before it."""
    begun = search == FINE
    mine = {".lock", *((COARSE, "data.npz") if begun and holds(folder / COARSE) else ())}

    def known(name: str) -> bool:
        return name in mine or (begun and name.startswith(f".{COARSE}."))  # the latter: killed as it was made

    if folder.exists() and not (folder.is_dir() and all(known(path.name) for path in folder.iterdir())):
        raise _taken(folder, "something else")


def _taken(folder: Path, what: str) -> ValueError:
    return ValueError(f"{str(folder)!r} holds {what}; choose another folder, or remove it")


def _text(asked: Mapping[str, Any]) -> bytes:
    return (json.dumps(asked, indent=1) + "\n").encode()


def _unlike(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first thing in which two sweeps differ."""
    names = [name for name in asked if name not in NOT_IDENTITY and there.get(name) != asked[name]]
    return f"its {names[0]} differs" if names else "it differs"


FINE, COARSE = "coarse_to_fine", "coarse"  # the two sweeps of one search; the latter is also its folder, inside
NOT_IDENTITY = ("identity", "configs", "widths", "measured", "fingerprint", "versions", "notes", "digest")


def attach(sweep: "Sweep", folder: Path, anyway: bool = False) -> "Sweep":
    """This sweep with what ``folder`` holds of it; the folder is told of configurations that it lacks.

    Raises:
        ValueError: where the rest could not have the same bits, unless ``anyway``; where the folder holds more
            configurations than are asked for, or others; and where the rule that stops configurations compares all of
            them, so that more of them would have changed its decisions.
    """
    there, asked = asked_of(folder), manifest(sweep)
    old, new = there["configs"], asked["configs"]
    if new[: len(old)] != old:
        fewer = len(new) < len(old) and old[: len(new)] == new
        what = f"{len(old)} configurations of this sweep, more than n={len(new)}" if fewer else "other configurations"
        raise ValueError(f"{str(folder)!r} holds {what}; fo.open shows them, another folder takes a new sweep")
    state = read(folder)
    finished = state is not None and state[0]["finished"]
    if finished and len(new) == len(old):
        _fill(sweep, there, state)
        if sweep.finished:
            sweep.fingerprint = there["fingerprint"]
            return sweep
    if len(new) > len(old) and sweep.stop is not None and not sweep.stop.ordered:
        raise ValueError(
            f"a sweep under {type(sweep.stop).__name__.lower()} compares all its configurations and cannot be extended "
            f"from {len(old)} to {len(new)}; asynchronous_halving() can, or choose another folder"
        )
    if (unlike := differences(there["fingerprint"], sweep.fingerprint)) and not anyway:
        raise ValueError(
            f"{str(folder)!r} cannot go on with the same bits: {'; '.join(unlike)}. Or go on with others: anyway=True, "
            f"or fnopt resume {folder} --anyway"
        )
    _fill(sweep, there, state)
    sweep.fingerprint = there["fingerprint"]
    if len(new) > len(old):
        write_atomically(folder / "sweep.json", _text(manifest(sweep)))
        sweep.finished, sweep.ended = False, ""
    return sweep


def plan_anew(sweep: "Sweep", folder: Path) -> None:
    """Take down other widths C."""
    write_atomically(folder / "sweep.json", _text(manifest(sweep)))


def replan(sweep: "Sweep", folder: Path) -> None:
    """Take down other widths C: results that they concern are gone from the sweep, and go from the folder."""
    plan_anew(sweep, folder)
    write(folder, *state_of(sweep, sweep.places))


def _fill(sweep: "Sweep", there: Mapping[str, Any], state: Any) -> None:
    """The widths and the state that a folder holds, put into a sweep that was made anew."""
    from fnopt.run.measure import Measured
    from fnopt.run.programs import with_widths

    with_widths(sweep, there["widths"])
    sweep.measured = [Measured(*m) for m in there["measured"]]
    if state is not None:
        restored(sweep, *state)


def remove(folder: Path) -> None:
    """Take a sweep away that has no result; a coarse sweep before it stays."""
    if not (folder / COARSE).exists():
        shutil.rmtree(folder)
        return
    for path in folder.iterdir():
        if path.name != COARSE:
            path.unlink()


def holds(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return folder.is_dir() and _is_sweep(folder)


def _is_sweep(folder: Path) -> bool:
    return (folder / "sweep.json").exists()


def _begun(folder: Path) -> Path:
    """The folder itself, or the coarse sweep in it where a search was broken off before there was more."""
    return folder / COARSE if not holds(folder) and holds(folder / COARSE) else folder


def asked_of(folder: Path) -> dict[str, Any]:
    """What a folder's sweep was asked (the coarse one's, where it is all there is), checked against its digest.

    Raises:
        FileNotFoundError: where there is no such folder.
        ValueError: where it holds no sweep, or one that was altered, or of another format.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    folder = _begun(folder)
    if not _is_sweep(folder):
        raise ValueError(f"{str(folder)!r} holds no sweep: it has no sweep.json")
    asked = read_json(folder / "sweep.json")
    if not isinstance(asked, dict) or asked.get("format") != FORMAT:
        found = asked.get("format") if isinstance(asked, dict) else None
        raise ValueError(
            f"{str(folder)!r} has format {found!r}, this fnopt reads {FORMAT}: open it with the fnopt that wrote it, or "
            "choose another folder for a new sweep"
        )
    told = {name: value for name, value in asked.items() if name != "digest"}
    if text_digest(told) != asked.get("digest"):
        raise ValueError(f"{str(folder / 'sweep.json')!r} was altered: its digest is not that of its content")
    return asked


def finish(sweep: "Sweep", folder: Path) -> None:
    """Write the state and the tables; each file appears whole or not at all."""
    write(folder, *state_of(sweep, sweep.places))
    write_tables(sweep, folder)


def write_tables(sweep: "Sweep", folder: Path) -> None:
    """Write both tables, each whole or not at all."""
    write_atomically(folder / "results.csv", table_csv(sweep.table()).encode())
    write_atomically(folder / "curves.csv", curves_csv(sweep).encode())


def mend_tables(sweep: "Sweep", folder: Path) -> None:
    """Write the tables where the state is newer: a run may be killed after it, and before them."""
    state = max((path.stat().st_mtime_ns for path in folder.glob("checkpoint-*.bin")), default=0)
    tables = [folder / "results.csv", folder / "curves.csv"]
    if not all(path.is_file() and path.stat().st_mtime_ns >= state for path in tables):
        write_tables(sweep, folder)


def open_sweep(folder: str | Path, model: Model | None = None) -> "Sweep":
    """A finished or broken-off sweep from its folder, in another process: ranking, table, replay and refit work.

    Of a coarse-to-fine search that was broken off in its first stage, it is the coarse sweep, unfinished.

    Args:
        folder: what ``caviar(path=...)`` wrote.
        model: the model, where it was made by ``supervised``: functions are not written to files.

    Raises:
        FileNotFoundError: where there is no such folder.
        ValueError: where it holds no sweep, or was altered.
    """
    from fnopt.run.rebuild import rebuild

    whole, folder = Path(folder), _begun(Path(folder))
    asked = asked_of(folder)
    state = read(folder)
    try:
        train, dev = datasets(folder, asked)
        sweep = rebuild(asked, model_of(asked, model), train, dev)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{str(folder)!r} is damaged, or was written by another fnopt: {error!r}") from error
    if state is not None:
        restored(sweep, *state)
    add_cut(sweep)
    if folder != whole:
        sweep.finished, sweep.ended = False, sweep.ended or "interrupted"
    elif holds(folder / COARSE):
        sweep.coarse = open_sweep(folder / COARSE, model)
    return sweep


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
