"""Is the 1×1 fusion layer "attention"? What the network does with each input, and whether it depends on it.

1. The gradient of one output pixel before tanh with respect to the inputs, for two different scenes: equal means that
   the network weighs both sources alike in every picture.
2. Impulse responses: what a single bright pixel of each source becomes.
3. The share of each source in the energy of the fused features, level by level.
"""

import matplotlib
import torch
from torch import Tensor

from common import FIGURES, Rows, arguments
from irvis import creation
from irvis.color import luma
from irvis.data.scene import scene
from irvis.methods import METHODS
from irvis.methods.encdec import LEVELS, EncoderDecoder

matplotlib.use("Agg")
from matplotlib import pyplot

SIZE, AT = (224, 224), (112, 112)


def main() -> None:
    rows, names = Rows("attention", arguments(__doc__)), list(METHODS["encdec"].weights)
    for name in names:
        rows.add({"weights": name}, lambda name=name: row_of(name), [f"encdec:{name}"])
    impulses(names)
    note = (
        "A change of 0 says that the weights of both sources are the same at every pixel of every picture: a "
        "fixed linear filter, no attention. The shares are the energy (about its mean, over eight scenes) that the "
        "visible source brings into the fused features, over that of both sources; a half is a tie. A network of gains "
        "mixes no features and has no tanh: its output is taken."
        "\n\n![impulse responses](../figures/impulses.png)\n\n"
        "What one bright pixel of the visible (top) and infrared (bottom) image becomes before tanh; red is positive, "
        "blue negative."
    )
    rows.write("Is the 1×1 layer attention?", note)


def row_of(name: str) -> dict[str, object]:
    fuser = creation.fuser(f"encdec:{name}")
    first, second = (gradient(fuser.core, *planes(seed)) for seed in (1, 2))
    change = float((first - second).norm() / first.norm())
    row = {"weights": name, "activation": "relu, gains" if fuser.core.gains else fuser.options["activation"]}
    row["change of the gradient between two scenes"] = change
    if fuser.core.gains:  # it mixes no features
        return row
    return row | {f"visible share, level {n + 1}": share for n, share in enumerate(energy(fuser.core))}


def response(core: EncoderDecoder, visible: Tensor, infrared: Tensor) -> Tensor:
    """The output before tanh; of a network that gives gains, which has none, the output; both in [-1, 1] units."""
    return 2 * core(visible, infrared) - 1 if core.gains else core.response(visible, infrared)


def planes(seed: int) -> tuple[Tensor, Tensor]:
    """Luma and infrared of a scene."""
    visible, infrared = scene(seed, SIZE).tensors()
    return luma(visible), infrared


def gradient(core: EncoderDecoder, visible: Tensor, infrared: Tensor) -> Tensor:
    """d output(AT) / d inputs before tanh, both inputs in one vector."""
    inputs = [visible.requires_grad_(), infrared.requires_grad_()]
    slopes = torch.autograd.grad(response(core, *inputs)[0, 0, AT[0], AT[1]], inputs)
    return torch.cat([slope.flatten() for slope in slopes])


@torch.no_grad()
def energy(core: EncoderDecoder) -> list[float]:
    """The visible share of the energy of the fused features before any activation, per level."""
    sums = torch.zeros(LEVELS, 2)
    for seed in range(8):
        visible, infrared = planes(seed)
        seen, warm = core.visible_encoder(2 * visible - 1), core.infrared_encoder(2 * infrared - 1)
        for n in range(LEVELS):
            weight = core.fusion[str(n)].mix.weight[:, :, 0, 0]
            half = weight.shape[1] // 2
            for side, (part, features) in enumerate(((weight[:, half:], seen[n]), (weight[:, :half], warm[n]))):
                mixed = torch.einsum("oc,bchw->bohw", part, features)
                sums[n, side] += mixed.var((2, 3)).sum()
    return [float(visible / (visible + infrared)) for visible, infrared in sums]


@torch.no_grad()
def impulses(names: list[str]) -> None:
    """Draw what one bright pixel becomes, on a gray ground."""
    figure, axes = pyplot.subplots(2, len(names), figsize=(3 * len(names), 6), squeeze=False)
    for column, name in enumerate(names):
        core = creation.fuser(f"encdec:{name}").core
        ground = torch.full((1, 1, *SIZE), 0.5)
        for side in (0, 1):
            images = [ground.clone(), ground.clone()]
            images[side][..., AT[0], AT[1]] += 0.5
            answer = (response(core, *images) - response(core, ground, ground))[0, 0]
            part = answer[AT[0] - 24 : AT[0] + 24, AT[1] - 24 : AT[1] + 24].numpy()
            limit = abs(part).max() / 3
            axes[side, column].imshow(part, cmap="RdBu_r", vmin=-limit, vmax=limit)
            axes[side, column].set_axis_off()
            axes[side, column].set_title(f"{name}, {('visible', 'infrared')[side]}", fontsize=10)
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(FIGURES / "impulses.png", dpi=80)


if __name__ == "__main__":
    main()
