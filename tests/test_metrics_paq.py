"""PaQ-2-PiQ: the published network, part by part, and what becomes of files that do not hold it."""

import functools
import math
import warnings

import numpy as np
import pytest
import torch

from irvis import IrvisError
from irvis.metrics import paq


@functools.cache
def published() -> dict[str, torch.Tensor]:
    """A state of the network as training might leave it."""
    torch.manual_seed(0)
    network = paq.RoIPoolModel().train()
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 64))
    return network.state_dict()


def stored(path, content, **options):
    torch.save(content, path, **options)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """In fastai's format, with an optimiser whose learning rate is a NumPy number."""
    optimiser = {"state": {}, "param_groups": [{"lr": np.float64(1e-4), "params": [0, 1]}]}
    return stored(tmp_path_factory.mktemp("paq") / "RoIPoolModel.pth", {"model": published(), "opt": optimiser})


@pytest.fixture(scope="module")
def score(weights):
    return paq.load(weights)


def test_the_body_is_resnet18_without_its_classifier():
    """11,689,512 parameters less 513,000 of the classifier."""
    assert sum(p.numel() for p in paq.resnet18().parameters()) == 11_176_512


def test_the_names_are_those_of_the_published_checkpoint():
    """ResNet-18's as torchvision has them, its parts numbered in order: conv1 bn1 relu maxpool layer1 … layer4."""
    normal = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    wanted = {"body.0.weight", *(f"body.1.{part}" for part in normal)}
    for layer in range(4, 8):
        for block in range(2):
            place = f"body.{layer}.{block}"
            wanted |= {f"{place}.conv1.weight", f"{place}.conv2.weight"}
            wanted |= {f"{place}.bn{n}.{part}" for n in (1, 2) for part in normal}
        if layer > 4:
            wanted |= {f"body.{layer}.0.downsample.0.weight"}
            wanted |= {f"body.{layer}.0.downsample.1.{part}" for part in normal}
    wanted |= {f"head.{n}.{part}" for n in (2, 6) for part in normal}
    wanted |= {f"head.{n}.{part}" for n in (4, 8) for part in ("weight", "bias")}
    assert set(paq.RoIPoolModel().state_dict()) == wanted


def test_a_box_is_pooled_as_by_hand():
    """A picture of 96×96 pixels has 3×3 features; both cells of a side start or end in the middle one."""
    features = torch.arange(9.0).view(1, 1, 3, 3)
    assert paq.pool_box(features, (0, 0, 64, 64))[0, 0].tolist() == [[4, 5], [7, 8]]
    assert paq.pool_box(features, (0, 0, 96, 96))[0, 0].tolist() == [[4, 5], [7, 8]]
    assert paq.pool_box(features, (0, 0, 31, 31))[0, 0].tolist() == [[0, 1], [3, 4]]
    assert paq.pool_box(features, (0, 0, 10, 10))[0, 0].tolist() == [[0, 0], [0, 0]]


def test_pooling_is_that_of_fast_rcnn():
    """Against the loop over cells and features that the paper's code runs, on boxes inside and beyond the picture."""

    def looped(features: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
        left, top, right, bottom = (int(math.copysign(math.floor(abs(x / 32) + 0.5), x)) for x in box)
        count, height, width = features.shape
        out = np.zeros((count, 2, 2), features.dtype)
        tall, wide = max(bottom - top + 1, 1) / 2, max(right - left + 1, 1) / 2
        for p in range(2):
            for q in range(2):
                rows = range(max(math.floor(p * tall) + top, 0), min(math.ceil((p + 1) * tall) + top, height))
                columns = range(max(math.floor(q * wide) + left, 0), min(math.ceil((q + 1) * wide) + left, width))
                values = [features[:, y, x] for y in rows for x in columns]
                out[:, p, q] = np.max(values, axis=0) if values else 0
        return out

    random = np.random.default_rng(0)
    for _ in range(100):
        height, width = random.integers(1, 12, 2)
        features = random.normal(size=(3, height, width))
        left, top = random.uniform(0, 32 * width), random.uniform(0, 32 * height)
        box = (left, top, left + random.uniform(0, 400), top + random.uniform(0, 400))
        got = paq.pool_box(torch.from_numpy(features)[None], box)[0]
        np.testing.assert_array_equal(got.numpy(), looped(features, box))


def test_the_head_takes_the_largest_before_the_mean():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 4.0]]]])
    assert paq.LargestAndMean()(features).flatten().tolist() == [6, 4, 3, 1]


