"""A sweep's folder: plain files, written atomically, never executed.

    .lock                which process holds the folder, taken before anything else is written
    sweep.json           what was asked: model, configurations, key, rules, versions, fingerprint, C of each structure
    data.npz             the data, as the sweep got it
    checkpoint-N.bin     the newest two states: results, curves, the best weights, lanes under way, lineages (see
                         ``generations``)
    results.csv          one row a configuration: no times and no paths, so equal runs give equal files
    curves.csv           one row a configuration, seed, fold and epoch
    coarse/              the first sweep of a coarse-to-fine search, which is there before the files above

``data.npz`` and then ``sweep.json`` appear before anything is compiled; a state now and then while the sweep runs, and
the tables when it ends. All but the tables carry digests of what they hold, and every state says of which sweep it is.
The tables are made from the state and written again where they differ from it. Digests show accidents. They do not show
a forger, who can compute them again; so whatever a file says is checked for its type and range before it is used.
"""

import json
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fnopt.model import Model
from fnopt.run.checkpoint import Stored, add_cut, decoded, put_into, state_of
from fnopt.run.generations import read, write
from fnopt.run.lock import NAME as LOCK
from fnopt.run.lock import locked
from fnopt.run.manifest import FORMAT, arrays_of, datasets, manifest, model_of, not_in_file, text_digest
from fnopt.run.manifest_schema import check_manifest
from fnopt.run.plain import save_arrays
from fnopt.run.tables import curves_csv as curves_csv
from fnopt.run.tables import table_csv as table_csv
from fnopt.run.tables import write_tables
from fnopt.run.unlike import OtherSweep, Taken, cure, settings_unlike
from fnopt.store.atomic import TRIES, Folder, leftover, make_folder, put
from fnopt.store.schema import read_json
from fnopt.sweep.chunk import Place
from fnopt.sweep.plan import differences

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

ASKED, DATA = "sweep.json", "data.npz"
FINE, COARSE = "coarse_to_fine", "coarse"  # the two sweeps of one search; the latter is also its folder, inside
MOST = 2**28  # bytes of sweep.json


class Store(Protocol):
    """Where the record of a sweep is kept."""

    def open(self, sweep: "Sweep", anyway: bool) -> "Sweep":
        """The sweep with what is kept of it: nothing where it is new; ValueError where another one is kept."""
        ...

    def save(self, sweep: "Sweep", under_way: Sequence[Place]) -> None:
        """Keep its state."""
        ...

    def finish(self, sweep: "Sweep") -> None:
        """Save its state and the tables of it."""
        ...


