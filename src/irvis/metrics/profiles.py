"""Profiles: the metrics as other codes compute them, quirks included, so that printed tables can be compared with.

A profile is a table: name → the function and options that reproduce that code's number on 8-bit files. What a profile
does with colour is part of it. The names are ours; where a code calls the number something else, `alias` says how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from torch import Tensor

from . import natural, replicas  # noqa: F401 (natural: for its place in METRICS)
from .colours import chroma_error, hue_error
from .edges import nabf, q_g, qabf
from .fidelity import vif
from .gradient import ag, ei, q_m, q_sf, sf
from .information import (
    correlation_information_entropy,
    cross_entropy,
    entropy,
    mutual_information,
    normalised_mutual_information,
    tsallis_information,
)
from .multiscale import ms_ssim
from .mutual_features import feature_mutual_information
from .phase import q_p
from .pixel import cc, mse, psnr, rmse, scd, sd
from .record import METRICS
from .structure import q0, q_c, q_y, qe, qw, ssim
from .vision import q_cb, q_cv

Function = Callable[..., Tensor]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How one code judges."""

    name: str
    code: str
    """Repository and commit whose numbers it gives."""
    colour: Literal["gray", "channels"]
    """Colour becomes gray first, or each channel is judged and the mean taken."""
    metrics: Mapping[str, Function]
    whole: tuple[str, ...] = ()
    """Metrics that take the colour image as it is, whatever `colour` says."""
    alias: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


_default = {name: record.function for name, record in METRICS.items()}
_default |= {
    f"{name}_{part}": partial(function, part=part)
    for name, function in (("CHROMA", chroma_error), ("HUE", hue_error))
    for part in ("dark", "bright")
}

_vifb: dict[str, Function] = {
    "CE": cross_entropy,
    "EN": entropy,
    "MI": partial(mutual_information, unit="nat"),
    "PSNR": partial(psnr, form="vifb"),
    "AG": ag,
    "EI": ei,
    "Qabf": qabf,
    "SD": sd,
    "SF": partial(sf, per_pixel=True, side_by_side=True),
    "RMSE": partial(rmse, form="vifb"),
    "SSIM": partial(ssim, combine="sum"),
    "Q_CB": q_cb,
    "Q_CV": q_cv,
}

_tang: dict[str, Function] = {
    "EN": entropy,
    "MI": partial(mutual_information, joint="saturated"),
    "PSNR": partial(psnr, form="tang"),
    "MSE": partial(mse, peak=1.0),
    "SF": sf,
    "SD": sd,
    "VIF": vif,
    "AG": ag,
    "CC": cc,
    "SCD": scd,
    "Qabf": qabf,
    "SSIM": partial(ssim, span=1.0, border="replicate"),
    "MS_SSIM": ms_ssim,
    "Nabf": partial(nabf, permuted=True),
    "FMI_pixel": partial(feature_mutual_information, feature="edge", reference=True),
    "FMI_dct": partial(feature_mutual_information, feature="dct", reference=True),
    "FMI_wavelet": partial(feature_mutual_information, feature="wavelet", reference=True),
}

_cddfuse: dict[str, Function] = {
    "EN": entropy,
    "SD": sd,
    "SF": sf,
    "AG": partial(ag, per_pixel=True),
    "MI": partial(mutual_information, unit="nat"),
    "MSE": mse,
    "PSNR": partial(psnr, form="cddfuse"),
    "CC": cc,
    "SCD": scd,
    "VIF": partial(vif, constant=1.0),
    "Qabf": qabf,
    "SSIM": replicas.cddfuse_ssim,
}

