"""How much a fusion computes, and how fast this machine can compute at all."""

from collections.abc import Callable
from time import perf_counter

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
SIDES, LARGE, ENOUGH, PRODUCTS = (512, 1024, 2048, 4096), 8192, 0.5, 6


def flops(fuse: Callable[[Tensor, Tensor], object], visible: Tensor, infrared: Tensor) -> int:
    """Floating-point operations of one call, a multiply-add as two; `show.NOT_COUNTED` are left out."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        fuse(visible, infrared)
    return int(counter.get_total_flops())


@torch.inference_mode()
def ceiling(precision: str, device: str) -> float:
    """FLOP/s of the fastest product of two square matrices, of several sizes, six times each.

    Sizes end before one whose product would take 0.5 s. float32 on CUDA is as exact as convolutions there: TF32 if
    torch allows it.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    best = 0.0
    for side in (*SIDES, LARGE) if device.startswith("cuda") else SIDES:
        left, right = (torch.rand(side, side, device=device).to(DTYPES[precision]) for _ in range(2))
        fastest = min(seconds(torch.matmul, left, right) for _ in range(PRODUCTS))
        best = max(best, 2 * side**3 / fastest)
        if 8 * fastest > ENOUGH:
            break
    return best


def seconds(call: Callable[[Tensor, Tensor], object], first: Tensor, second: Tensor) -> float:
    """Wall-clock seconds of one call, until the device has finished."""
    wait(first.device.type)
    begun = perf_counter()
    call(first, second)
    wait(first.device.type)
    return perf_counter() - begun


def wait(device: str) -> None:
    """Until the device has done what it was told; the CPU always has."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
