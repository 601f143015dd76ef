"""Results for TensorBoard: one of its runs a lane, with curves and hyperparameters."""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fnopt._checks import require
from fnopt.run.tracking import About, Record


@dataclass(frozen=True)
class TensorBoard:
    """See :func:`tensorboard`."""

    folder: Path
    curves: bool = True

    def open(self, about: About) -> "Runs":
        """The sweep's folder, with the runs in it."""
        return Runs(self.folder / about.sweep, self.curves)


def tensorboard(folder: str | Path, *, curves: bool = True) -> TensorBoard:
    """Event files in ``folder/SWEEP/LANE``, one folder a lane, for ``tensorboard --logdir folder``.

    Scalars are the scores, the cost and the learning rate of each epoch; the tab HPARAMS compares lanes. The files are
    written by tensorboardX, which needs neither TensorFlow nor torch, and opens no connection.

    Args:
        folder: made where it is missing.
        curves: False for the final scores alone: of many lanes the curves are most of the time and the bytes.

    Raises:
        ImportError: where tensorboardX is not installed, with the line that installs it.
    """
    require("tensorboardX", "track")
    return TensorBoard(Path(folder), curves)


class Runs:
    """The folder of one sweep."""

    def __init__(self, folder: Path, curves: bool):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._curves = folder, curves
        self.there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}

    def write(self, record: Record) -> None:
        """One run, whole or not at all: its folder gets its name when the files in it are closed."""
        library: Any = require("tensorboardX", "track")
        made = self._folder / f".{record.lane}.tmp"
        if made.exists():
            shutil.rmtree(made)  # a process was killed while it wrote
        with library.SummaryWriter(str(made)) as writer:
            for name, values in record.curves.items() if self._curves else ():
                for epoch, value in enumerate(values, 1):
                    if math.isfinite(value):
                        writer.add_scalar(name, float(value), epoch)
            final = {f"final/{name}": value for name, value in record.scores.items() if math.isfinite(value)}
            told = {"config": record.config, "seed": record.seed, "fold": record.fold, "status": record.status}
            for summary in library.summary.hparams({**told, **_plain(record.hyper)}, final):
                writer.file_writer.add_summary(summary)
            for name, value in final.items():
                writer.add_scalar(name, value, record.epochs)
        made.rename(self._folder / record.lane)

    def close(self) -> None:
        """Nothing is left open."""


def _plain(hyper: dict[str, Any]) -> dict[str, Any]:
    return {name: v if isinstance(v, bool | int | float | str) else str(v) for name, v in hyper.items()}
