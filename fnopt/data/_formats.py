"""What the first bytes of a file say that it is, where it is no text table in UTF-8."""

import re

from fnopt.data._files import GZIP

FRAME = "read it with pandas or polars, and give the frame to fo.data.dataset or write it as CSV"
UNPACK = "unpack it first"
OTHER = "a text table is expected; export it as CSV"
MAGIC = (  # first bytes, what such a file is, the cure
    (b"PAR1", "a Parquet file", FRAME),
    (b"ARROW1", "an Arrow file", FRAME),
    (b"FEA1", "a Feather file", FRAME),
    (b"ORC", "an ORC file", FRAME),
    (b"PK\x03\x04", "a zip archive, such as .zip or .xlsx", "unpack it, or save the sheet as CSV"),
    (b"PK\x05\x06", "an empty zip archive", UNPACK),
    (b"BZh", "a bzip2 file", UNPACK),
    (b"\xfd7zXZ\x00", "an xz file", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (GZIP, "a gzip file inside a gzip file", UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "save the sheet as CSV"),
    (b"\x89HDF", "an HDF5 file", FRAME),
    (b"CDF", "a NetCDF file", FRAME),
    (b"SQLite format 3", "an SQLite database", FRAME),
    (b"\x93NUMPY", "a NumPy array", "write an .npz file with numpy.savez(path, x=…, y=…)"),
    (b"$FL2", "an SPSS file", FRAME),
    (b"RDX", "an R data file", "write it with write.csv"),
    (b"%PDF", "a PDF", OTHER),
    (b"\x89PNG", "a picture", OTHER),
    (b"\xff\xd8\xff", "a picture", OTHER),
    (b"GIF8", "a picture", OTHER),
    (b"\x7fELF", "a program", OTHER),
)
BOMS = (  # the longer ones first: UTF-32's begins as UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def other_format(raw: bytes) -> str | None:
    """What a file is that is no table of text, with the cure; None where its first bytes may be a table's.

    >>> other_format(b"BZh91AY")
    'is a bzip2 file; unpack it first'
    """
    for magic, kind, cure in MAGIC:
        if raw.startswith(magic):
            return f"is {kind}; {cure}"
    if raw[257:262] == b"ustar":
        return f"is a tar archive; {UNPACK}"
    if re.match(rb"\x80[\x02-\x05]", raw):
        return "is a pickle, which is never read: it can run code; write it as CSV"
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb'([\[{]\s*(["{\[\]}]|$)|\[\s*-?\d)', start):
        return f"is JSON; {FRAME}"
    if re.match(rb"(?i)<(!doctype|html|\?xml|table)", start):
        return f"is HTML or XML; {OTHER}"
    return None


def wide_encoding(raw: bytes) -> str | None:
    """utf-16 or utf-32 with its byte order, by its mark or by where its zeros stand; None for bytes of other text.

    >>> wide_encoding("a,b".encode("utf-16-be")), wide_encoding(b"a,b")
    ('utf-16-be', None)
    """
    for mark, encoding in BOMS:
        if raw.startswith(mark):
            return encoding
    raw = raw[: len(raw) // 4 * 4 or len(raw)]
    if b"\x00" not in raw:
        return None
    zeros = [raw[k::4].count(0) * 2 > len(raw[k::4]) for k in range(4)]
    order = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return order.get(tuple(zeros))  # pyright: ignore[reportArgumentType,reportCallIssue]


def narrow_encoding(raw: bytes) -> str:
    """What bytes that are not UTF-8 are most likely: the Western encoding of Windows where it alone has them.

    >>> narrow_encoding("Malmö".encode("latin-1")), narrow_encoding("5 €".encode("cp1252"))
    ('latin-1', 'cp1252')
    """
    return "cp1252" if re.search(rb"[\x80-\x9f]", raw) else "latin-1"
