"""Alarms that stop a dying training early, with a message that says what happened and what to try."""

import torch
from torch import Tensor

from ..color import gray
from ..errors import IrvisError
from ..types import Gray, Picture

PATIENCE = 200
"""Steps in a row for which a fault must last."""


class Alarms:
    """Watches every step: not a number, a constant output, one source ignored."""

    def __init__(self, patience: int = PATIENCE) -> None:
        self.patience = patience
        self.bad = {"constant": 0, "visible": 0, "infrared": 0}

    def check(self, loss: Tensor, fused: Picture, visible: Picture, infrared: Gray, *, fuses: bool = True) -> None:
        """Raise IrvisError when the training is lost; images as the step saw them.

        Where a step fuses nothing (`fuses` is False) only the loss is looked at.
        """
        if not torch.isfinite(loss):
            raise IrvisError("training stopped: the loss is not a number. Try a smaller lr, clip = 1, or fp32.")
        if not fuses:
            return
        with torch.no_grad():
            planes = [gray(image.detach().float()) for image in (fused, visible, infrared)]
            constant = bool(planes[0].std((1, 2, 3)).mean() < 2e-3)
            self._count("constant", constant)
            for name, source in (("visible", planes[1]), ("infrared", planes[2])):
                self._count(name, not constant and bool(correlation(planes[0], source).abs().mean() < 0.05))

    def _count(self, fault: str, present: bool) -> None:
        self.bad[fault] = self.bad[fault] + 1 if present else 0
        if self.bad[fault] < self.patience:
            return
        if fault == "constant":
            raise IrvisError(
                f"training stopped: the output has been constant for {self.patience} steps. "
                "Try a smaller lr or another seed."
            )
        raise IrvisError(
            f"training stopped: the {fault} image has been ignored for {self.patience} steps (its correlation with "
            f"the output is below 0.05). Give it more weight, for example mse = {{ weight = 1, {fault}_weight = 1 }}."
        )


def correlation(a: Gray, b: Gray) -> Tensor:
    """Pearson correlation of each pair of images; 0 where one is constant."""
    a, b = (x.flatten(1) - x.flatten(1).mean(1, keepdim=True) for x in (a, b))
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-9)