def test_the_published_format_loads_and_scores_each_picture_alone(score):
    fused, visible, infrared = torch.rand(3, 3, 70, 101), torch.rand(3, 3, 70, 101), torch.rand(3, 1, 70, 101)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(fused, visible, infrared)
    assert scores.shape == (3,)
    assert scores.dtype == torch.float64
    assert scores.isfinite().all()
    assert scores.std() > 0
    for n in range(3):
        alone = score(fused[n : n + 1], infrared[:1], infrared[:1])
        torch.testing.assert_close(alone, scores[n : n + 1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("age", ["plain", "of 2020"])
def test_a_plain_state_and_a_file_of_2020_are_read_as_well(tmp_path, score, age):
    path = tmp_path / "other.pth"
    if age == "plain":
        stored(path, published())
    else:
        content = {"model": published(), "opt": {"param_groups": [{"lr": np.float64(1e-4)}]}}
        stored(path, content, _use_new_zipfile_serialization=False)
        path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n"))
    picture = torch.rand(1, 3, 40, 50)
    torch.testing.assert_close(paq.load(str(path))(picture, picture, picture), score(picture, picture, picture))


def test_gray_is_three_equal_channels_and_eight_bits_are_enough(score):
    picture = torch.rand(1, 1, 33, 64)
    colour = picture.expand(-1, 3, -1, -1)
    rounded = ((picture * 255).round() / 255).double()
    for other in (colour, rounded):
        torch.testing.assert_close(score(other, picture, picture), score(picture, picture, picture))


@pytest.mark.parametrize("size", [(8, 8), (31, 200), (64, 65)])
def test_any_size_from_eight_on_has_a_score_flat_ones_too(score, size):
    for picture in (torch.rand(1, 3, *size), torch.zeros(1, 3, *size), torch.ones(1, 1, *size)):
        assert score(picture, picture, picture).isfinite().all()


def test_smaller_pictures_are_refused(score):
    picture = torch.rand(1, 3, 7, 20)
    with pytest.raises(ValueError, match="at least 8×8"):
        score(picture, picture, picture)


def test_each_wrong_file_is_one_clear_error(tmp_path, weights):
    state = published()
    half = tmp_path / "half.pth"
    half.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    text = tmp_path / "text.pth"
    text.write_text("not weights")
    code = stored(tmp_path / "code.pth", {"model": state, "opt": print})
    lacking = {name: tensor for name, tensor in state.items() if name != "head.8.bias"}
    wrong_shape = state | {"head.8.weight": torch.zeros(2, 512)}
    for path, words in (
        (tmp_path / "nowhere.pth", "no such file; the authors publish"),
        (half, "not a readable PyTorch checkpoint"),
        (text, "not a readable PyTorch checkpoint"),
        (code, "not a readable PyTorch checkpoint"),
        (stored(tmp_path / "lacking.pth", {"model": lacking}), "not the weights of PaQ-2-PiQ.*head.8.bias"),
        (stored(tmp_path / "shape.pth", wrong_shape), "not the weights of PaQ-2-PiQ.*head.8.weight"),
        (stored(tmp_path / "other.pth", torch.nn.Linear(2, 2).state_dict()), "not the weights of PaQ-2-PiQ"),
        (stored(tmp_path / "list.pth", [1, 2]), "no state dict"),
    ):
        with pytest.raises(IrvisError, match=words) as error:
            paq.load(path)
        assert "\n" not in str(error.value)
        assert path.name in str(error.value)


def test_nothing_stays_allowed_that_was_not_before(weights):
    before = set(torch.serialization.get_safe_globals())
    paq.load(weights)
    assert set(torch.serialization.get_safe_globals()) == before
