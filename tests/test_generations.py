"""Generations: faults at every call, kills, every bit of the header, a full disk: never a wrong number."""

import errno
import hashlib
import io
import json
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt.run import generations, lock
from fnopt.run.generations import DTYPES, Damaged, parse, read, write
from fnopt.run.lock import Locked, locked
from fnopt.store import atomic


def contents(k):
    """Some arrays, other ones for every k, and meta beside them."""
    arrays = {
        "w": np.full((3, 5), k / 3, np.float32),
        "half": np.asarray([k, k + 1], DTYPES["bfloat16"]),
        "key": np.asarray([k, 2**32 - 1 - k], np.uint32),
        "step": np.asarray(k, np.int64),
        "none": np.zeros((0, 4), np.float16),
        "on": np.asarray([True, k % 2 == 0]),
    }
    return {"k": k, "scores": [0.1 * k, None]}, arrays


def equal(got, k):
    meta, arrays = contents(k)
    return (
        got is not None
        and got[0] == meta
        and list(got[1]) == list(arrays)
        and all(same(got[1][n], a) for n, a in arrays.items())
    )


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def holding(folder, *ks):
    for k in ks:
        write(folder, *contents(k))
    return folder


# ---- whole files -----------------------------------------------------------------------------------------------------


def test_the_newest_of_two_is_read(tmp_path):
    folder = tmp_path / "deep" / "sweep"
    assert read(folder) is None
    folder.mkdir(parents=True)
    others = ["checkpoint-0000009.bin", "checkpoint-1.bin"]
    for name in others:
        (folder / name).write_bytes(b"somebody else's")
    assert read(folder) is None
    for k in (1, 2, 3, 4):
        assert write(folder, *contents(k)) == k
        assert equal(read(folder), k)
    assert names(folder) == [others[0], "checkpoint-000003.bin", "checkpoint-000004.bin", others[1]]


def test_the_file_is_as_described(tmp_path):
    """Read by hand, from the module's docstring alone."""
    meta, arrays = contents(1)
    write(tmp_path, meta, arrays)
    data = (tmp_path / "checkpoint-000001.bin").read_bytes()
    magic, version, length, total = struct.unpack("<8sQQQ", data[:32])
    assert (magic, version, total) == (b"fnoptgen", 1, len(data))
    assert data[32:64] == hashlib.sha256(data[:32] + data[64 : 64 + length]).digest()
    header = json.loads(data[64 : 64 + length].decode("ascii"))
    assert header["generation"] == 1 and header["meta"] == meta
    place = 64 + length
    for record, (name, array) in zip(header["arrays"], arrays.items(), strict=True):
        raw = data[place : place + array.nbytes]
        assert record["name"] == name and record["sha256"] == hashlib.sha256(raw).hexdigest()
        assert record["dtype"] == array.dtype.name and record["shape"] == list(array.shape)
        assert raw == array.tobytes()
        place += array.nbytes
    assert place == len(data)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    arrays=st.dictionaries(
        st.text(max_size=8),
        st.tuples(
            st.sampled_from(sorted(DTYPES)),
            st.lists(st.integers(0, 4), max_size=4),
            st.sampled_from(["C", "F", "strided", "big-endian", "read-only"]),
            st.integers(0, 2**32 - 1),
        ),
        max_size=4,
    ),
    meta=st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=3,
    ),
)
def test_all_bits_come_back(arrays, meta):
    def made(kind, shape, layout, seed):
        raw = np.random.default_rng(seed).integers(0, 256, (*shape, DTYPES[kind].itemsize), np.uint8)
        raw = raw % 2 if kind == "bool" else raw
        array = np.ascontiguousarray(raw).view(DTYPES[kind]).reshape(shape)
        if layout == "F":
            return np.asarray(array, order="F")
        if layout == "strided" and shape:
            return np.repeat(array, 2, axis=-1)[..., ::2]
        if layout == "big-endian" and kind != "bfloat16":
            return array.astype(array.dtype.newbyteorder(">"))
        array.flags.writeable = layout != "read-only"
        return array

    arrays = {name: made(*how) for name, how in arrays.items()}
    with tempfile.TemporaryDirectory() as folder:
        write(folder, meta, arrays)
        again = read(folder)
    assert again is not None and repr(again[0]) == repr(meta) and list(again[1]) == list(arrays)
    for name, array in arrays.items():
        assert same(again[1][name], array.astype(DTYPES[array.dtype.name])) and again[1][name].flags.writeable


