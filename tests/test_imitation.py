"""Training by example: the pictures to be learnt, the drawn patterns, the loss and the network that learns them."""

import pytest
import torch
from torch import Tensor

import irvis
from irvis.data.pairs import Taught
from irvis.data.patterns import SIDE, Patterns
from irvis.filters import expand, gaussian, reduce
from irvis.losses import bands
from irvis.methods.gains import LARGEST_GAIN, GainNetwork, decomposed, phases
from irvis.training.recipe import Stage
from irvis.training.steps import imitate
from irvis.training.target import target

HEIGHT, WIDTH = 160, 192


def plain(level: float) -> Tensor:
    return torch.full((1, 1, HEIGHT, WIDTH), level)


def noise(deviation: float, seed: int = 0) -> Tensor:
    return deviation * torch.randn(1, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


def disc(radius: float = 14.0) -> Tensor:
    """1 in the middle, 0 elsewhere, with an edge of two pixels."""
    rows, columns = torch.meshgrid(torch.arange(HEIGHT) - HEIGHT / 2, torch.arange(WIDTH) - WIDTH / 2, indexing="ij")
    return ((radius - (rows.square() + columns.square()).sqrt()) / 2 + 0.5).clamp(0, 1)[None, None]


def waves(period: float) -> Tensor:
    return (2 * torch.pi / period * torch.arange(WIDTH)).sin().expand(1, 1, HEIGHT, WIDTH)


def swing(image: Tensor) -> float:
    return (image - gaussian(image.double(), 6.0)).std().item()


# -------------------------------------------------------------------------------------- the picture to be learnt


def test_a_target_has_the_size_type_and_range_of_the_pair():
    made = target((plain(0.5) + noise(0.2)).clamp(0, 1), (plain(0.4) + noise(0.2, 1)).clamp(0, 1))
    assert made.shape == (1, 1, HEIGHT, WIDTH)
    assert made.dtype == torch.float32
    assert torch.equal(made, made.clamp(0, 1))


@pytest.mark.parametrize("of", ["visible", "infrared"])
def test_detail_of_either_camera_is_in_the_target(of):
    detail = 0.08 * waves(6) * disc(50)
    sources = (plain(0.4) + detail, plain(0.4)) if of == "visible" else (plain(0.4), plain(0.4) + detail)
    assert swing(target(*sources)) > 0.9 * swing(detail)


def test_most_of_infrared_noise_stays_out_of_a_bright_plain_sky():
    made = target(plain(0.85), plain(0.3) + noise(0.02))
    assert swing(made) < 0.35 * 0.02


def test_black_stays_dark_under_plain_infrared():
    assert target(plain(0.0), plain(0.6)).mean() < 0.15


def test_a_warm_thing_is_as_bright_as_in_infrared_and_not_white():
    infrared = 0.15 + 0.7 * disc()
    made = target(plain(0.25), infrared)
    assert made[disc() == 1].mean() > 0.9 * 0.85
    assert made.amax() < 0.97


def test_saturated_light_opens_where_infrared_shows_something_and_stays_light():
    there = target(plain(1.0), 0.4 + 0.15 * waves(12))
    assert swing(there) > 0.5 * swing(0.15 * waves(12))
    assert there.mean() > 0.75


def test_noise_of_a_dark_visible_image_is_shrunk():
    dark = (plain(0.15) + noise(0.05)).clamp(0, 1)
    assert swing(target(dark, plain(0.3))) < 0.5 * swing(dark)


# --------------------------------------------------------------------------------------------- drawn patterns


def test_patterns_are_drawn_by_number_and_in_range():
    first, again, other = Patterns(8, seed=3), Patterns(8, seed=3), Patterns(8, seed=4)
    assert len(first) == 8
    for number in range(8):
        images = first[number]
        assert [tuple(image.shape) for image in images] == [(1, n, SIDE, SIDE) for n in (3, 1, 1)]
        assert all(torch.equal(image, image.clamp(0, 1)) for image in images)
        assert all(torch.equal(a, b) for a, b in zip(images, again[number], strict=True))
    assert any(not torch.equal(first[n][2], other[n][2]) for n in range(8))


# ----------------------------------------------------------------------------------------- pairs with a target


class OnePair:
    """A source of one pair, and what it was asked for."""

    def __len__(self) -> int:
        return 1

    def name(self, index: int) -> str:
        return "one"

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return plain(0.5).expand(-1, 3, -1, -1), plain(0.25)


def test_variants_bend_the_sources_and_the_target_is_made_of_the_bent_ones():
    calls = []

    def teach(luma: Tensor, infrared: Tensor) -> Tensor:
        calls.append((luma.mean().item(), infrared.mean().item()))
        return infrared

    taught = Taught(OnePair(), teach, 3, 1.7)
    assert len(taught) == 3
    assert {taught.name(n) for n in range(3)} == {"one"}
    pairs = [taught[n] for n in range(3)]
    assert pairs[0][1].mean().item() == pytest.approx(0.25, abs=1 / 255)
    assert len({round(visible.mean().item(), 3) for visible, _, _ in pairs}) == 3
    for (_, infrared, made), (_, given) in zip(pairs, calls, strict=True):
        assert torch.equal(infrared, made)
        assert infrared.mean().item() == pytest.approx(given, abs=1 / 255)
    taught[0]
    assert len(calls) == 3  # kept once made


# ------------------------------------------------------------------------------------------ the loss and step


def test_bands_is_zero_for_the_mean_of_both_and_grows_with_every_difference():
    one, other = torch.rand(2, 1, 64, 64), torch.rand(2, 1, 64, 64)
    assert bands((one + other) / 2, one, other).abs().max() < 1e-6
    fine = 0.1 * (torch.arange(64) % 2 * 2.0 - 1).expand(2, 1, 64, 64)
    assert (bands(one + 0.1, one, one) > 0.09).all()
    assert (bands(one + fine, one, one) > bands(one + 0.1, one, one)).all()  # the finest band weighs most


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (33, 47)])
def test_bands_takes_pictures_of_any_size(size):
    image = torch.rand(1, 1, *size)
    assert torch.isfinite(bands(image, image + 0.1, image)).all()


