"""What trainings and searches mean: diagnosis with advice, importance of numbers and of inputs, noise of a ranking.

All of it takes arrays; ``run.diagnose``, ``sweep.diagnose``, ``sweep.importances`` and their like give it those of a
run or a sweep.
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.analysis.diagnosis import Diagnosis as Diagnosis
from fnopt.analysis.diagnosis import diagnose as diagnose
from fnopt.analysis.expected_best import expected_best as expected_best
from fnopt.analysis.importance import Importances as Importances
from fnopt.analysis.importance import importance as importance
from fnopt.analysis.noise import Noise as Noise
from fnopt.analysis.noise import within_noise as within_noise
from fnopt.analysis.permutation_importance import InputImportances as InputImportances
from fnopt.analysis.permutation_importance import permutation_importance as permutation_importance
from fnopt.analysis.rank_correlation import rank_correlation as rank_correlation
from fnopt.analysis.rank_correlation import spearman as spearman

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