def test_odd_names_and_jax_arrays(tmp_path):
    import jax.numpy as jnp

    arrays = {"\ud800": np.float32(2.5), "": jnp.arange(3, dtype=jnp.bfloat16), "../β\0": jnp.zeros(())}
    write(tmp_path, {"\udfff": "\0"}, arrays)
    meta, again = read(tmp_path)
    assert meta == {"\udfff": "\0"}
    assert list(again) == list(arrays) and all(same(again[n], np.asarray(a)) for n, a in arrays.items())


def test_on_a_big_endian_machine_the_file_is_little_endian(tmp_path, monkeypatch):
    monkeypatch.setattr(generations, "sys", types.SimpleNamespace(byteorder="big"))
    arrays = {"a": np.arange(3, dtype=np.float64), "b": np.ones(2, DTYPES["bfloat16"]), "c": np.ones((), np.complex64)}
    write(tmp_path, {}, arrays)
    assert (
        (tmp_path / "checkpoint-000001.bin")
        .read_bytes()
        .endswith(b"".join(a.byteswap().tobytes() for a in arrays.values()))
    )
    assert all(same(read(tmp_path)[1][name], a) for name, a in arrays.items())


@pytest.mark.parametrize(
    ("meta", "array", "error", "says"),
    [
        ({"loss": float("nan")}, 1.0, ValueError, "cannot be JSON"),
        ({"hidden": (2, 3)}, 1.0, ValueError, "lists in place of tuples"),
        ({3: "seed"}, 1.0, ValueError, "str keys"),
        ({"x": np.float32(1)}, 1.0, ValueError, "cannot be JSON"),
        ([1], 1.0, ValueError, "a dict with str keys"),
        ({}, np.asarray([object()]), TypeError, "'a' is of object, which cannot be written"),
        ({}, np.asarray(["text"]), TypeError, "'a' is of str"),
        ({}, np.zeros(2, "datetime64[s]"), TypeError, "datetime64"),
        ({}, [1.0], TypeError, "'a' is of list"),
    ],
)
def test_what_would_not_come_back_is_refused(tmp_path, meta, array, error, says):
    array = np.asarray(array) if isinstance(array, float) else array
    with pytest.raises(error, match=says):
        write(tmp_path, meta, {"a": array})
    with pytest.raises(TypeError, match="name is a str"):
        write(tmp_path, {}, {1: np.ones(2)})
    assert names(tmp_path) == []


