"""Folders whose files were damaged, lost or swapped, and what then comes from resume, open, load and predict."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.abuse.outcome import Refused, called, command
from benchmarks.abuse.studies import Study, another, copy_of, finished, predictions, table, test_lines, unfinished
from benchmarks.abuse.tally import Failed, Trial

Alter = Callable[[Path, random.Random], None]


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def _append(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randrange(1, 40)))


def _zero(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    at = rng.randrange(len(content))
    path.write_bytes(content[:at] + bytes(len(content[at : at + 64])) + content[at + 64 :])


def _swap(path: Path, rng: random.Random) -> None:
    there = sorted(another().folder.glob(f"{path.name.split('-')[0]}*"))
    if there:
        shutil.copyfile(rng.choice(there), path)


def _swap_bytes(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    i, j = rng.randrange(len(content)), rng.randrange(len(content))
    content[i], content[j] = content[j], content[i]
    path.write_bytes(content)


def _folder_instead(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


ALTERATIONS: dict[str, Alter] = {
    "flip a bit": _flip,
    "cut": _cut,
    "append": _append,
    "zero 64 bytes": _zero,
    "empty": lambda path, rng: path.write_bytes(b""),
    "remove": lambda path, rng: path.unlink(),
    "another sweep's": _swap,
    "swap two bytes": _swap_bytes,
    "a folder instead": _folder_instead,
}


def _resume(folder: Path, study: Study) -> None:
    shown = command("resume", str(folder))
    if shown.code == 2:
        return
    if shown.code == 0:
        for name, truth in (("results.csv", study.results), ("curves.csv", study.curves)):
            if (folder / name).read_bytes() != truth:
                raise Failed(f"exit 0, and {name} is not the sweep's own")
        if test_lines(shown.out) != study.test:
            raise Failed(f"shows {test_lines(shown.out)} for {study.test}")
        if predictions(folder) != study.predictions:
            raise Failed("the model predicts something else")
        _open(folder, study)


def _open(folder: Path, study: Study) -> None:
    import fnopt as fo

    sweep = called(lambda: fo.open(folder))
    if isinstance(sweep, Refused):
        return
    for row in sweep.table():
        if row["status"] in ("done", "pruned") and sweep.finished and row["score"] != study.scores[row["config"]]:
            raise Failed(f"open shows {row['score']} for configuration {row['config']}, not {study.scores}")
    called(lambda: str(sweep))


def _load(folder: Path, study: Study) -> None:
    import fnopt as fo

    run = called(lambda: fo.load(folder / "model.safetensors"))
    if not isinstance(run, Refused):
        _predict(folder, study)


def _predict(folder: Path, study: Study) -> None:
    shown = command("predict", str(folder), str(table()), "--proba")
    if shown.code == 0 and shown.out.encode() != study.predictions:
        raise Failed("predicts something else")


ACTS = {"resume": _resume, "open": _open, "load": _load, "predict": _predict}


def _trials(study: Study, rng: random.Random, number: int) -> Iterator[Trial]:
    names = sorted(path.name for path in study.folder.iterdir() if path.is_file())
    plan = [(name, kind, act) for act in ACTS for kind in ALTERATIONS for name in names]
    rng.shuffle(plan)
    plan = (plan * (1 + number // len(plan)))[:number]
    for name, kind, act in plan:

        def do(name: str = name, kind: str = kind, act: str = act, seed: int = rng.randrange(1 << 30)) -> None:
            folder = copy_of(study)
            ALTERATIONS[kind](folder / name, random.Random(seed))
            ACTS[act](folder, study)
            shutil.rmtree(folder.parent)

        yield Trial(f"{kind}: {name}, then {act}", do)


def of_finished(rng: random.Random) -> Iterator[Trial]:
    """Altered folders of finished sweeps."""
    yield from _trials(finished(), rng, 400)


def of_unfinished(rng: random.Random) -> Iterator[Trial]:
    """Altered folders of sweeps that were broken off."""
    yield from _trials(unfinished(), rng, 300)
