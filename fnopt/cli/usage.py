"""What the words on the command line say before any of them is obeyed: commands, options, their values, how often."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fnopt._checks import closest

HELP = ("-h", "--help")
BLANK = ("--separator",)  # options that may be a blank


class Word(NamedTuple):
    """An option as typed, with the value that goes with it, or an argument, whose option is empty."""

    option: str
    value: str | None


def check(group: Any, arguments: Sequence[str]) -> None:
    """Raise ValueError, on one line and with its cure, for what cannot be meant; ``group`` is typer's.

    An option that takes one value is given once: of two, one would be dropped in silence.
    """
    if not arguments or any(word in HELP for word in arguments):
        return
    if arguments[0].startswith("-"):
        known = {name for parameter in group.params for name in parameter.opts} | {*HELP}
        if arguments[0] not in known:
            hint = "" if len(arguments) == 1 else f"; options follow the command, as in fnopt {arguments[1]} …"
            raise ValueError(f"fnopt has no option {arguments[0]}{_or(arguments[0], known)}{hint} (see fnopt --help)")
        return
    name, *rest = arguments
    if name not in group.commands:
        known = ", ".join(group.commands)
        raise ValueError(
            f"fnopt has no command {name!r}{_or(name, group.commands, repr)}; it has {known} (see fnopt --help)"
        )
    try:
        _check(name, group.commands[name].params, rest)
    except ValueError as error:
        raise ValueError(f"{error} (see fnopt {name} --help)") from None


def _check(name: str, parameters: Sequence[Any], words: Sequence[str]) -> None:
    options = {spelt: p for p in parameters if p.param_type_name == "option" for spelt in p.opts}
    wanted = [p.metavar or p.name.upper() for p in parameters if p.param_type_name == "argument"]
    seen: dict[str, str | None] = {}
    found = []
    for option, value in read(name, options, words):
        if not option:
            found.append(value)
        elif option in seen and not options[option].multiple:
            raise ValueError(f"{option} given twice: {_shown(seen[option])} and {_shown(value)}; give it once")
        seen[option] = value
        blank = not value or (not value.strip() and option not in BLANK)
        if blank and not (option and options[option].is_flag):
            raise ValueError(f"{option or wanted[min(len(found), len(wanted)) - 1]} is empty")
    if len(found) < len(wanted):
        raise ValueError(f"fnopt {name} wants {' and '.join(wanted[len(found) :])}")
    if len(found) > len(wanted):
        takes = " and ".join(wanted) or "nothing"
        raise ValueError(f"fnopt {name} takes {takes}, got {found[len(wanted)]!r} too; quote a name that holds blanks")


def read(name: str, options: dict[str, Any], words: Sequence[str]) -> Iterator[Word]:
    """The words of one command in turn; what follows ``--`` is no option."""
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            yield from (Word("", other) for other in left)
            return
        if not word.startswith("-") or word == "-":
            yield Word("", word)
            continue
        option, equals, value = word.partition("=")
        if option not in options:
            raise ValueError(f"fnopt {name} has no option {option}{_or(option, options)}")
        if options[option].is_flag:
            if equals:
                raise ValueError(f"{option} takes no value, got {value!r}")
            yield Word(option, None)
            continue
        if not equals and not left:
            raise ValueError(f"{option} wants a value")
        if not equals and left[0].partition("=")[0] in options:
            raise ValueError(f"{option} wants a value, got the option {left[0]}; write {option}={left[0]} if it is one")
        yield Word(option, value if equals else left.pop(0))


def _shown(value: str | None) -> str:
    return "" if value is None else value if len(value) <= 40 else f"{value[:40]}…"


def _or(word: str, known: Any, shown: Any = str) -> str:
    """The nearest known word as a question, or nothing."""
    bare = {other.lstrip("-"): other for other in known}
    close = closest(word.lstrip("-"), bare)
    return f"; did you mean {shown(bare[close])}?" if close else ""
