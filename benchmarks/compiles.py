"""What a second sweep of the same structures compiles: traces, and programs that XLA built, counted by JAX itself.

python -m benchmarks.compiles
"""

import time

import jax

import fnopt as fo
from benchmarks.bits import SPACE

COMPILED = []
jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **_: (
        COMPILED.append(seconds) if name == "/jax/core/compile/backend_compile_duration" else None
    )
)


def main() -> None:
    """The same structures twice, with other values of the data, another key and other bounds."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    print("jax", jax.__version__)
    other = {**SPACE, "lr": fo.log_uniform(1e-3, 1.0), "dropout": fo.uniform(0.1, 0.2)}
    for label, space, key, shift in (("first ", SPACE, 1, 0.0), ("second", other, 2, 3.0)):
        parts = [part._replace(x=part.x + shift * part.x**2) for part in (train, dev)]
        jax.block_until_ready([part.x for part in parts])
        before, start = len(COMPILED), time.perf_counter()
        traces = fo.sweep.TRACES.total()
        fo.caviar(fo.classifier(), space, *parts, n=64, epochs=10, key=jax.random.key(key))
        print(
            f"{label} sweep: {fo.sweep.TRACES.total() - traces} traces, {len(COMPILED) - before} programs compiled, "
            f"{time.perf_counter() - start:.1f} s"
        )
    updates = []

    @jax.jit
    def update(state, grads):  # type: ignore[no-untyped-def]
        updates.append(1)
        return fo.optim.adam.update(state, grads)

    params = {"w": jax.numpy.ones((3, 2))}
    state = update(fo.optim.adam.init(params, lr=1e-3), params)
    update(state._replace(hyper=state.hyper._replace(lr=1e-4)), params)
    print(f"state._replace(hyper=state.hyper._replace(lr=1e-4)): {len(updates)} trace for both learning rates")


if __name__ == "__main__":
    main()
