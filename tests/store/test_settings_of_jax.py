"""A folder under other settings of JAX: each is named with its cure, and after the cure the call works."""

import ast
import os
import re
import subprocess
import sys

import jax
import pytest
from folder_cases import stored, sweep_of

import fnopt as fo
from fnopt.sweep.search import propose

SETTINGS = {
    "jax_enable_x64": True,
    "jax_threefry_partitionable": False,
    "jax_default_prng_impl": "rbg",
    "jax_random_seed_offset": 7,
    "jax_default_matmul_precision": "bfloat16",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_named_and_its_cure_works(name):
    folder = stored()[0]
    before = getattr(jax.config, name)
    jax.config.update(name, SETTINGS[name])
    try:
        n = 4  # of a finished sweep nothing is left to differ
        refused = pytest.raises(ValueError, match="cannot be continued with the same bits: ")
        with jax.numpy_dtype_promotion("standard"), refused as caught:
            sweep_of(n=n, path=folder)
        said = str(caught.value)
        assert "remove" not in said and f"{name.removeprefix('jax_').replace('enable_', '')} was" in said
        name_, value = re.search(r"jax\.config\.update\('(\w+)', (.+?)\)", said).groups()
        jax.config.update(name_, ast.literal_eval(value))
        assert getattr(jax.config, name) == before or str(getattr(jax.config, name)) == str(before)
    finally:
        jax.config.update(name, before)
    assert sweep_of(path=folder).attached
    env = re.search(r"(unset|set) (JAX_\w+)(?:=(\S+))? in the environment", said).groups()
    about = {k: v for k, v in os.environ.items() if k != env[1]} | ({env[1]: env[2]} if env[0] == "set" else {})
    if name == "jax_default_matmul_precision":  # the words None, once proposed here, break the import
        subprocess.run([sys.executable, "-c", "import jax"], env=about, check=True)


def test_draws_are_the_same_where_jit_is_off():
    kinds = dict(
        a=fo.log_uniform(1e-4, 0.3), b=fo.uniform(-1, 7), c=fo.one_minus_log_uniform(0.5, 0.9999), d=fo.normal(1, 2)
    )
    space = {**kinds, "e": fo.log_integer(3, 9000)}
    drawn = propose(space, 200, jax.random.key(1), "random")
    with jax.disable_jit():
        assert propose(space, 200, jax.random.key(1), "random") == drawn