def test_no_second_copy_in_memory(tmp_path):
    one = 4 << 20
    arrays = {str(i): np.full((1024, 1024), i, np.float32) for i in range(4)}
    turned = {name: a.T for name, a in arrays.items()}
    tracemalloc.start()
    try:
        write(tmp_path, {}, arrays)
        straight = tracemalloc.get_traced_memory()[1]
        write(tmp_path, {}, turned)
        copied = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        again = read(tmp_path)
        reading = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert all(np.array_equal(again[1][name], a) for name, a in turned.items())
    assert straight < one // 2 and copied < one * 3 // 2 and reading < 4 * one + one // 2


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a generation, and the length of what stands before its arrays."""
    folder = tmp_path_factory.mktemp("whole")
    meta, arrays = contents(7)
    write(folder, meta, {**arrays, "big": np.random.default_rng(0).normal(size=200)})
    data = (folder / "checkpoint-000001.bin").read_bytes()
    return data, 64 + struct.unpack_from("<Q", data, 16)[0]


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refused(data):
    try:
        parse(io.BytesIO(data))
    except Damaged:
        return True
    return False


def test_every_bit_of_the_header(whole):
    data, header = whole
    assert not refused(data)
    assert all(refused(flipped(data, bit)) for bit in range(8 * header))


def test_bits_of_the_arrays(whole):
    data, header = whole
    chance = random.Random(0)
    bits = [chance.randrange(8 * header, 8 * len(data)) for _ in range(10_000)]
    assert all(refused(flipped(data, bit)) for bit in bits)


def test_every_length(whole):
    data, _ = whole
    assert all(refused(data[:n]) for n in range(len(data)))
    assert all(refused(data[:n] + bytes(len(data) - n)) for n in range(len(data) - 8))  # blocks that never came
    assert all(refused(data + junk) for junk in (b"\0", b"\n", data, bytes(4096)))


def test_parts_of_other_files(whole, tmp_path):
    """Header of one, arrays of the other; pieces exchanged; the same bytes under another name."""
    data, header = whole
    holding(tmp_path, 1, 2)
    one, two = (tmp_path / f"checkpoint-00000{g}.bin" for g in (1, 2))
    first, second = one.read_bytes(), two.read_bytes()
    cut = 64 + struct.unpack_from("<Q", first, 16)[0]
    assert refused(first[:cut] + second[cut:]) and refused(data[header:] + data[:header])
    shutil.copy(one, tmp_path / "checkpoint-000003.bin")
    with pytest.warns(UserWarning, match=r"000003.bin' is damaged: it holds generation 1; was it renamed"):
        assert equal(read(tmp_path), 2)


def signed(header, arrays=b"", version=1):
    """A file whose digests are right, whatever it says."""
    text = json.dumps(header).encode()
    fixed = struct.pack("<8sQQQ", b"fnoptgen", version, len(text), 64 + len(text) + len(arrays))
    return fixed + hashlib.sha256(fixed + text).digest() + text + arrays


def test_headers_that_are_signed_and_senseless():
    record = {"name": "a", "dtype": "int8", "shape": [2], "sha256": hashlib.sha256(b"ab").hexdigest()}
    described = {"generation": 1, "meta": {}, "arrays": [record]}
    assert parse(io.BytesIO(signed(described, b"ab")))[2]["a"].tolist() == [97, 98]
    for change in (
        {"dtype": "object"},
        {"dtype": "__import__('os')"},
        {"shape": [2**60]},
        {"shape": [-1, -2]},
        {"shape": [3]},
        {"shape": [2.0]},
        {"shape": None},
        {"sha256": 3},
        {"sha256": "0" * 64},
    ):
        assert refused(signed({**described, "arrays": [{**record, **change}]}, b"ab")), change
    for header in ([], None, {}, {**described, "arrays": {"a": 1}}):
        assert refused(signed(header, b"ab")), header
    assert refused(signed({**described, "arrays": [record, record]}, b"abab"))


def test_a_newer_format_is_not_taken_for_damage(tmp_path):
    """Or an older fnopt would go back, and then remove what the newer one wrote."""
    holding(tmp_path, 1)
    (tmp_path / "checkpoint-000002.bin").write_bytes(signed({"generation": 2}, version=2))
    with pytest.raises(ValueError, match=r"000002.bin': it has format 2, this fnopt reads 1"):
        read(tmp_path)


DAMAGE = {
    "bit": lambda data: flipped(data, 8 * len(data) - 3),
    "header": lambda data: flipped(data, 8 * 70),
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "junk": lambda data: data + b"junk",
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_earlier_one_is_used_with_a_word(tmp_path, kind):
    holding(tmp_path, 1, 2, 3)
    two, three = (tmp_path / f"checkpoint-00000{g}.bin" for g in (2, 3))
    three.write_bytes(DAMAGE[kind](three.read_bytes()))
    with pytest.warns(UserWarning, match=r"000003.bin' is damaged: .*The earlier 'checkpoint-000002.bin' is used"):
        assert equal(read(tmp_path), 2)
    # The next write stays one above the damaged one, and keeps what can be fallen back on.
    assert write(tmp_path, *contents(4)) == 4
    assert equal(read(tmp_path), 4)
    assert two.exists() == (kind != "bit")
    assert write(tmp_path, *contents(5)) == 5
    assert names(tmp_path) == ["checkpoint-000004.bin", "checkpoint-000005.bin"]


def test_none_is_whole(tmp_path):
    holding(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"000002.bin' is damaged.*000001.bin' is damaged.*Put back a copy"):
        read(tmp_path)
    (tmp_path / "checkpoint-000003.bin").mkdir()
    with pytest.raises(ValueError, match=r"000003.bin' is a folder, and fnopt reads and writes regular files"):
        read(tmp_path)


def test_a_reader_beside_a_writer_looks_again(tmp_path, monkeypatch):
    """Listed, then removed by a writer that went on by two before it was opened."""
    holding(tmp_path, 1)
    listed, first = os.listdir, []

    def listdir(folder):
        out = listed(folder)
        if not first:
            first.append(out)
            holding(tmp_path, 2, 3)
        return out

    monkeypatch.setattr(os, "listdir", listdir)
    assert equal(read(tmp_path), 3)


# ---- faults ----------------------------------------------------------------------------------------------------------


class Kill(BaseException):
    """The end of the process: nothing that it would have done afterwards has an effect."""


class Faulty:
    """The module ``os``, whose call number ``n`` goes wrong: before or after it took effect, once or for good."""

    CALLS = ("listdir", "open", "lseek", "write", "fsync", "close", "replace", "unlink")

    def __init__(self, n, how):
        self.n, self.how, self.count, self.dead, self.fired = n, how, 0, False, None
        self.replaced, self.handles, self.log = False, set(), []

    def __getattr__(self, name):
        if name == "fdopen":
            return self.fdopen
        return (lambda *a, **k: self.call(name, *a, **k)) if name in self.CALLS else getattr(os, name)

    def fdopen(self, handle, *how):
        self.handles.discard(handle)  # the file closes it
        return os.fdopen(handle, *how)

    def call(self, name, *args, **kwargs):
        self.count += 1
        if self.dead:
            raise Kill
        if self.count != self.n:
            return self.act(name, *args, **kwargs)
        self.fired = name
        if self.how == "short" and name == "write":
            return self.act(name, args[0], args[1][: len(args[1]) // 2])
        if self.how == "half" and name == "write":
            self.act(name, args[0], args[1][: len(args[1]) // 2])
        if self.how.startswith("late"):
            self.act(name, *args, **kwargs)
        if self.how.endswith("kill"):
            self.dead = True
            raise Kill
        if self.how == "short":
            return self.act(name, *args, **kwargs)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def act(self, name, *args, **kwargs):
        if name == "fsync":
            self.log.append("sync folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else "sync file")
        elif not self.log or self.log[-1] != name:
            self.log.append(name)
        out = getattr(os, name)(*args, **kwargs)
        self.replaced |= name == "replace"
        if name == "open":
            self.handles.add(out)
        if name == "close":
            self.handles.discard(args[0])
        return out


@pytest.mark.parametrize("earlier", [0, 1, 2])
@pytest.mark.parametrize("how", ["error", "late error", "half", "short", "kill", "late kill"])
def test_a_fault_at_every_call(tmp_path, monkeypatch, how, earlier):
    start = tmp_path / "start"
    start.mkdir()
    holding(start, *range(1, earlier + 1))
    (start / ".checkpoint-000009.bin.0123456789abcdef.tmp").write_bytes(b"of a process that was killed")
    (start / ".checkpoint-mine.tmp").write_bytes(b"not ours")
    monkeypatch.setattr(generations, "CHUNK", 24)
    old, new, seen = earlier, earlier + 1, []
    for n in range(1, 200):
        folder = tmp_path / str(n)
        shutil.copytree(start, folder)
        faulty, raised = Faulty(n, how), None
        opened = atomic.Folder(folder)
        with opened, monkeypatch.context() as patch, warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            patch.setattr(generations, "os", faulty)
            patch.setattr(atomic, "os", faulty)
            try:
                assert write(opened, *contents(new)) == new
            except (OSError, Kill) as error:
                raised = error
        for handle in faulty.handles:
            os.close(handle)
        if faulty.fired is None:
            break
        seen.append(faulty.fired)
        assert all("could not remove" in str(w.message) for w in said)
        # A dead process's file may resist without a word: the next write removes it. So may the end of a written one.
        fine = faulty.replaced and faulty.fired in ("open", "close", "unlink")
        # Nothing is lost without a word, and what is there is whole: a warning would be an error here.
        assert how == "short" or raised is not None or fine, faulty.fired
        assert raised is not None or faulty.replaced
        got = read(folder)
        assert equal(got, new) if faulty.replaced else (got is None if old == 0 else equal(got, old)), (n, faulty.fired)
        if isinstance(raised, OSError) and faulty.fired != "listdir":
            assert "checkpoint-" in str(raised) and "the earlier generations are as they were" in str(raised)
            assert not [p for p in names(folder) if p.endswith(f"{new:06d}.tmp")] or faulty.fired == "unlink"
        later = write(folder, *contents(90))
        assert equal(read(folder), 90) and later == (new if faulty.replaced else old) + 1
        assert len([p for p in names(folder) if p.endswith(".bin")]) == min(later, 2)
        assert [p for p in names(folder) if p.endswith(".tmp")] == [".checkpoint-mine.tmp"]
    assert set(seen) == set(Faulty.CALLS) and len(seen) >= 18


def test_the_order_of_calls(tmp_path, monkeypatch):
    """What power loss needs: bytes on the disk before the name, the name before anything is removed."""
    holding(tmp_path, 1, 2)
    faulty = Faulty(0, "never")
    with monkeypatch.context() as patch:
        patch.setattr(generations, "os", faulty)
        patch.setattr(atomic, "os", faulty)
        write(tmp_path / "new", *contents(1))
        write(tmp_path, *contents(3))
    steps = ["lseek", "write", "lseek", "write", "sync file", "replace", "sync folder", "close"]
    begin = ["open", "listdir", "open", *steps]  # the folder; what a dead process left; the file
    make = ["open", "sync folder", "close"]  # the folder above
    assert faulty.log == [*make, *begin, *begin, "open", "unlink", "close"]


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    holding(tmp_path, 1)

    def interrupted(handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, *contents(2))
    assert names(tmp_path) == ["checkpoint-000001.bin"] and equal(read(tmp_path), 1)


def test_a_disk_that_cannot_sync_folders(tmp_path, monkeypatch):
    sync = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert equal(read(holding(tmp_path, 1)), 1)


# ---- other processes -------------------------------------------------------------------------------------------------


def child(code, folder):
    """A process that has the two modules."""
    beside = "import sys; from fnopt.run import generations, lock\n"
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", beside + code, str(folder)], **pipes, text=True)


def test_a_full_disk(tmp_path):
    pytest.importorskip("resource")
    holding(tmp_path, 1, 2)
    code = """