class FolderStore:
    """The record of a sweep in a folder that is held; :func:`hold` returns one.

    All that is written goes into the folder that was locked. Where that was moved it goes along; where it was removed
    the next write raises OSError.
    """

    def __init__(self, folder: Folder, given: str):
        self.folder, self.given = folder, given
        self.new = False  # whether this call put the sweep there
        self._of: dict[str, Any] = {}  # of which sweep a state is

    def open(self, sweep: "Sweep", anyway: bool = False) -> "Sweep":
        """Begin the sweep in a folder that is empty; else take what the folder holds of it.

        Raises:
            OtherSweep: a ValueError, where the folder holds another sweep.
            ValueError: where it holds anything else; where the rest of the sweep could not have the same bits, unless
                ``anyway``; where it holds more configurations than are asked for, or others; and where the rule that
                stops configurations compares all of them, so that more of them would have changed its decisions.
        """
        asked = manifest(sweep)
        self._of = _of(asked)
        if not is_sweep(self.folder):
            self._begin(sweep, asked)
            self.new = True
            return sweep
        there = asked_in(self.folder)
        if there["identity"] != asked["identity"]:
            raise OtherSweep(self.given, there, asked)
        return self._attach(sweep, there, asked, anyway)

    def _begin(self, sweep: "Sweep", asked: Mapping[str, Any]) -> None:
        """The data, then what was asked: the folder holds a sweep as soon as the latter has its name."""
        check_free(self.folder, asked["search"], self.given)
        _clear(self.folder)
        try:
            with self.folder.new(ASKED) as handle:
                put(handle, memoryview(_text(asked)))
                self._write_data(sweep)
        except BaseException:
            if not is_sweep(self.folder):
                with suppress(OSError):
                    self.folder.unlink(DATA)
            raise

    def _write_data(self, sweep: "Sweep") -> None:
        with self.folder.new(DATA) as handle:
            save_arrays(handle, {**arrays_of(sweep.train, "train"), **arrays_of(sweep.dev, "dev")})

    def _attach(self, sweep: "Sweep", there: Mapping[str, Any], asked: Mapping[str, Any], anyway: bool) -> "Sweep":
        old, new = there["configs"], asked["configs"]
        if new[: len(old)] != old:
            if settings_unlike(there, asked):
                raise OtherSweep(self.given, there, asked)
            raise Taken(self._other_configs(old, new, asked))
        self._mend_data(sweep, there)
        _with_plan(sweep, there)
        stored = _read(self.folder, sweep, there)
        if stored is not None and stored.finished and len(new) == len(old):
            put_into(sweep, stored)
            if sweep.finished:
                sweep.fingerprint = there["fingerprint"]
                return sweep
        if len(new) > len(old) and sweep.stop is not None and not sweep.stop.ordered:
            raise ValueError(
                f"a sweep under {type(sweep.stop).__name__.lower()} compares all its configurations and cannot be "
                f"extended from {len(old)} to {len(new)}; asynchronous_halving() can, or choose another folder"
            )
        if (unlike := differences(there["fingerprint"], sweep.fingerprint)) and not anyway:
            raise ValueError(
                f"{self.given!r} cannot be continued with the same bits: {'; '.join(unlike)}. Or continue with others: "
                f"anyway=True, or fnopt resume {shlex.quote(self.given)} --anyway"
            )
        if stored is not None:
            put_into(sweep, stored)
        sweep.fingerprint = there["fingerprint"]
        if len(new) > len(old):
            self.plan_anew(sweep)
            sweep.finished, sweep.ended = False, ""
        return sweep

    def _other_configs(self, old: list[Any], new: list[Any], asked: Mapping[str, Any]) -> str:
        if len(new) < len(old) and old[: len(new)] == new:
            terminal = "command" in asked["notes"]
            fewer = f"{'--n ' if terminal else 'n='}{len(new)} asks for fewer"
            return f"{self.given!r} holds {len(old)} configurations of this sweep, {fewer}. {cure(self.given, asked)}"
        return f"{self.given!r} holds other configurations of this sweep. {cure(self.given, asked)}"

    def _mend_data(self, sweep: "Sweep", there: Mapping[str, Any]) -> None:
        """Write the data again where they are missing or damaged: the caller has brought the same."""
        try:
            datasets(self.folder, there)
        except ValueError as error:
            if self.folder.regular(DATA) is not None:
                warnings.warn(f"{error}; it is written again", stacklevel=2)
            self._write_data(sweep)

    def read(self, sweep: "Sweep") -> Stored | None:
        """The newest state that is whole and of this sweep; None where there is none."""
        return _read(self.folder, sweep, asked_in(self.folder))

    def save(self, sweep: "Sweep", under_way: Sequence[Place]) -> None:
        """Write the state."""
        meta, arrays = state_of(sweep, under_way)
        write(self.folder, {"of": self._of, **meta}, arrays)

    def finish(self, sweep: "Sweep") -> None:
        """Write the state and the tables; each file appears whole or not at all."""
        self.save(sweep, sweep.places)
        write_tables(sweep, self.folder)
        if not self.folder.named():
            warnings.warn(
                f"{self.given!r} was moved, removed or replaced while the sweep ran; what it wrote is in the folder "
                "that was there when it began",
                stacklevel=2,
            )

    def plan_anew(self, sweep: "Sweep") -> None:
        """Write other widths C, or more configurations."""
        asked = manifest(sweep)
        self.folder.write(ASKED, _text(asked))
        self._of = _of(asked)

    def replan(self, sweep: "Sweep") -> None:
        """Write other widths C: results that they concern are gone from the sweep, and go from the folder."""
        self.plan_anew(sweep)
        self.save(sweep, sweep.places)

    def discard(self) -> None:
        """Remove what this call has begun, which has no result; whatever else is in the folder stays."""
        if self.new:
            states = [name for name in self.folder.names() if name.startswith("checkpoint-") and name.endswith(".bin")]
            for name in (DATA, ASKED, *states):
                self.folder.unlink(name)
            self.folder.sync()


