"""Scores and curves: pure functions of (truth, prediction or score), the same under jit and vmap.

Common arguments: ``weight`` is one number for each example, and an example of weight 0 never counts, whatever stands in
its row; ``classes`` is how many there are, from the labels where their values are known, else 2, so say it under jit;
``average`` is how classes become one number; ``zero_division`` is the value of 0/0. Averages run over all ``classes``,
also those that no example has.

Known lists, and NumPy's float64 and 64-bit integers (a column of a data frame too), are scored in float64, as NumPy's.
JAX's arrays, traced ones, and NumPy's of 32 bits and fewer give a JAX array of the default floating type, the same with
``jit`` and without.

A fault (labels out of range, negative weights) is an error where values are known and NaN where they are traced. A NaN
prediction or score gives NaN. With no example that counts, a mean is NaN.

>>> import jax
>>> float(jax.jit(accuracy)(jax.numpy.array([0, 1, 1]), jax.numpy.array([0, 1, 1])))
1.0
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.metrics.absolute import max_error as max_error
from fnopt.metrics.absolute import mean_absolute_error as mean_absolute_error
from fnopt.metrics.absolute import mean_absolute_percentage_error as mean_absolute_percentage_error
from fnopt.metrics.absolute import median_absolute_error as median_absolute_error
from fnopt.metrics.accuracy import accuracy as accuracy
from fnopt.metrics.accuracy import balanced_accuracy as balanced_accuracy
from fnopt.metrics.accuracy import top_k_accuracy as top_k_accuracy
from fnopt.metrics.accuracy import zero_one as zero_one
from fnopt.metrics.agreement import cohen_kappa as cohen_kappa
from fnopt.metrics.agreement import matthews_corrcoef as matthews_corrcoef
from fnopt.metrics.area import area as area
from fnopt.metrics.calibration import CalibrationCurve as CalibrationCurve
from fnopt.metrics.calibration import calibration_curve as calibration_curve
from fnopt.metrics.calibration import expected_calibration_error as expected_calibration_error
from fnopt.metrics.class_rates import f1 as f1
from fnopt.metrics.class_rates import false_positive_rate as false_positive_rate
from fnopt.metrics.class_rates import fbeta as fbeta
from fnopt.metrics.class_rates import jaccard as jaccard
from fnopt.metrics.class_rates import precision as precision
from fnopt.metrics.class_rates import recall as recall
from fnopt.metrics.class_rates import sensitivity as sensitivity
from fnopt.metrics.class_rates import specificity as specificity
from fnopt.metrics.confusion import confusion_matrix as confusion_matrix
from fnopt.metrics.confusion import multilabel_confusion_matrix as multilabel_confusion_matrix
from fnopt.metrics.d2 import d2_brier as d2_brier
from fnopt.metrics.d2 import d2_log_loss as d2_log_loss
from fnopt.metrics.d2 import d2_pinball as d2_pinball
from fnopt.metrics.d2 import d2_tweedie as d2_tweedie
from fnopt.metrics.explained import d2_absolute_error as d2_absolute_error
from fnopt.metrics.explained import explained_variance as explained_variance
from fnopt.metrics.explained import r2 as r2
from fnopt.metrics.hamming import hamming as hamming
from fnopt.metrics.likelihood import LikelihoodRatios as LikelihoodRatios
from fnopt.metrics.likelihood import likelihood_ratios as likelihood_ratios
from fnopt.metrics.margin import hinge as hinge
from fnopt.metrics.pinball import mean_pinball as mean_pinball
from fnopt.metrics.poisson import mean_poisson_deviance as mean_poisson_deviance
from fnopt.metrics.precision_recall import PrecisionRecallCurve as PrecisionRecallCurve
from fnopt.metrics.precision_recall import average_precision as average_precision
from fnopt.metrics.precision_recall import precision_recall_curve as precision_recall_curve
from fnopt.metrics.probability import brier as brier
from fnopt.metrics.probability import log_loss as log_loss
from fnopt.metrics.ranking import dcg as dcg
from fnopt.metrics.ranking import ndcg as ndcg
from fnopt.metrics.rates import Rates as Rates
from fnopt.metrics.rates import rates as rates
from fnopt.metrics.report import ClassificationReport as ClassificationReport
from fnopt.metrics.report import ClassRates as ClassRates
from fnopt.metrics.report import classification_report as classification_report
from fnopt.metrics.roc import DetCurve as DetCurve
from fnopt.metrics.roc import RocCurve as RocCurve
from fnopt.metrics.roc import det_curve as det_curve
from fnopt.metrics.roc import roc_auc as roc_auc
from fnopt.metrics.roc import roc_curve as roc_curve
from fnopt.metrics.squared import mean_squared_error as mean_squared_error
from fnopt.metrics.squared import mean_squared_log_error as mean_squared_log_error
from fnopt.metrics.squared import root_mean_squared_error as root_mean_squared_error
from fnopt.metrics.tweedie import mean_gamma_deviance as mean_gamma_deviance
from fnopt.metrics.tweedie import mean_tweedie_deviance as mean_tweedie_deviance
from fnopt.metrics.updates_to import UpdatesTo as UpdatesTo
from fnopt.metrics.updates_to import updates_to as updates_to

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
