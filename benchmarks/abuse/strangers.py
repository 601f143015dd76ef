"""Folders and files from strangers: links, devices, bombs and claims of sizes."""

import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.abuse.outcome import command
from benchmarks.abuse.studies import copy_of, finished, scratch, table
from benchmarks.abuse.tally import Failed, Trial, memory

PRECIOUS = b"my only copy\n"


def of_strangers(rng: random.Random) -> Iterator[Trial]:
    """No foreign file is changed, no memory is taken for a claim, nothing waits for ever."""
    for name in (".lock", "results.csv", "model.json", "test.json"):
        for what, put in LINKS.items():
            yield Trial(f"{name} is {what}, then resume", _linked(name, put))
    for name in ("sweep.json", "test.json", "model.json", "model.safetensors"):
        for what, put in DEVICES.items():
            yield Trial(f"{name} is {what}, then resume and predict", _device(name, put), 20.0)
    for what, write in FILES.items():
        yield Trial(f"{what} as data", _data(what, write), 60.0)


def _linked(name: str, put: Callable[[Path, Path], None]) -> Callable[[], None]:
    def do() -> None:
        folder = copy_of(finished())
        victim = folder.parent / "victim.txt"
        victim.write_bytes(PRECIOUS)
        missing = folder.parent / "missing.txt"
        (folder / name).unlink(missing_ok=True)
        put(folder / name, victim if put is not _dangling else missing)
        results = folder / "results.csv"
        if name != "results.csv":
            results.write_bytes(results.read_bytes()[:-5])  # something to write
        command("resume", str(folder))
        if victim.read_bytes() != PRECIOUS:
            raise Failed("a foreign file was changed")
        if missing.exists():
            raise Failed("a foreign file was created")

    return do


def _dangling(path: Path, target: Path) -> None:
    path.symlink_to(target)


LINKS: dict[str, Callable[[Path, Path], None]] = {
    "a link to another file": lambda path, target: path.symlink_to(target),
    "a link to no file": _dangling,
    "another name of another file": lambda path, target: os.link(target, path),
}
DEVICES: dict[str, Callable[[Path], None]] = {
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a pipe without a writer": lambda path: os.mkfifo(path),
    "a file of 8 GB of zeros": lambda path: _sparse(path, 8 << 30),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _device(name: str, put: Callable[[Path], None]) -> Callable[[], None]:
    def do() -> None:
        folder = copy_of(finished())
        (folder / name).unlink()
        put(folder / name)
        with memory(2 << 30):
            command("resume", str(folder))
            command("predict", str(folder), str(table()))

    return do


def _bomb(path: Path) -> None:
    """A header and 3 GB of one long line's worth of rows, as 3 MB of gzip."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, 31), b"1.0,2.0,0\n" * 100_000
    with path.open("wb") as file:
        file.write(packer.compress(b"a,b,y\n"))
        for _ in range(3000):
            file.write(packer.compress(block))
        file.write(packer.flush())


def _npz_claim(path: Path) -> None:
    """Arrays whose header claims 10**18 numbers."""
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        for name in ("x", "y"):
            text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**17}, 10), }}".ljust(117) + "\n"
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())


def _idx_claim(path: Path) -> None:
    path.write_bytes(struct.pack(">HBBIII", 0, 8, 3, 2**32 - 1, 2**16, 2**16) + bytes(64))


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _wide(path: Path) -> None:
    path.write_bytes(b",".join(b"c%d" % k for k in range(300_000)) + b"\n" + b"1," * 299_999 + b"1\n")


FILES: dict[str, Callable[[Path], None]] = {
    "bomb.csv.gz": _bomb,
    "claim.npz": _npz_claim,
    "claim-ubyte": _idx_claim,
    "pipe.csv": _pipe,
    "zero.csv": lambda path: path.symlink_to("/dev/zero"),
    "sparse.csv": lambda path: _sparse(path, 16 << 30),
}


def _data(name: str, write: Callable[[Path], None]) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        path = folder / name
        write(path)
        with memory(2 << 30):
            shown = command(
                "sweep", str(path), "--target", "y", "--n", "1", "--epochs", "1", "--out", str(folder / "out")
            )
            if shown.code != 2:
                raise Failed(f"exit code {shown.code}")
            if (folder / "out").exists():
                raise Failed("a folder was left behind")
            shown = command("predict", str(finished().folder), str(path))
            if shown.code != 2:
                raise Failed(f"predict: exit code {shown.code}")

    return do


def of_outputs(rng: random.Random) -> Iterator[Trial]:
    """``--out`` of predict at files that must not be replaced."""
    folder = copy_of(finished())

    def own_input(spelling: Callable[[Path], str]) -> Callable[[], None]:
        def do() -> None:
            data = scratch() / "new.csv"
            data.write_bytes(table().read_bytes())
            shown = command("predict", str(folder), str(data), "--out", spelling(data))
            if shown.code != 2 or data.read_bytes() != table().read_bytes():
                raise Failed(f"exit code {shown.code}, the input is {'the same' if shown.code else 'gone'}")

        return do

    def by_link(data: Path) -> str:
        link = data.parent / "link.csv"
        link.symlink_to(data)
        return str(link)

    def by_hard_link(data: Path) -> str:
        link = data.parent / "second.csv"
        os.link(data, link)
        return str(link)

    yield Trial("--out is the input", own_input(str))
    yield Trial("--out is the input, relative", own_input(os.path.relpath))
    yield Trial("--out is the input, spelled otherwise", own_input(lambda p: f"{p.parent}/./x/../{p.name}"))
    yield Trial("--out is a link to the input", own_input(by_link))
    yield Trial("--out is another name of the input", own_input(by_hard_link))

    def odd_file(make: Callable[[Path], None], kept: Callable[[Path], bool]) -> Callable[[], None]:
        def do() -> None:
            out = scratch() / "out.csv"
            make(out)
            command("predict", str(folder), str(table()), "--out", str(out))
            if not kept(out):
                raise Failed("what stood there was replaced")

        return do

    yield Trial("--out is a pipe", odd_file(lambda p: os.mkfifo(p), lambda p: p.is_fifo()), 10.0)
    yield Trial("--out is a folder", odd_file(lambda p: p.mkdir(), lambda p: p.is_dir()))
    if os.geteuid() == 0:

        def node(path: Path) -> None:
            os.mknod(path, 0o20666, os.makedev(1, 3))

        try:
            node(scratch() / "probe")
            yield Trial("--out is a device", odd_file(node, lambda p: p.is_char_device()))
        except OSError:
            pass

    def mode(mask: int, old: int | None, wanted: int) -> Callable[[], None]:
        def do() -> None:
            out, before = scratch() / "p.csv", os.umask(mask)
            try:
                if old is not None:
                    out.write_bytes(b"")
                    out.chmod(old)
                command("predict", str(folder), str(table()), "--out", str(out))
            finally:
                os.umask(before)
            if out.stat().st_mode & 0o777 != wanted:
                raise Failed(f"mode {out.stat().st_mode & 0o777:o}, not {wanted:o}")

        return do

    for mask in (0o022, 0o027, 0o077):
        yield Trial(f"a new file under umask {mask:03o}", mode(mask, None, 0o666 & ~mask))
        yield Trial(f"an old file of mode 600 under umask {mask:03o}", mode(mask, 0o600, 0o600))
