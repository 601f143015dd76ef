"""What an import and a look at the help bring with them, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fnopt

ROOT = Path(fnopt.__file__).parent.parent
OURS = """
import json, sys
import fnopt as fo
light = sorted(sys.modules)
[getattr(fo, name) for name in fo.__all__]
print(json.dumps([light, sorted(sys.modules)]))
"""
THEIRS = """
import json, sys
import jax, jax.numpy, chex, numpy
print(json.dumps(sorted(sys.modules)))
"""
HELP = """
import contextlib, io, json, sys
from fnopt.cli.entry import run
for words in (["--help"], ["sweep", "--help"], ["resume", "--help"], ["predict", "--help"], ["sweep", "--epoch", "3"]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(words)
print(json.dumps(sorted(sys.modules)))
"""


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def parts(modules):
    return {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names)


def test_all_of_it_loads_jax_chex_numpy_and_what_these_load():
    light, all_of_it = python(OURS)
    allowed = parts(python(THEIRS)) | {"fnopt", "jax", "jaxlib", "chex", "numpy"}
    assert parts(all_of_it) <= allowed, parts(all_of_it) - allowed
    assert parts(light) & {"jax", "chex", "numpy"} == set()  # each name is imported when it is first asked for


def test_help_and_a_misspelt_option_do_without_jax():
    assert parts(python(HELP)) & {"jax", "jaxlib", "chex", "numpy", "scipy"} == set()
