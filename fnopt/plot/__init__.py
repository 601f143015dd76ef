"""Pictures, as matplotlib figures of their own: no display, no global state. Needs ``pip install 'fnopt[plot]'``.

Every function gives the ``Figure``, and writes it where ``path=`` says.
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.plot.batches import batches as batches
from fnopt.plot.normalization import normalization as normalization
from fnopt.plot.paths import paths as paths
from fnopt.plot.schedule import schedule as schedule

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
