"""Messages of the library in the words of the terminal: options for arguments, a space file's lines for ranges."""

import re

RANGES = "uniform|log_uniform|one_minus_log_uniform|integer|log_integer|normal|log_normal|choice"
RULES = "halving|hyperband|asynchronous_halving|median|population"

# What Python says, as a pattern: what the terminal says. In this order.
SAYS = [
    (r"\b[a-z_]+=(?:\[[^\]]*\]|\"[^\"]*\"|'[^']*'|\w+) \((--[^)]*)\)", r"\1"),  # text=[…] (--text …)
    (r"\bk=(\d+) folds\b", r"--folds \1"),
    (r"^--folds (\d+) are more than", r"--folds \1 is more than"),
    (r"take k ≤ (\d+)(?: or fewer folds)?(?: or stratify=False)?", r"take --folds \1 or less"),
    (r"take k=(\d+)", r"take --folds \1"),
    (r" or stratify=False", ""),
    (r"split with stratify=True, or leave", "leave"),
    (r"\bstratify=True wants", "--task classes wants"),
    (r"`fractions`", "--split"),
    (r"say how many configurations: n=…", "say how many configurations with --n"),
    (r"wants n ≥ (\d+)", r"wants --n \1 or more"),
    (r"\bn=(\d+)\b", r"--n \1"),
    (r"\b(search|stop|task)='(\w+)'", r"--\1 \2"),
    (r"\b(epochs|folds|seeds|minutes|threads)=(\d+|…)", r"--\1 \2"),
    (r"; objective= says", "; --objective says"),
    (r"leave out n\b", "leave out --n"),
    (r"raise points=", "raise points"),
    (r"Or go on with others: anyway=True, or (fnopt resume)", r"Or go on with others: \1"),
    (r"; fo\.open shows them", "; fnopt resume shows them"),
    (rf"\b(\w+)=fo\.({RANGES})\(([^()]*)\)", r"\1 = {\2 = [\3]}"),
    (rf"\bfo\.({RANGES})\(([^()]*)\)", r"{\1 = [\2]}"),
    (rf"\bstop=(?:fo\.)?({RULES})\([^()]*\)", r"--stop \1"),
    (rf"\b(?:fo\.)?({RULES})\(\)", r"--stop \1"),
    (r"stop=fo\.early_stopping\(patience=([^()]*)\)", r"--patience \1"),
    (r"(?:for values use|use|see|take) fo\.regressor(?:\([^()]*\))?", "take --task values"),
    (r"name the classes: fo\.data\.dataset\(x, y, classes=…\)", "read the target as text with --text"),
    (r"(?:for text use|use|see|take) fo\.classifier(?:\([^()]*\))?", "take --task classes"),
    (r"(?:use|see|take) fo\.multilabel(?:\([^()]*\))?", "take --task labels"),
    (r"`(minutes|epochs|seeds|folds|threads|objective|search)` must", r"--\1 must"),
    (r"\bdevices=…", "--threads"),
]
_SAYS = [(re.compile(pattern), words) for pattern, words in SAYS]


def terminal(text: str) -> str:
    """A message with the options and files of the terminal where it has the arguments of Python.

    >>> terminal("class 'setosa' has 40 examples, too few for k=60 folds: take k ≤ 40 or stratify=False")
    "class 'setosa' has 40 examples, too few for --folds 60: take --folds 40 or less"
    >>> terminal('fill it, or say missing="drop" (--missing drop)')
    'fill it, or say --missing drop'
    """
    for pattern, words in _SAYS:
        text = pattern.sub(words, text)
    return text