import resource, signal, numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
for size in (1_000_000, 10_000):
    try:
        print(generations.write(sys.argv[1], {"k": size}, {"w": np.ones(size, np.float32), "v": np.ones(3)}))
    except OSError as error:
        print(error.errno, error)
        assert generations.read(sys.argv[1])[0]["k"] == 2
"""
    process = child(code, tmp_path)
    out, err = process.communicate(timeout=60)
    refusal, written = out.splitlines()
    assert process.returncode == 0, err
    assert refusal.startswith(f"{errno.EFBIG} ") and "could not write" in refusal and "Free some space" in refusal
    assert "checkpoint-000003.bin" in refusal and os.strerror(errno.EFBIG) in refusal
    assert written == "3" and read(tmp_path)[0] == {"k": 10_000}
    assert names(tmp_path) == ["checkpoint-000002.bin", "checkpoint-000003.bin"]


def test_killed_at_any_moment(tmp_path):
    """A writer that does nothing else, killed 12 times: the last that it reported is there, or the next."""
    code = """
import numpy as np
with lock.locked(sys.argv[1]):
    kept = generations.read(sys.argv[1])
    k = 0 if kept is None else kept[0]["k"]
    while True:
        k += 1
        generations.write(sys.argv[1], {"k": k}, {str(i): np.full(50_000, k + i) for i in range(4)})
        print(k, flush=True)
