"""Compiled programs on the disk, so that a later process need not compile what an earlier one has compiled."""

import hashlib
import os
import platform
import stat
from contextlib import suppress
from pathlib import Path

import jax
import jaxlib.version

MOST = 256 * 2**20  # bytes on the disk
OFF = "FNOPT_PROGRAMS"  # set to "off", the command line keeps none; set to a folder, it keeps them there


def keep_programs(folder: str | Path | None = None) -> Path:
    """Keep compiled programs on the disk from here on, and take those that are there: the same bits, sooner.

    This sets JAX's persistent cache for the whole process. The ``fnopt`` command does so itself; a program that uses
    the library calls this once, before anything is compiled. The programs of one kind of CPU, number of cores and
    version of jaxlib lie in a folder of their own, which its owner alone can read and write. When they take more than
    256 MB, the oldest are removed.

    Args:
        folder: where; ``~/.cache/fnopt/programs`` (or under ``XDG_CACHE_HOME``) unless given.

    Returns:
        The folder in it that is used by this machine.

    Raises:
        ValueError: where somebody else could write there: what is loaded from it is run.
        OSError: where it cannot be created.

    >>> import tempfile
    >>> before = {name: getattr(jax.config, name) for name in SETTINGS}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = keep_programs(folder)
    ...     print(kept.parent == Path(folder), oct(kept.stat().st_mode & 0o777))
    True 0o700
    >>> for name, value in before.items():
    ...     jax.config.update(name, value)
    """
    above = _default() if folder is None else Path(os.path.abspath(folder))
    path = above / _machine()
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _check_own(path)
    _trim(path)
    for name, value in {**SETTINGS, "jax_compilation_cache_dir": str(path)}.items():
        jax.config.update(name, value)
    from jax.experimental.compilation_cache import compilation_cache

    compilation_cache.reset_cache()  # it looks once whether it is on
    return path


SETTINGS = {
    "jax_compilation_cache_dir": None,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


def keep_for_command() -> None:
    """What the command line does before it compiles: as above, unless somebody has said otherwise or it cannot be."""
    asked = os.environ.get(OFF, "")
    if asked == "off" or jax.config.jax_compilation_cache_dir or not jax.config.jax_enable_compilation_cache:  # pyright: ignore
        return
    with suppress(OSError, ValueError):  # as on a disk that cannot be written: then everything is compiled
        keep_programs(asked or None)


def _default() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "fnopt" / "programs"


def _machine() -> str:
    """A name for all that native code depends on: another one, and no program of the one is run by the other."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    flags = os.environ.get("XLA_FLAGS", ""), os.environ.get("NPROC", ""), str(cores)
    about = "\n".join([platform.machine(), platform.system(), _cpu(), *flags])
    return f"{jaxlib.version.__version__}-{hashlib.sha256(about.encode()).hexdigest()[:16]}"


def _cpu() -> str:
    """Model and instructions of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    first = {line.split(":")[0].strip(): line for line in reversed(lines) if ":" in line}
    return "\n".join(first[name] for name in wanted if name in first)


def _check_own(path: Path) -> None:
    """ValueError where anybody else could put a program into the folder."""
    if not hasattr(os, "geteuid"):
        return
    own = (os.geteuid(), 0)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != own[0]:
        raise ValueError(f"{str(path)!r} is not this user's own folder: programs that are loaded from it would be run")
    if found.st_mode & 0o077:
        os.chmod(path, 0o700)
        if found.st_mode & 0o022:  # others can write there, so they may have written
            _remove(path)
    for above in path.resolve().parents:
        there = os.stat(above)
        if there.st_uid not in own or (there.st_mode & 0o022 and not there.st_mode & stat.S_ISVTX):
            raise ValueError(
                f"others can write in {str(above)!r}, and could put programs into {str(path)!r} that would be run: "
                "choose another folder"
            )


def _remove(path: Path) -> None:
    for entry in os.scandir(path):
        if entry.is_file(follow_symlinks=False) or entry.is_symlink():
            os.unlink(entry.path)


def _trim(path: Path) -> None:
    """Remove what another user owns, what a full disk left empty, and the oldest files above the limit."""
    total, files = 0, []
    for entry in os.scandir(path):
        found = entry.stat(follow_symlinks=False)
        foreign = hasattr(os, "geteuid") and found.st_uid != os.geteuid()
        if foreign or not stat.S_ISREG(found.st_mode) or not found.st_size:
            with suppress(OSError):
                os.unlink(entry.path)
            continue
        files.append((found.st_mtime_ns, found.st_size, entry.path))
    for _, size, name in sorted(files, reverse=True):
        total += size
        if total > MOST:
            with suppress(OSError):
                os.unlink(name)
