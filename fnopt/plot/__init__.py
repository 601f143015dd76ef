"""Pictures, as matplotlib figures of their own: no display, no global state. Needs ``pip install 'fnopt[plot]'``.

Each takes arrays, and where that is natural a run or a sweep in their stead. It gives its axes, an array of them where
there are several panels; ``axes=`` draws into the caller's own, and ``path=`` writes the figure. The pictures of
surfaces and of schedules (``paths``, ``batches``, ``normalization``, ``schedule``) give their ``Figure``.

    training     curves, averages, fits, fitted_lines, trends
    answers      confusion, roc, precision_recall, det, calibration, residuals, decision_boundary
    inside       embedding, weights, activations, histograms, signals
    searches     curves, slices, parallel, points, rungs, lineage, anytime, importance, rank_correlation
    your own     panels, legend_beside, COLOURS

Colours are told apart by the colour-blind too: those of Okabe and Ito, and ``cividis`` for values.
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.plot._axes import legend_beside as legend_beside
from fnopt.plot._axes import panels as panels
from fnopt.plot._figure import COLOURS as COLOURS
from fnopt.plot.anytime import anytime as anytime
from fnopt.plot.averages import averages as averages
from fnopt.plot.batches import batches as batches
from fnopt.plot.calibration import calibration as calibration
from fnopt.plot.confusion import confusion as confusion
from fnopt.plot.curves import curves as curves
from fnopt.plot.decision_boundary import decision_boundary as decision_boundary
from fnopt.plot.embedding import embedding as embedding
from fnopt.plot.fits import fits as fits
from fnopt.plot.fits import fitted_lines as fitted_lines
from fnopt.plot.histograms import activations as activations
from fnopt.plot.histograms import histograms as histograms
from fnopt.plot.histograms import weights as weights
from fnopt.plot.importance import importance as importance
from fnopt.plot.importance import rank_correlation as rank_correlation
from fnopt.plot.lineage import lineage as lineage
from fnopt.plot.normalization import normalization as normalization
from fnopt.plot.parallel import parallel as parallel
from fnopt.plot.paths import paths as paths
from fnopt.plot.points import points as points
from fnopt.plot.residuals import residuals as residuals
from fnopt.plot.roc import det as det
from fnopt.plot.roc import precision_recall as precision_recall
from fnopt.plot.roc import roc as roc
from fnopt.plot.rungs import rungs as rungs
from fnopt.plot.schedule import schedule as schedule
from fnopt.plot.signals import signals as signals
from fnopt.plot.slices import slices as slices
from fnopt.plot.trends import trends as trends

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