"""
    chance, last = random.Random(0), 0
    for _ in range(12):
        with child(code, tmp_path) as process:
            first = process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.05))
            process.kill()
            out, err = process.stdout.read(), process.stderr.read()  # with what was read ahead of the first line
            assert process.wait(60) == -signal.SIGKILL and not err, err
        reported = int((first + out).split()[-1])
        meta, arrays = read(tmp_path)
        assert meta["k"] in (reported, reported + 1) and int(first) == last + 1
        assert all((arrays[str(i)] == meta["k"] + i).all() for i in range(4))
        last = meta["k"]
    write(tmp_path, {}, {})
    assert [p.split("-")[0] for p in names(tmp_path)] == [".lock", "checkpoint", "checkpoint"]


def test_the_lock_names_its_holder_and_dies_with_it(tmp_path):
    code = "with lock.locked(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()"
    process = child(code, tmp_path)
    try:
        assert process.stdout.readline() == "held\n"
        host = lock.platform.node()
        for _ in range(2):
            with pytest.raises(Locked, match=f"is held by process {process.pid} on {host}, which writes there; wait"):
                locked(tmp_path).__enter__()
    finally:
        process.kill()
        process.communicate(timeout=60)
    with locked(tmp_path):
        pass


def test_the_lock_in_one_process(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            with pytest.raises(Locked, match=f"is held by this process, pid {os.getpid()}; end the first use"):
                locked(str(tmp_path)).__enter__()
            with pytest.raises(Locked):  # a refusal takes nothing away from the holder
                locked(tmp_path).__enter__()
            (tmp_path / ".lock").write_bytes(b"")
            with pytest.raises(Locked, match="is held by another process"):
                locked(tmp_path).__enter__()
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        assert equal(read(holding(tmp_path, 1)), 1)
    with pytest.raises(FileNotFoundError):
        locked(tmp_path / "nowhere").__enter__()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_forked_children_neither_give_back_nor_keep_the_lock(tmp_path):
    code = """