_zoo: dict[str, Function] = {
    "EN": partial(entropy, guard=1e-7),
    "SD": sd,
    "SF": sf,
    "AG": partial(ag, per_pixel=True),
    "EI": partial(ei, border="zero"),
    "MI": mutual_information,
    "NMI": partial(normalised_mutual_information, by="sources"),
    "CE": partial(cross_entropy, of="sigmoids"),
    "CC": cc,
    "SCD": scd,
    "MSE": partial(mse, peak=1.0),
    "PSNR": partial(psnr, form="tang"),
    "SSIM": replicas.zoo_ssim,
    "MS_SSIM": replicas.zoo_ms_ssim,
    "VIF": replicas.zoo_vif,
    "Qabf": qabf,
    "Nabf": partial(nabf, floor=0.0),
    "Q_CB": replicas.zoo_qcb,
    "Q_Y": replicas.zoo_qy,
    "Q_NCIE": partial(correlation_information_entropy, correlation="pearson"),
    "Q_TE": partial(tsallis_information, form="entropies"),
}

_pyfusionsr: dict[str, Function] = {
    "Qw": replicas.pyfusionsr_qw,
    "Qe": partial(replicas.pyfusionsr_qw, edges=True, power=0.7),
    "Qe_matlab": qe,
    "Qabf": partial(q_g, pool="picture"),
    "Labf": partial(q_g, pool="lost"),
    "Nabf": partial(q_g, pool="added"),
}

_liu: dict[str, Function] = {
    "NMI": normalised_mutual_information,
    "Q_TE": partial(tsallis_information, liu=True),
    "Q_TE_nava": partial(tsallis_information, form="nava", liu=True),
    "Q_NCIE": correlation_information_entropy,
    "Q_G": q_g,
    "Q_M": q_m,
    "Q_SF": q_sf,
    "Q_P": q_p,
    "Q0": q0,
    "Qw": qw,
    "Q_C": partial(q_c, clip="quality"),
    "Q_Y": q_y,
    "Q_CV": q_cv,
    "Q_CB": q_cb,
}

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="default",
            code="irvis",
            colour="gray",
            metrics=_default,
            whole=("CHROMA", "HUE", "CHROMA_dark", "CHROMA_bright", "HUE_dark", "HUE_bright"),
            notes="the conventions that each metric's own documentation gives",
        ),
        Profile(
            name="vifb",
            code="xingchenzhang/VIFB @ 22b2ea9",
            colour="channels",
            metrics=_vifb,
            whole=("SF",),
            alias={"SD": "Variance", "MI": "Mutinf"},
            notes="MI in nats, SSIM a sum (0..2), RMSE divided by √pixels, PSNR of that RMSE",
        ),
        Profile(
            name="tang",
            code="Linfeng-Tang/Evaluation-for-Image-Fusion @ 0e87153",
            colour="gray",
            metrics=_tang,
            notes="PSNR 48.13 dB higher, SSIM with L = 1, levels 254 and 255 merged in MI, arguments of Nabf permuted, "
            "FMI_pixel is of edge maps",
        ),
        Profile(
            name="cddfuse",
            code="Zhaozixiang1228/MMIF-CDDFuse @ fd8da1f",
            colour="gray",
            metrics=_cddfuse,
            alias={"VIF": "VIFF"},
            notes="MI in nats, AG over all pixels, SSIM with L = 2, a 7×7 box and summed, PSNR's peak is the fused "
            "maximum, what it calls VIFF is VIF",
        ),
        Profile(
            name="zoo",
            code="RollingPlain/IVIF_ZOO @ 61b0a44",
            colour="gray",
            metrics=_zoo,
            notes="CE, Q_NCIE, Q_TE and NMI are other quantities under these names; MS_SSIM is Wang's of 2003; PSNR "
            "and MSE as Tang",
        ),
        Profile(
            name="pyfusionsr",
            code="ferhatcan/pyFusionSR @ c8600c7",
            colour="gray",
            metrics=_pyfusionsr,
            notes="Qw over 8×8 blocks without overlap, as in Table 1 of arXiv:2412.08073; Qe to the power 0.7",
        ),
        Profile(
            name="liu",
            code="zhengliu6699/imageFusionMetrics @ d6f7f1a",
            colour="gray",
            metrics=_liu,
            notes="Q_TE with transposed marginals, Q_C clips the quality instead of the share; Q_Y and Q_C as "
            "documented where windows are flat (the code gives noise there)",
        ),
    )
}
