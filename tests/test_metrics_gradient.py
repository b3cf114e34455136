"""Metrics of gradients and edges against reference codes, by hand and by their laws."""

import math
import warnings
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import disagreements
from irvis.metrics.edges import balance, labf, nabf, q_g, qabf, qabf_petrovic
from irvis.metrics.gradient import ag, ei, haar, q_m, q_sf, sf, sobel
from irvis.metrics.maps import levels, sharing
from irvis.metrics.record import METRICS

ALL = (sf, ag, ei, q_sf, q_m, qabf, qabf_petrovic, labf, nabf, q_g)


def per_channel(metric):
    """A metric as VIFB reads colour: channel by channel, averaged."""

    def averaged(fused, visible, infrared):
        values = [
            metric(fused[:, c : c + 1], visible[:, c : c + 1], infrared[:, min(c, infrared.shape[1] - 1)][:, None])
            for c in range(fused.shape[1])
        ]
        return sum(values) / len(values)

    return averaged


CDDFUSE = ["cddfuse_python_pinned", "cddfuse_python"]
FLAT = "degenerate/all_255", "degenerate/all_const128"
ROWS = {
    "SF": (sf, [("tang_matlab", "SF"), ("ivif_zoo_python", "SF"), *((code, "SF") for code in CDDFUSE)]),
    "SF per pixel": (
        partial(sf, per_pixel=True, side_by_side=True),
        [("vifb_matlab", "Spatial_frequency"), ("thfylsty_matlab", "SF_mn")],
    ),
    "AG": (per_channel(ag), [("tang_matlab", "AG"), ("vifb_matlab", "Avg_gradient")]),
    "AG per pixel": (
        partial(ag, per_pixel=True),
        [("ivif_zoo_python", "AG"), *((code, "AG") for code in CDDFUSE)],
    ),
    "AG forward": (partial(ag, differences="forward"), [("thfylsty_matlab", "DF_definition")]),
    "AG forward per pixel": (
        partial(ag, differences="forward", per_pixel=True),
        [("thfylsty_matlab", "AverageGradient_fwd")],
    ),
    "EI": (per_channel(ei), [("vifb_matlab", "Edge_intensity"), ("thfylsty_matlab", "EI")]),
    "EI among zeros": (partial(ei, border="zero"), [("ivif_zoo_python", "EI")]),
    "Q_SF": (q_sf, [("liu_matlab", "Q_SF_zheng")]),
    # Constant sources are 0/0 there, which rounding makes 3.
    "Q_M": (q_m, [("liu_matlab", "Q_M")], FLAT),
    "Qabf": (
        per_channel(qabf),
        [
            ("tang_matlab", "Qabf"),
            ("vifb_matlab", "Qabf"),
            ("ivif_zoo_python", "Qabf"),
            *((code, "Qabf") for code in CDDFUSE),
        ],
    ),
    # Black sources are 0/(0 + 2e-16) = 0 there, NaN here.
    "Qabf over the full turn": (
        partial(qabf, full_turn=True),
        [("topanxal_python", "Qabf")],
        ("degenerate/all_zero",),
    ),
    "QABF": (qabf_petrovic, [("petrovic_kumar_matlab", "QABF")]),
    "LABF": (labf, [("petrovic_kumar_matlab", "LABF")]),
    "NABF": (nabf, [("petrovic_kumar_matlab", "NABF_kumar"), ("tang_matlab", "Nabf")]),
    "NABF of Petrović": (partial(nabf, petrovic=True), [("petrovic_kumar_matlab", "NABF1_petrovic")]),
    "NABF permuted": (partial(nabf, permuted=True), [("tang_matlab", "Nabf_current_argorder")]),
    # Rests on ties between strengths, which rounding decides on [0, 1]: one pixel may fall to the other side.
    "NABF on [0, 1]": (partial(nabf, white=1), [("hli1221_matlab", "Nabf_01")]),
    "NABF without floor": (partial(nabf, floor=0), [("ivif_zoo_python", "Nabf")]),
    "NABF over the full turn": (
        partial(nabf, white=2040, border="zero", full_turn=True),
        [("topanxal_python", "Nabf")],
    ),
    "Q_G": (q_g, [("liu_matlab", "Q_G_xydeas_liu")]),
    "Q_G of the picture": (partial(q_g, pool="picture"), [("pyfusionsr_matlab", "Q_G_xydeas_global")]),
    "Q_G lost": (partial(q_g, pool="lost"), [("pyfusionsr_matlab", "L_ABF")]),
    "Q_G added": (partial(q_g, pool="added"), [("pyfusionsr_matlab", "N_ABF")]),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_reference_codes_agree(golden_data, row):
    metric, references, *except_for = ROWS[row]
    assert disagreements(golden_data, references, metric, *except_for) == []


def picture(rows: int, columns: int, value) -> torch.Tensor:
    """The image whose level at (y, x) is value(y, x)."""
    return torch.tensor([[[[float(value(y, x)) for x in range(columns)] for y in range(rows)]]]) / 255


def noise(seed: int, size=(9, 13), batch: int = 1, low: int = 0, high: int = 256) -> list[torch.Tensor]:
    """A fused image and two sources of random whole levels."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(low, high, (batch, 1, *size), generator=generator) / 255 for _ in range(3)]


def test_a_ramp_has_the_gradients_of_its_slope():
    """3 levels a column, 4 a row, on 10×12 pixels."""
    ramp = picture(10, 12, lambda y, x: 4 * y + 3 * x)
    assert sf(ramp, ramp, ramp).item() == pytest.approx(5)
    assert sf(ramp, ramp, ramp, per_pixel=True).item() == pytest.approx(math.sqrt(9 * 11 / 12 + 16 * 9 / 10))
    assert ag(ramp, ramp, ramp).item() == pytest.approx(5 / math.sqrt(2) * 120 / 99)
    assert ag(ramp, ramp, ramp, per_pixel=True).item() == pytest.approx(5 / math.sqrt(2))
    assert ag(ramp, ramp, ramp, differences="forward").item() == pytest.approx(5 / math.sqrt(2))
    assert ag(ramp, ramp, ramp, differences="forward", per_pixel=True).item() == pytest.approx(
        5 / math.sqrt(2) * 99 / 120
    )


def test_edge_intensity_of_a_ramp_is_eight_slopes_and_half_of_it_at_the_border():
    ramp = picture(8, 8, lambda y, x: 2 * x)
    assert ei(ramp, ramp, ramp).item() == pytest.approx((6 * 16 + 2 * 8) / 8)


def test_colour_side_by_side_counts_the_seams():
    """Three constant channels 0, 30, 90: the only differences are two seams of 8 pixels each in a picture of 8×24."""
    colour = torch.cat([torch.full((1, 1, 8, 8), level / 255) for level in (0, 30, 90)], dim=1)
    value = sf(colour, colour, colour, per_pixel=True, side_by_side=True).item()
    assert value == pytest.approx(math.sqrt(8 * (30**2 + 60**2) / (8 * 24)))
    assert sf(colour, colour, colour).item() == 0


def test_sobel_is_exact_and_points_right_and_up():
    right, up = sobel(levels(picture(8, 8, lambda y, x: 3 * x - 2 * y + 20)), "zero")
    assert (right[..., 1:-1, 1:-1] == 24).all()
    assert (up[..., 1:-1, 1:-1] == 16).all()


def test_detail_that_the_fused_image_halves_or_doubles_is_minus_a_half_or_one():
    source, weak = (picture(9, 9, lambda y, x, k=k: k * (x % 2) + k * y) for k in (20, 10))
    assert q_sf(weak, source, source).item() == pytest.approx(-0.5)
    assert q_sf(source, weak, weak).item() == pytest.approx(1)


def test_the_reference_detail_is_the_stronger_of_the_two_sources():
    """Steps of 6 along rows in one source, of 8 along columns in the other: the fused image has both."""
    visible, infrared = picture(8, 8, lambda y, x: 6 * x), picture(8, 8, lambda y, x: 8 * y)
    activity = 36 * 56 + 64 * 56 + 2 * 49 * 64 / math.sqrt(2)
    expected = math.sqrt((36 * 56 + 36 * 98 / math.sqrt(2)) / activity) - 1
    assert q_sf(visible, visible, infrared).item() == pytest.approx(expected)


def test_haar_details_keep_the_energy():
    image = levels(noise(0, (16, 12))[0])
    fine, coarse = haar(image)
    blocks = image.unfold(2, 4, 4).unfold(3, 4, 4).sum((-2, -1)) / 4
    whole = (fine.square().sum() + coarse.square().sum() + blocks.square().sum()).item()
    assert whole == pytest.approx(image.square().sum().item(), rel=1e-12)


def test_multiscale_edges_of_one_column_in_four_against_nothing():
    """Columns 4 0 0 0: one detail of 4 on either level, two of 0; a black image misses the first, meets the others."""
    source = picture(8, 8, lambda y, x: 4 if x % 4 == 0 else 0)
    assert q_m(source * 0, source, source).item() == pytest.approx(2 + math.exp(-4))


def sobel_of(image: list[list[float]], y: int, x: int, outside) -> tuple[float, float]:
    """Derivatives right and up at one pixel, by the masks written out."""
    at = lambda dy, dx: outside(image, y + dy, x + dx)  # noqa: E731
    right = sum(w * (at(dy, 1) - at(dy, -1)) for dy, w in ((-1, 1), (0, 2), (1, 1)))
    up = sum(w * (at(-1, dx) - at(1, dx)) for dx, w in ((-1, 1), (0, 2), (1, 1)))
    return right, up


def zero(image, y, x):
    return image[y][x] if 0 <= y < len(image) and 0 <= x < len(image[0]) else 0


def mirrored(image, y, x):
    rows, columns = len(image) - 1, len(image[0]) - 1
    return image[rows - abs(rows - abs(y))][columns - abs(columns - abs(x))]


def sigmoid(value, top, slope, middle):
    return top / (1 + math.exp(-slope * (value - middle)))


def edges_of(image, outside):
    found = [[sobel_of(image, y, x, outside) for x in range(len(image[0]))] for y in range(len(image))]
    return [(math.hypot(*d), math.atan(d[1] / d[0]) if d[0] else math.pi / 2) for row in found for d in row]


@pytest.mark.parametrize("seed", range(3))
def test_qabf_pixel_by_pixel(seed):
    images = noise(seed, high=4)
    lists = [(image[0, 0] * 255).round().tolist() for image in images]
    fused, *sources = (edges_of(image, zero) for image in lists)
    kept = weight = 0.0
    for source in sources:
        for (g, a), (g_fused, a_fused) in zip(source, fused, strict=True):
            alike = g_fused if g == g_fused else min(g, g_fused) / max(g, g_fused)
            parallel = 1 - abs(a - a_fused) / (math.pi / 2)
            kept += g * sigmoid(alike, 0.9994, 15, 0.5) * sigmoid(parallel, 0.9879, 22, 0.8)
            weight += g
    assert qabf(*images).item() == pytest.approx(kept / weight, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_labf_and_nabf_pixel_by_pixel(seed):
    images = noise(seed, high=8)
    lists = [(image[0, 0] * 255).round().tolist() for image in images]
    fused, *sources = (edges_of(image, mirrored) for image in lists)
    lost = added = twice = whole = 0.0
    for (g_fused, a_fused), *both in zip(fused, *sources, strict=True):
        kept, weights = [], []
        for g, a in both:
            alike = min(g, g_fused) / max(g, g_fused) if g * g_fused else 0
            parallel = abs(abs(a - a_fused) - math.pi / 2) * 2 / math.pi
            kept.append(math.sqrt(sigmoid(alike, 0.9999, 19, 0.5) * sigmoid(parallel, 0.9995, 22, 0.5)))
            weights.append((g / 8) ** 1.5 if g / 8 >= 2 else 0.001)
        missing = sum((1 - q) * w for q, w in zip(kept, weights, strict=True))
        whole += sum(weights)
        if g_fused > max(g for g, _ in both):
            added, twice = added + missing, twice + (2 - sum(kept)) * sum(weights)
        else:
            lost += missing
    assert labf(*images).item() == pytest.approx(lost / whole, rel=1e-12)
    assert nabf(*images).item() == pytest.approx(added / whole, rel=1e-12)
    assert nabf(*images, petrovic=True).item() == pytest.approx(twice / whole, rel=1e-12)
    assert qabf_petrovic(*images).item() == pytest.approx(1 - (lost + added) / whole, rel=1e-12)


@pytest.mark.parametrize(("level", "qabf_value"), [(0, math.nan), (128, 0.97533), (255, 0.97533)])
def test_constant_images_give_the_documented_values(level, qabf_value):
    flat = torch.full((1, 1, 8, 9), level / 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {metric.__name__: metric(flat, flat, flat).item() for metric in ALL}
    expected = {
        "sf": 0, "ag": 0, "ei": 0, "q_sf": math.nan, "q_m": math.nan, "qabf": qabf_value,
        "qabf_petrovic": 0.00865, "labf": 0.99135, "nabf": 0, "q_g": 0.98666,
    }  # fmt: skip
    assert values == pytest.approx(expected, abs=1e-5, nan_ok=True)
    assert math.isnan(nabf(flat, flat, flat, floor=0).item())


def test_identical_images_give_the_documented_values():
    image = noise(1, (20, 24))[0]
    values = {metric.__name__: metric(image, image, image).item() for metric in (q_sf, q_m, qabf, labf, nabf, q_g)}
    expected = {"q_sf": 0, "q_m": 3, "qabf": 0.97533, "labf": 0.00034, "nabf": 0, "q_g": 0.98666}
    assert values == pytest.approx(expected, abs=2e-5)
    assert qabf_petrovic(image, image, image).item() == pytest.approx(1 - 0.00034, abs=2e-5)


def test_a_shift_by_one_pixel_costs_edges_but_not_detail():
    image = noise(2, (30, 31))[0]
    shifted = image.roll(1, 3)
    for metric in (q_m, qabf, qabf_petrovic, q_g):
        assert metric(shifted, image, image).item() < 0.8 * metric(image, image, image).item()
    assert abs(q_sf(shifted, image, image).item()) < 0.05


def test_one_constant_source_or_fused_image_leaves_finite_values():
    image, flat = noise(3)[0], torch.full((1, 1, 9, 13), 0.4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for triple in ((flat, image, image), (image, flat, image), (image, image, flat)):
            assert all(metric(*triple).isfinite().all() for metric in ALL)
    assert q_sf(flat, image, image).item() == -1


def test_the_shares_of_edge_information_sum_to_one():
    shares = balance(*map(levels, noise(4, batch=3)))
    torch.testing.assert_close(shares.kept + shares.lost + shares.added, torch.ones(3, dtype=torch.float64))


@given(seed=st.integers(0, 10_000), high=st.sampled_from([2, 6, 256]), size=st.sampled_from([(8, 8), (9, 14)]))
@settings(max_examples=15, deadline=None)
def test_gradient_metrics_are_symmetric_bounded_and_batched(seed, high, size):
    fused, visible, infrared = noise(seed, size, batch=2, high=high)
    for entry in METRICS.values():
        if entry.function not in ALL:
            continue
        both = entry.function(fused, visible, infrared)
        assert both.dtype == torch.float64
        assert entry.symmetric
        torch.testing.assert_close(both, entry.function(fused, infrared, visible), equal_nan=True)
        alone = torch.cat([entry.function(*(x[n : n + 1] for x in (fused, visible, infrared))) for n in range(2)])
        torch.testing.assert_close(both, alone, equal_nan=True, rtol=1e-12, atol=0)
        double = entry.function(fused.double(), visible.double(), infrared.double())
        assert torch.equal(both.nan_to_num(), double.nan_to_num())
        low, top = entry.bounds
        assert ((both >= low - 1e-12) & (both <= top + 1e-12) | both.isnan()).all()


def test_the_steepest_images_stay_in_bounds():
    checker = picture(8, 8, lambda y, x: 255 * ((x + y) % 2))
    stripes = picture(8, 8, lambda y, x: 255 * (x // 2 % 2))
    for image in (checker, stripes):
        for metric, name in ((sf, "SF"), (ag, "AG"), (ei, "EI")):
            assert metric(image, image, image).item() <= METRICS[name].bounds[1]


def test_sharing_maps_changes_neither_values_nor_images():
    fused, visible, infrared = noise(5)
    before = [metric(fused, visible, infrared).item() for metric in ALL]
    with sharing() as memory:
        for _ in range(2):
            assert [metric(fused, visible, infrared).item() for metric in ALL] == before
            memory.forget(fused)
    assert [metric(fused, visible, infrared).item() for metric in reversed(ALL)] == before[::-1]
