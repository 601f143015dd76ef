"""Results on stdout, for a person or another program."""

import errno
import os
import re
import sys
from typing import Any

from fnopt._checks import printable

OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but the ends of lines and tabs


def write_out(content: str) -> None:
    """Write a result to stdout, as UTF-8 whatever the terminal's encoding: another program may read it.

    Characters that a terminal obeys are written as their escapes; ``--out`` writes them as they are.

    Raises:
        OSError: where stdout is closed.
    """
    stream: Any = sys.stdout
    if stream is None or getattr(stream, "name", "") == os.devnull:
        raise OSError(errno.EBADF, "stdout is closed: name a file with --out")
    content = OBEYED.sub(lambda found: printable(found[0]), content)
    if hasattr(stream, "buffer"):
        stream.flush()
        stream.buffer.write(content.encode())
        stream.buffer.flush()
    else:
        stream.write(content)
