"""The lane program from its parts: batches, step, evaluation, early stopping, segment."""

from fnopt.train.early_stopping import EarlyStopping as EarlyStopping
from fnopt.train.early_stopping import early_stopping as early_stopping
from fnopt.train.evaluate import evaluate as evaluate
from fnopt.train.evaluate import linked as linked
from fnopt.train.lane import Fault as Fault
from fnopt.train.lane import Keys as Keys
from fnopt.train.lane import Lane as Lane
from fnopt.train.lane import active as active
from fnopt.train.lane import keys_of as keys_of
from fnopt.train.lane import start as start
from fnopt.train.lane import weights_of as weights_of
from fnopt.train.order import batches_per_epoch as batches_per_epoch
from fnopt.train.part import Part as Part
from fnopt.train.part import part as part
from fnopt.train.scores import FOLLOWED as FOLLOWED
from fnopt.train.scores import SCORES as SCORES
from fnopt.train.scores import decide as decide
from fnopt.train.scores import higher_is_better as higher_is_better
from fnopt.train.scores import probabilities as probabilities
from fnopt.train.scores import score_of as score_of
from fnopt.train.segment import LENGTH as LENGTH
from fnopt.train.segment import Objective as Objective
from fnopt.train.segment import Records as Records
from fnopt.train.segment import When as When
from fnopt.train.segment import segment as segment
from fnopt.train.step import step as step
