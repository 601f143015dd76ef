"""Models: from a structure and numbers to a trial, from datasets to parts."""

from fnopt.model import recipes as recipes
from fnopt.model.declare import classifier as classifier
from fnopt.model.declare import multilabel as multilabel
from fnopt.model.declare import regressor as regressor
from fnopt.model.model import Model as Model
from fnopt.model.model import as_optimizer as as_optimizer
from fnopt.model.prepare import Frame as Frame
from fnopt.model.prepare import Prepared as Prepared
from fnopt.model.prepare import framed as framed
from fnopt.model.prepare import prepare as prepare
from fnopt.model.supervised import supervised as supervised