@contextmanager
def hold(path: str | Path | Folder, search: str = "") -> Iterator[FolderStore]:
    """Hold a folder for the length of a ``with``, created where it is missing; the lock comes before its first byte.

    A folder that this call created, and that is empty in the end, is removed.

    Args:
        path: where; an open folder is one that the caller holds.
        search: how configurations are found; a coarse-to-fine search finds its first stage in the folder.

    Raises:
        Locked: a ValueError, where another caller holds it.
        ValueError: where it holds something else than a sweep.
        OSError: where it cannot be created or written.
    """
    if isinstance(path, Folder):
        yield FolderStore(path, str(path.path))
        return
    for _ in range(TRIES):
        made = make_folder(path)
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(Folder(path))
                fresh = folder.status(LOCK) is None
                if fresh and not made and not is_sweep(folder):
                    _check_unheld(folder, search, str(path))
                stack.enter_context(locked(folder))
            except FileNotFoundError:
                continue  # the caller that had created it has removed it
            if not folder.named():
                continue
            try:
                yield FolderStore(folder, str(path))
            finally:
                _tidy(folder, fresh, made)
            return
    raise OSError(f"{str(path)!r} is created and removed by another process; choose another folder")


def _tidy(folder: Folder, fresh: bool, made: bool) -> None:
    """Take the lock away from a folder where nothing else is, and the folder with it where it was created for this."""
    with suppress(OSError):
        if fresh and folder.names() == [LOCK]:
            folder.unlink(LOCK)
            if made and folder.named():
                folder.path.rmdir()


def _check_unheld(folder: Folder, search: str, given: str) -> None:
    """:func:`check_free` before the lock is taken: into a folder of other files not even a lock is written.

    Where another caller has begun in it meanwhile, what is there is judged once the lock is held.
    """
    try:
        check_free(folder, search, given)
    except Taken:
        if folder.status(LOCK) is None:
            raise


def check_free(folder: Folder, search: str, given: str) -> None:
    """ValueError where a folder that holds no sweep holds anything else than a beginning of one."""
    names = set(folder.names()) - {LOCK}
    names -= {name for name in names if _begun_file(name)}
    names -= {COARSE} if search == FINE else set()
    if DATA in names and _marked(folder):
        names.remove(DATA)
    if names:
        some = ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
        raise Taken(f"{given!r} holds something else than a sweep ({some}): choose another folder")


def _begun_file(name: str) -> bool:
    return any(leftover(file).fullmatch(name) for file in (ASKED, DATA))


def _marked(folder: Folder) -> bool:
    """Whether a beginning was broken off between its two names: the second file is there, without its own."""
    return any(leftover(ASKED).fullmatch(name) for name in folder.names())


def _clear(folder: Folder) -> None:
    """Remove what a process left that died while it began; the mark goes last."""
    if _marked(folder):
        folder.unlink(DATA)
    folder.remove_stale(leftover(DATA))
    folder.remove_stale(leftover(ASKED))


def coarse_folder(folder: Folder, n: int) -> Path:
    """Where the coarse sweep of a search in ``folder`` lives, ``n`` configurations of it; it need not be there yet.

    Raises:
        ValueError: where the folder holds something else, or a coarse sweep of another size.
    """
    if is_sweep(folder) and asked_in(folder)["search"] != FINE:
        raise Taken(f"{str(folder.path)!r} holds another sweep: its search differs; choose another folder")
    inside = folder.path / COARSE
    there = len(asked_of(inside)["configs"]) if holds(inside) else n
    if there != n:
        raise Taken(
            f"{str(folder.path)!r} holds a search whose coarse sweep has {there} configurations, and this one's would "
            f"have {n}; choose another folder"
        )
    return inside


