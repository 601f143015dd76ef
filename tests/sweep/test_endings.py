"""What ends a sweep from outside: signals, whose handlers stay the caller's own, and a watch that fails."""

import os
import signal

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt.cli.interrupts import never_lost

ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
DATA = fo.data.dataset(X, (X[:, 0] > 0).astype(np.int32))
# Two structures are two programs, one after the other on one thread: after the first result there is always more to do.
MODEL = fo.classifier(hidden=4)
SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), batch_size=16, optimizer="sgd", activation=fo.choice("relu", "tanh"))


class Acts:
    """A watch that does something once, after the first result."""

    def __init__(self, act):
        self.act = act

    def start(self, lanes, epochs):
        pass

    def tick(self, epochs):
        pass

    def done(self, results):
        act, self.act = self.act, lambda: None
        act()


def sweep_under(act, **options):
    return fo.caviar(MODEL, SPACE, DATA, n=12, epochs=2, threads=1, progress=Acts(act), **options)


def sends(number):
    return lambda: os.kill(os.getpid(), number)


@pytest.fixture(params=ENDS, ids=lambda number: number.name)
def number(request):
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


def test_an_ignored_signal_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    assert sweep_under(sends(number)).finished
    assert signal.getsignal(number) is signal.SIG_IGN


def test_the_callers_own_handler_is_called_and_the_sweep_ends(number):
    heard = []

    def own(*about):
        heard.append(about[0])

    signal.signal(number, own)
    sweep = sweep_under(sends(number))
    assert heard == [number] and not sweep.finished and signal.getsignal(number) is own
    assert sweep.ended == ("interrupted" if number == signal.SIGINT else "terminated")


def test_the_command_lines_handler_is_not_a_callers_own():
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        never_lost()
        sweep = sweep_under(sends(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
    assert not sweep.finished and sweep.ended == "interrupted"


def test_what_the_callers_handler_raises_comes_when_all_is_kept(number, tmp_path):
    def own(*_):
        raise ZeroDivisionError

    signal.signal(number, own)
    with pytest.raises(ZeroDivisionError):
        sweep_under(sends(number), path=tmp_path / "s")
    assert "done" in {row["status"] for row in fo.open(tmp_path / "s").table()}


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_a_watch_that_fails_ends_a_sweep_or_a_fit_and_what_is_done_is_kept(error):
    def raises():
        raise error

    with pytest.warns(UserWarning, match=rf"`progress` raised {type(error).__name__}: .*what was done is kept"):
        sweep = sweep_under(raises)
    done = [row for row in sweep.table() if row["status"] == "done"]
    assert not sweep.finished and sweep.ended == "interrupted" and done and np.isfinite(done[0]["score"])
    watch = Acts(lambda: None)
    watch.tick = lambda epochs: raises()
    with pytest.warns(UserWarning, match="what was done is kept"):
        run = fo.fit(MODEL, DATA, hyper=dict(lr=0.1, batch_size=16, optimizer="sgd"), epochs=9, progress=watch)
    assert 1 <= run.epochs < 9 and np.isfinite(run.scores["train"]["loss"]) and len(run.predict(X)) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_forked_child_gets_an_error_and_does_not_hang():
    jax.numpy.zeros(1).block_until_ready()
    read, write = os.pipe()
    if not (pid := os.fork()):
        try:
            fo.fit(MODEL, DATA, epochs=1)
        except RuntimeError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    said = os.read(read, 1000).decode()
    os.close(read)
    os.waitpid(pid, 0)
    assert "forked after JAX was used" in said and "spawn" in said
