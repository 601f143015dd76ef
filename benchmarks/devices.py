"""The same bits on 1, 2, 4 and 8 host devices, with 1 and 2 threads, under every rule; and NPROC on one core.

python -m benchmarks.devices
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"

import jax

import fnopt as fo
from benchmarks.bits import SPACE

RULES = {
    "no rule": None,
    "halving": fo.halving(),
    "hyperband": fo.hyperband(),
    "median": fo.median(),
    "asynchronous": fo.asynchronous_halving(),
}
ON_ONE_CORE = """
import os, sys
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
import fnopt as fo
sweep = fo.open(sys.argv[1])
try:
    print(all(sweep.replay(i).going.result.digest == sweep.kept.lanes[i, 0, 0].digest for i in (0, 7, 23)))
except Exception as error:
    print(type(error).__name__, error)
"""


LARGE = """
import fnopt as fo
for width, batch in ((64, 600), (256, 1024)):
    model = fo.classifier(hidden=(width,), batch_size=batch)
    print(fo.fit(model, fo.data.digits(), hyper=dict(lr=1e-2), epochs=3).going.result.digest)
"""


def _said(code: str, **environment: str) -> str:
    """What a fresh process with this environment, and the devices that there are, prints."""
    usual = {k: v for k, v in os.environ.items() if k not in ("NPROC", "XLA_FLAGS")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**usual, **environment}, capture_output=True, text=True, check=True).stdout


def sweep_of(n: int = 24, **options) -> fo.Sweep:  # type: ignore[no-untyped-def]
    """Some configurations of digits over all merged structures."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    return fo.caviar(fo.classifier(), SPACE, train, dev, n=n, epochs=10, key=jax.random.key(5), **options)


def bits(sweep: fo.Sweep) -> list[str]:
    """The digest of every lane's weights."""
    return [r.digest for _, r in sorted(sweep.kept.lanes.items())]


def main() -> None:
    """Each number of devices and threads against one device and one thread."""
    print("jax", jax.__version__)
    for name, rule in RULES.items():
        whole = bits(sweep_of(stop=rule, threads=1))
        for devices, threads in ((1, 2), (2, 2), (4, 4), (8, 8)):
            if rule is None or devices in (1, 2):
                other = bits(sweep_of(stop=rule, devices=jax.devices()[:devices], threads=threads))
                print(f"{name}, {devices} devices, {threads} threads: equal in every bit: {other == whole}", flush=True)
    large = {n: _said(LARGE, NPROC=n) for n in ("1", "2")}
    print(f"batches of 600 and 1024, pools of 1 and 2 threads: equal in every bit: {large['1'] == large['2'] != ''}")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "s")
        sweep_of(path=path)
        for nproc in ("2", None):
            inherited = {k: v for k, v in os.environ.items() if k != "NPROC"}
            environment = inherited if nproc is None else {**inherited, "NPROC": nproc}
            said = subprocess.run(
                [sys.executable, "-c", ON_ONE_CORE, path], env=environment, capture_output=True, text=True, check=False
            )
            told = (
                said.stdout.strip() + " " + "".join(line for line in said.stderr.splitlines() if "other bits" in line)
            )
            print(f"replay on one core, NPROC={nproc}: {told}", flush=True)


if __name__ == "__main__":
    main()