def _text(asked: Mapping[str, Any]) -> bytes:
    return (json.dumps(asked, indent=1) + "\n").encode()


def _of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of which sweep a state is: its identity, and its configurations, of which there may be more later."""
    configs = asked["configs"]
    return {"identity": asked["identity"], "n": len(configs), "configs": text_digest(configs)}


def _with_plan(sweep: "Sweep", there: Mapping[str, Any]) -> None:
    """The widths that a folder holds, put into a sweep that is built again."""
    from fnopt.run.measure import Measured
    from fnopt.run.programs import with_widths

    with_widths(sweep, there["widths"])
    sweep.measured = [Measured(*m) for m in there["measured"]]


def _read(folder: Folder, sweep: "Sweep", there: Mapping[str, Any]) -> Stored | None:
    return read(folder, partial(decoded, sweep, there["configs"], there["identity"]))


def holds(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    if not folder.is_dir():
        return False
    with Folder(folder) as opened:
        return is_sweep(opened)


def is_sweep(folder: Folder) -> bool:
    """Whether an open folder holds a sweep."""
    return folder.status(ASKED) is not None


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
    with Folder(_begun(folder)) as opened:
        return asked_in(opened)


def asked_in(folder: Folder) -> dict[str, Any]:
    """The same of an open folder."""
    path = str(folder.path / ASKED)
    if not is_sweep(folder):
        raise ValueError(f"{str(folder.path)!r} holds no sweep: it has no {ASKED}")
    asked = read_json(folder.read(ASKED, MOST), path)
    if not isinstance(asked, dict) or type(asked.get("format")) is not int or asked["format"] != FORMAT:
        found = asked.get("format") if isinstance(asked, dict) else None
        raise ValueError(
            f"{str(folder.path)!r} has format {found!r:.50}, this fnopt reads {FORMAT}: open it with the fnopt that "
            "wrote it, or choose another folder for a new sweep"
        )
    told = {name: value for name, value in asked.items() if name != "digest"}
    if text_digest(told) != asked.get("digest"):
        raise ValueError(f"{path!r} was altered: its digest is not that of its content")
    check_manifest(asked, path)
    return asked


def open_sweep(folder: str | Path, model: Model | None = None) -> "Sweep":
    """A finished or interrupted sweep from its folder, in another process: ranking, table, replay and refit work.

    Of a coarse-to-fine search that was interrupted in its first stage, it is the coarse sweep, unfinished.

    Args:
        folder: what ``caviar(path=...)`` wrote.
        model: the model, where it was made by ``supervised``: functions are not written to files.

    Raises:
        FileNotFoundError: where there is no such folder.
        ValueError: where it holds no sweep, or was altered.
    """
    whole = Path(folder)
    asked = asked_of(whole)  # which looks for the folder first
    path = _begun(whole)
    with Folder(path) as opened:
        sweep = _rebuilt(opened, asked, model)
        stored = _read(opened, sweep, asked)
    if stored is not None:
        put_into(sweep, stored)
    add_cut(sweep)
    if path != whole:
        sweep.finished, sweep.ended = False, sweep.ended or "interrupted"
    elif holds(whole / COARSE):
        sweep.coarse = open_sweep(whole / COARSE, model)
    return sweep


def _rebuilt(folder: Folder, asked: Mapping[str, Any], model: Model | None) -> "Sweep":
    """The sweep that was asked for; whatever does not go together in a file is one line that names the file."""
    from fnopt.run.rebuild import rebuild

    train, dev = datasets(folder, asked)
    if model is None and not_in_file(asked["model"]):
        model_of(asked, model)  # says what to give
    try:
        return rebuild(asked, model_of(asked, model), train, dev)
    except MemoryError:
        raise
    except Exception as error:  # a file may say anything, so what is built from it may raise anything
        why = error if isinstance(error, ValueError) else f"it does not describe a sweep ({type(error).__name__})"
        raise ValueError(
            f"{str(folder.path / ASKED)!r} is damaged, or was written by another fnopt: {why!s:.300}"
        ) from error
