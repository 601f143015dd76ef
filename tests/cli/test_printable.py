"""No character of a name reaches a terminal as a command, and what can be printed stays as it is."""

import sys
import unicodedata

from fnopt._checks import printable
from fnopt.cli.entry import mistake

KEPT = ["", "naïve", "日本語", "a b", "👩\u200d🔬", "می\u200cخواهم", "=1+1", "back\\slash", "no-break\u00a0space"]
ESCAPED = {
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "a\rb\nc\td\0": r"a\rb\nc\td\x00",
    "\x7f": r"\x7f",
    "\x9b2J": r"\x9b2J",
    "\u202eexe.txt": r"\u202eexe.txt",
    "\u2066x\u2069": r"\u2066x\u2069",
    "\u2028": r"\u2028",
    "\ud800": r"\ud800",
    "\udcff.csv": r"\udcff.csv",  # a file name that is not UTF-8, as Python hands it over
}


def test_what_can_be_printed_is_kept():
    assert [printable(text) for text in KEPT] == KEPT


def test_what_a_terminal_obeys_is_escaped():
    assert {text: printable(text) for text in ESCAPED} == ESCAPED


def test_every_character_is_printed_or_escaped_and_can_be_encoded():
    joined = printable("".join(map(chr, range(sys.maxunicode + 1))))
    joined.encode("utf-8")
    kinds = {unicodedata.category(c) for c in joined if c not in "\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_values_of_other_types_are_written_out():
    assert printable(3) == "3"
    assert printable(ValueError("\x1b")) == r"\x1b"


def test_a_mistake_is_one_line_without_commands(capsys):
    assert mistake("column '\x1b[2J\0'\nholds\ttext") == 2
    assert capsys.readouterr().err == "error: column '\\x1b[2J\\x00' holds text\n"
