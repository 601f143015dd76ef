"""Results for MLflow: one of its runs a lane, in a local folder."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fnopt._checks import require
from fnopt.run.tracking import About, Record

SWEEP, LANE = "fnopt.sweep", "fnopt.lane"  # the tags by which a run is found again
ENDS = {"diverged": "FAILED", "pruned": "KILLED"}
AT_ONCE = 1000, 100  # metrics and parameters that MLflow takes in one call


@dataclass(frozen=True)
class Mlflow:
    """See :func:`mlflow`."""

    experiment: str
    folder: Path
    curves: bool = True
    client: Any = None

    def open(self, about: About) -> "Experiment":
        """The experiment, made where it is missing, with the runs of this sweep that are in it."""
        return Experiment(self.client or _local(self.folder), self.experiment, about.sweep, self.curves)


def mlflow(experiment: str, folder: str | Path = "mlruns", *, curves: bool = True, client: Any = None) -> Mlflow:
    """Runs of an MLflow experiment, in a local folder, for ``mlflow ui --backend-store-uri folder``.

    Each lane is a run with its numbers as parameters and its curves as metrics, a step an epoch. fnopt opens no
    connection, so ``folder`` is never an address, and MLflow's reports of its use are turned off where the environment
    says nothing of them (``MLFLOW_DISABLE_TELEMETRY``). For a server or a database, give a client of your own.

    Args:
        experiment: its name.
        folder: made where it is missing.
        curves: False for the final scores alone: MLflow writes each point on its own.
        client: an ``mlflow.MlflowClient`` instead of the folder.

    Raises:
        ImportError: where MLflow is not installed, with the line that installs it.
        ValueError: where ``folder`` is the address of a server.
    """
    if "://" in str(folder):
        raise ValueError(
            f"`folder` must be a local folder, got {str(folder)!r}: fnopt opens no connection. For a server or a "
            "database write fo.track.mlflow(…, client=mlflow.MlflowClient(tracking_uri=…))"
        )
    if client is None:
        _library()
    return Mlflow(experiment, Path(folder), curves, client)


def _library() -> Any:
    # MLflow reads both when it is imported; newer ones ask for the second before they write to a folder.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    return require("mlflow", "track")


def _local(folder: Path) -> Any:
    return _library().MlflowClient(tracking_uri=folder.absolute().as_uri())


class Experiment:
    """One sweep's runs."""

    def __init__(self, client: Any, experiment: str, sweep: str, curves: bool):
        self._client, self._curves = client, curves
        self._entities = require("mlflow.entities", "track")
        found = client.get_experiment_by_name(experiment)
        self._id = client.create_experiment(experiment) if found is None else found.experiment_id
        self.there: set[str] = set()
        token = None
        while token != "":
            some = client.search_runs([self._id], f"tags.`{SWEEP}` = '{sweep}'", page_token=token)
            for run in some:
                if run.info.status == "RUNNING":  # a process was killed while it wrote
                    client.delete_run(run.info.run_id)
                else:
                    self.there.add(run.data.tags[LANE])
            token = some.token or ""

    def write(self, record: Record) -> None:
        """One run."""
        e, now = self._entities, int(1000 * time.time())
        tags = {SWEEP: record.sweep, LANE: record.lane, "status": record.status, "why": record.why}
        run = self._client.create_run(self._id, run_name=f"{record.sweep}/{record.lane}", tags=tags).info.run_id
        metrics = [
            e.Metric(name, float(value), now, epoch)
            for name, values in (record.curves if self._curves else {}).items()
            for epoch, value in enumerate(values, 1)
            if value == value
        ]
        metrics += [e.Metric(f"final/{n}", v, now, record.epochs) for n, v in record.scores.items() if v == v]
        told = {"config": record.config, "seed": record.seed, "fold": record.fold, **record.hyper}
        params = [e.Param(name, str(value)) for name, value in told.items()]
        for k in range(0, len(metrics), AT_ONCE[0]):
            self._client.log_batch(run, metrics=metrics[k : k + AT_ONCE[0]])
        for k in range(0, len(params), AT_ONCE[1]):
            self._client.log_batch(run, params=params[k : k + AT_ONCE[1]])
        self._client.set_terminated(run, ENDS.get(record.status, "FINISHED"))

    def close(self) -> None:
        """Nothing is left open."""
