"""The encoder-decoder graph as its authors published it, with irvis' weights `paper`: for `irvis bench --against`.

A 3×3 convolution and then a 2×2 mean, one encoder after the other; irvis itself runs both as one 4×4 convolution.
"""

from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from irvis import creation
from irvis.methods import encdec

NAME = "encdec:paper, published graph"


def convolution_and_mean(image: Tensor, weight: Tensor, padding: str) -> Tensor:
    return avg_pool2d(conv2d(encdec._padded(image, padding), weight), 2)


encdec.pooled_convolution = convolution_and_mean
fuse = creation.fuser("encdec:paper")
