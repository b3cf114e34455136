"""Qw, Qe and their product on real test pairs, in the convention of Table 1 of arXiv:2412.08073.

Windows of 8×8 without overlap, variances as saliency and as window weights, luma of the 8-bit pictures in [0, 1];
Qe is Qw of the normalised Sobel magnitudes, without a power. Higher is better.
"""

import torch

from common import SETS, Rows, arguments, every_method
from irvis import creation, io
from irvis.data.matching import match
from irvis.losses import qe_index, qw_index

PEERS = {"TNO21": ("DLF", "RFN-Nest")}
REPORTED = {
    "method": "the paper's network, as reported", "TNO21 Qw": 0.75285, "TNO21 Qe": 0.74463, "TNO21 Qw·Qe": 0.56059,
}  # fmt: skip


def main() -> None:
    chosen = arguments(__doc__)
    rows = Rows("quality", chosen)
    for name in every_method():
        rows.add({"method": name}, lambda name=name: row_of(name, chosen.data / "test"), [name])
    for name in PEERS["TNO21"]:
        rows.add({"method": f"{name}, published images"}, lambda name=name: peer_row(name, chosen.data))
    rows.add({"method": REPORTED["method"]}, lambda: REPORTED)
    note = (
        "DLF and RFN-Nest are their authors' published images; the paper's Table 1 has Qw .67280 and .66136 for them. "
        "The paper's Qe could not be reproduced from its text or code, so only its Qw compares."
    )
    rows.write("Qw and Qe on real pairs", note)


@torch.inference_mode()
def row_of(name: str, folder) -> dict[str, object]:
    """Mean scores of one method on every set."""
    row: dict[str, object] = {"method": name}
    for each in SETS:
        scores = []
        for files in match(folder / each).pairs:
            pair = io.read_pair(files.visible, files.infrared)
            fused = (creation.fuser(name)(pair.visible, pair.infrared) * 255).round() / 255
            scores.append(_scores(fused, pair.visible, pair.infrared))
        row |= _means(each, scores)
    return row


def peer_row(name: str, data) -> dict[str, object]:
    """The same of published images."""
    scores = []
    for files in match(data / "test" / "TNO21").pairs:
        pair = io.read_pair(files.visible, files.infrared)
        scores.append(
            _scores(
                io.read_infrared(data / "peers" / "TNO21" / name / f"{files.name}.png"),
                pair.visible,
                pair.infrared,
            )
        )
    return {"method": f"{name}, published images", **_means("TNO21", scores)}


def _scores(fused, visible, infrared) -> tuple[float, float]:
    return qw_index(fused, visible, infrared).item(), qe_index(fused, visible, infrared).item()


def _means(name: str, scores: list[tuple[float, float]]) -> dict[str, float]:
    count = len(scores)
    sums = {
        "Qw": sum(w for w, _ in scores),
        "Qe": sum(e for _, e in scores),
        "Qw·Qe": sum(w * e for w, e in scores),
    }
    return {f"{name} {key}": value / count for key, value in sums.items()}


if __name__ == "__main__":
    main()