def test_imitation_compares_with_the_target_and_other_losses_with_the_clean_sources():
    visible, infrared, made = torch.rand(2, 1, 64, 64), torch.rand(2, 1, 64, 64), torch.rand(2, 1, 64, 64)
    stage = Stage(step="imitate", losses={"bands": {"weight": 2.0}, "mse": {"weight": 1.0}}, noise=0.0)
    outcome = imitate(lambda seen, warm: made, visible, infrared, stage, made)
    assert outcome.terms["bands"].item() == pytest.approx(0, abs=1e-6)
    assert outcome.terms["mse"] > 0.01
    noisy = Stage(step="imitate", losses={"bands": {"weight": 1.0}}, noise=0.2)
    given = []
    torch.manual_seed(0)
    for _ in range(4):
        imitate(lambda seen, warm: given.append(seen) or seen, visible, infrared, noisy, made)
    assert any(not torch.equal(seen, visible) for seen in given)


# ------------------------------------------------------------------------------------------------ the network


def test_the_decomposition_is_exact():
    image = torch.rand(1, 1, 96, 64)
    details, low = decomposed(image)
    for band in reversed(details[1:]):
        low = expand(low) + band
    assert torch.allclose(torch.pixel_shuffle(phases(low) + details[0], 2), image, atol=1e-6)


def test_phases_are_the_pixels_of_an_expanded_image():
    coarse = reduce(torch.rand(1, 1, 32, 48))
    assert torch.allclose(torch.pixel_shuffle(phases(coarse), 2), expand(coarse), atol=1e-6)


def test_the_fused_picture_is_made_of_the_gains_that_are_told():
    torch.manual_seed(0)
    network = GainNetwork(4).eval()
    visible, infrared = torch.rand(1, 1, 64, 96), torch.rand(1, 1, 64, 96)
    with torch.inference_mode():
        fused, gains = network.explained(visible, infrared)
    assert [tuple(band.shape) for band in gains.bands] == [(1, 2, 64 >> n, 96 >> n) for n in range(5)]
    assert all(band.amin() >= 0 and band.amax() <= LARGEST_GAIN for band in gains.bands)
    assert torch.equal(gains.infrared_share, gains.infrared_share.clamp(0, 1))
    details, low = decomposed(torch.cat([visible, infrared]))
    made = gains.factor * torch.lerp(*low.chunk(2), gains.infrared_share)
    for level in range(4, -1, -1):
        band = details[level] if level else torch.pixel_shuffle(details[0], 2)
        made = expand(made) + (gains.bands[level] * torch.cat(band.chunk(2), 1)).sum(1, keepdim=True)
    assert torch.allclose(made, fused, atol=1e-5)


@pytest.mark.parametrize("option", [{"padding": "zero"}, {"activation": "gelu"}, {"skip": False}, {"fusion": "max"}])
def test_options_that_mean_nothing_to_a_network_of_gains_are_refused(option):
    with pytest.raises(irvis.IrvisError, match="takes width and domain only"):
        irvis.create("encdec", weights=None, width=4, output="gains", **option)
