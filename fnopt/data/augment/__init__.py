"""Training batches changed at random: pictures mirrored, zoomed and cropped, noise on any features.

An augmentation is a pure function ``(key, x, hyper) -> x`` of the inputs of a batch; labels never pass through it. It
is hashable, its settings are static, and so are the shapes that it gives. How strongly it acts is a number of its own
name in ``hyper``, which ``fit`` takes and spaces hold: ``flip``, ``flip_vertical``, ``zoom``, ``crop``, ``crop_to``,
``noise``. No built-in model or optimizer has a number of these names; where one of your own has, that is an error.
Strength 0 changes nothing, to the bit.

Pictures are NHW or NHWC arrays, or rows that :func:`chain` knows the shape of. What lies outside a picture is 0. A
model augments where it is declared so, ``classifier(augment=augment.flip)``: after scaling, in training alone. Outside
training nothing is augmented; a crop to another size is the centre crop there. Scaling goes pixel by pixel. Where
pictures are moved, one scale for all pixels suits better: ``standardize=False`` with ``x / 255``.

>>> import jax, jax.numpy as jnp
>>> x = jnp.arange(6.0).reshape(1, 2, 3)
>>> flip(jax.random.key(0), x, {"flip": 1.0}).tolist()
[[[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]]
>>> rows = chain(flip, noise, shape=(2, 3))
>>> rows(jax.random.key(0), x.reshape(1, 6), {"flip": 1.0, "noise": 0.0}).tolist()
[[2.0, 1.0, 0.0, 5.0, 4.0, 3.0]]
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.data.augment.base import Augmentation as Augmentation
from fnopt.data.augment.base import Strength as Strength
from fnopt.data.augment.chain import Chain as Chain
from fnopt.data.augment.chain import as_augmentation as as_augmentation
from fnopt.data.augment.chain import chain as chain
from fnopt.data.augment.crop import Crop as Crop
from fnopt.data.augment.crop import crop as crop
from fnopt.data.augment.crop_to import CentreCrop as CentreCrop
from fnopt.data.augment.crop_to import CropTo as CropTo
from fnopt.data.augment.crop_to import centre_crop as centre_crop
from fnopt.data.augment.crop_to import crop_to as crop_to
from fnopt.data.augment.flip import Flip as Flip
from fnopt.data.augment.flip import flip as flip
from fnopt.data.augment.flip import flip_vertical as flip_vertical
from fnopt.data.augment.noise import Noise as Noise
from fnopt.data.augment.noise import noise as noise
from fnopt.data.augment.own import Own as Own
from fnopt.data.augment.own import augmentation as augmentation
from fnopt.data.augment.zoom import Zoom as Zoom
from fnopt.data.augment.zoom import zoom as zoom

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