import os, time
try:
    with lock.locked(sys.argv[1]):
        pid = os.fork()
        if not pid:
            sys.exit(0)
        os.waitpid(pid, 0)
        try:
            lock.locked(sys.argv[1]).__enter__()
        except lock.Locked as error:
            print(error)
        pid = os.fork()
        if not pid:
            time.sleep(60)
    with lock.locked(sys.argv[1]):
        print("free, though a child lives")
finally:
    if pid:
        os.kill(pid, 9)
"""
    out, err = child(code, tmp_path).communicate(timeout=60)
    assert "is held by this process" in out and "free, though a child lives" in out and not err, err


def test_the_lock_is_signed_anew_and_leaves_nothing_open(tmp_path, monkeypatch):
    (tmp_path / ".lock").write_text('{"pid": 1234567890, "host": "a longer name than any other host will ever have"}')
    faulty = Faulty(0, "never")
    with monkeypatch.context() as patch:
        patch.setattr(lock, "os", faulty)
        with locked(tmp_path), pytest.raises(Locked, match="by this process"):
            locked(tmp_path).__enter__()
    assert "open" in faulty.log and not faulty.handles


def test_a_disk_without_locks(tmp_path, monkeypatch):
    def none(handle):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock, "_take", none)
    with pytest.warns(UserWarning, match="has no locks"), locked(tmp_path):
        pass
