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
from fnopt.sweep.plan import cores

RULES = {
    "no rule": None,
    "halving": fo.halving(),
    "hyperband": fo.hyperband(),
    "median": fo.median(),
    "asynchronous": fo.asynchronous_halving(),
}
CUT = """
import os, sys
folder, cores, minutes = sys.argv[1:]
if cores == "one":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax
import fnopt as fo
space = dict(lr=fo.log_uniform(1e-4, 1e-2), hidden=fo.choice((64,), (1024,)), batch_size=64)
options = dict(n=8, epochs=3, key=jax.random.key(5), path=folder, minutes=float(minutes) or None)
try:
    sweep = fo.caviar(fo.classifier(), space, fo.data.digits(), **options)
    print(*(r.digest for _, r in sorted(sweep.kept.lanes.items())) if sweep.finished else ["broken off"])
except ValueError as error:
    print(error)
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
        whole, one, cut = (str(Path(folder) / name) for name in ("whole", "one", "cut"))
        unbroken = _cut(whole, "all", "0")
        print("on one core, a pool of one: the bits of all cores:", _cut(one, "one", "0") == unbroken, flush=True)
        print("on all cores:", _cut(cut, "all", "1e-9"))
        print("resumed on one core:", _cut(cut, "one", "0"), flush=True)
        same = _cut(cut, "one", "0", NPROC=str(cores())) == unbroken
        print(f"resumed on one core, NPROC={cores()}: the bits of the unbroken sweep on all cores: {same}", flush=True)


def _cut(*arguments: str, **environment: str) -> str:
    """What a sweep says in a process of its own, without this one's devices."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NPROC", "XLA_FLAGS")}
    command = [sys.executable, "-c", CUT, *arguments]
    return subprocess.check_output(command, env={**inherited, **environment}, text=True, stderr=subprocess.DEVNULL)[:-1]


if __name__ == "__main__":
    main()
