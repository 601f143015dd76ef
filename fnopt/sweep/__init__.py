"""The sweep engine: spaces, proposals, chunks of lanes, threads, ranking."""

from fnopt.sweep.chunk import Chunk as Chunk
from fnopt.sweep.chunk import Work as Work
from fnopt.sweep.chunk import run_chunk as run_chunk
from fnopt.sweep.drive import Watch as Watch
from fnopt.sweep.lanes import TRACES as TRACES
from fnopt.sweep.plan import Plan as Plan
from fnopt.sweep.plan import fingerprint as fingerprint
from fnopt.sweep.ranking import Standing as Standing
from fnopt.sweep.result import LaneResult as LaneResult
from fnopt.sweep.search import propose as propose
from fnopt.sweep.space import Choice as Choice
from fnopt.sweep.space import Space as Space
from fnopt.sweep.space import When as When
from fnopt.sweep.space import choice as choice
from fnopt.sweep.space import integer as integer
from fnopt.sweep.space import log_integer as log_integer
from fnopt.sweep.space import log_normal as log_normal
from fnopt.sweep.space import log_uniform as log_uniform
from fnopt.sweep.space import normal as normal
from fnopt.sweep.space import one_minus_log_uniform as one_minus_log_uniform
from fnopt.sweep.space import uniform as uniform
from fnopt.sweep.space import when as when
from fnopt.sweep.stop import asynchronous_halving as asynchronous_halving
from fnopt.sweep.stop import halving as halving
from fnopt.sweep.stop import hyperband as hyperband
from fnopt.sweep.stop import median as median
