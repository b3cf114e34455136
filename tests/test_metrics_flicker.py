"""Flicker: what brightness steps, noise and motion do to the two measures, in closed form where there is one."""

import itertools
import math
import sys
import weakref
from collections.abc import Iterator

import pytest
import torch

import irvis
from irvis import IrvisError, io
from irvis.metrics.flicker import Change, temporal_gain, warped, warped_difference

BOTH = pytest.mark.parametrize("measure", [temporal_gain, warped_difference])


@pytest.fixture(autouse=True)
def _optical_flow(request):
    if "warped" in request.node.name:
        pytest.importorskip("cv2", reason="optical flow needs OpenCV: pip install 'irvis[flow]'")


def scene(height: int = 96, width: int = 128, seed: int = 0) -> torch.Tensor:
    """Smooth texture that optical flow can follow, in [0.2, 0.8]."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand(1, 1, height // 6 + 2, width // 6 + 2, generator=generator)
    fine = torch.nn.functional.interpolate(rough, (height, width), mode="bicubic", align_corners=True)
    return 0.2 + 0.6 * (fine - fine.min()) / (fine.max() - fine.min())


def still(frames: int = 5, seed: int = 0) -> list[torch.Tensor]:
    return [scene(seed=seed)] * frames


def moving(frames: int = 5, seed: int = 0) -> list[torch.Tensor]:
    """The camera moves 3 pixels right and 1 down a frame."""
    wide = scene(140, 200, seed)
    return [wide[..., n : n + 96, 3 * n : 3 * n + 128] for n in range(frames)]


def noisy(frames: int, seed: int, deviation: float = 0.05) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [frame + deviation * torch.randn(frame.shape, generator=generator) for frame in still(frames)]


def averages(one: list[torch.Tensor], other: list[torch.Tensor]) -> list[torch.Tensor]:
    return [(a + b) / 2 for a, b in zip(one, other, strict=True)]


def test_a_step_of_brightness_in_one_source_is_halved_by_the_average():
    """One step of 0.1 = 25.5 levels in four changes of frame: 6.375 on the mean."""
    visible = [frame + 0.1 * (n >= 2) for n, frame in enumerate(still())]
    infrared = still(seed=1)
    change = temporal_gain(averages(visible, infrared), visible, infrared)
    assert change.visible == pytest.approx(25.5 / 4, rel=1e-5)
    assert change.infrared == 0
    assert change.gain == pytest.approx(0.5, rel=1e-5)
    assert change.steps == 4


def test_a_lamp_that_only_the_fused_sequence_has_is_infinite_gain_and_stillness_has_none():
    blinking = [frame + 0.1 * (n % 2) for n, frame in enumerate(still())]
    assert temporal_gain(blinking, still(), still()).gain == math.inf
    assert math.isnan(temporal_gain(still(), still(), still()).gain)
    assert temporal_gain(blinking, still(), still()).fused == pytest.approx(25.5, rel=1e-5)


def test_the_average_of_two_noisy_sources_flickers_less_by_the_root_of_two():
    visible, infrared = noisy(60, 1), noisy(60, 2)
    change = temporal_gain(averages(visible, infrared), visible, infrared)
    assert change.fused / ((change.visible + change.infrared) / 2) == pytest.approx(math.sqrt(0.5), rel=0.05)


def test_brightness_averages_noise_away():
    """|difference| of a mean over 12×16 pixels of Gaussian noise is (2/√π)·deviation/√192 on the mean."""
    change = temporal_gain(noisy(60, 1), still(60), still(60))
    assert change.fused == pytest.approx(2 / math.sqrt(math.pi) * 0.05 * 255 / math.sqrt(192), rel=0.05)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_fixed_weights_never_gain(weight):
    visible = [frame * (1 - 0.05 * n) for n, frame in enumerate(moving(seed=3))]
    infrared = [frame**2 for frame in moving(seed=4)]
    fused = [weight * v + (1 - weight) * i for v, i in zip(visible, infrared, strict=True)]
    assert temporal_gain(fused, visible, infrared).gain <= 1 + 1e-6


def test_weights_that_vary_in_time_gain():
    fused = [v if n % 2 else i for n, (v, i) in enumerate(zip(still(), still(seed=1), strict=True))]
    assert temporal_gain(fused, noisy(5, 1, 0.01), noisy(5, 2, 0.01)).gain > 10


def test_a_warped_translation_leaves_little_of_a_large_difference():
    frames = moving()
    change = warped_difference(frames, frames, frames)
    plain = sum((b - a).abs().mean().item() for a, b in itertools.pairwise(frames)) / 4 * 255
    assert plain > 15
    assert change.visible < plain / 10
    assert change.gain == 1
    assert 0.5 < change.share < 1


def test_warped_differences_see_flicker_on_what_moves():
    """The same motion, with every second fused frame 10 levels brighter."""
    frames = moving()
    fused = [frame + 10 / 255 * (n % 2) for n, frame in enumerate(frames)]
    change = warped_difference(fused, frames, frames)
    assert change.fused == pytest.approx(10, abs=0.5 + change.visible)
    assert change.gain > 5


def test_warped_noise_is_a_difference_and_its_average_a_smaller_one():
    """In a still scene, with a guide free of noise: 2/√π deviations."""
    one, infrared = noisy(6, 1, 0.02), noisy(6, 2, 0.02)
    change = warped_difference(averages(one, infrared), still(6), infrared)
    assert change.infrared == pytest.approx(2 / math.sqrt(math.pi) * 0.02 * 255, rel=0.02)
    assert change.gain == pytest.approx(math.sqrt(0.5), rel=0.03)


def test_what_enters_the_frame_is_not_judged_when_warped():
    """A strip as wide as the motion comes in on the right, with nothing on it in the frame before."""
    frames = moving(2)
    painted = [frames[0], frames[1].clone()]
    painted[1][..., -2:] = 1
    change = warped_difference(painted, frames, frames)
    assert change.fused == pytest.approx(change.visible, rel=1e-6)


def test_either_source_may_guide_what_is_warped():
    frames, blank = moving(), [torch.full((1, 1, 96, 128), 0.5)] * 5
    seen, blind = (warped_difference(frames, frames, blank, guide=guide) for guide in ("visible", "infrared"))
    assert seen.visible < blind.visible / 10
    assert blind.share == 1


def test_warped_by_whole_pixels_is_a_shift():
    image = torch.rand(1, 3, 9, 11).double()
    motion = torch.zeros(1, 2, 9, 11).double()
    motion[:, 0], motion[:, 1] = 2, -1
    torch.testing.assert_close(warped(image, motion)[..., 1:, :-2], image[..., :-1, 2:])


@BOTH
def test_warped_or_not_a_measure_takes_generators_and_colour(measure):
    frames = moving()
    colour = (frame.expand(-1, 3, -1, -1) for frame in frames)
    lazy, listed = measure(colour, iter(frames), (f for f in frames)), measure(frames, frames, frames)
    for name in ("fused", "visible", "infrared", "share", "steps"):
        assert getattr(lazy, name) == pytest.approx(getattr(listed, name), rel=1e-6)


@BOTH
def test_warped_or_not_few_frames_are_held(measure):
    alive, most = set(), 0

    def frames() -> Iterator[torch.Tensor]:
        nonlocal most
        for n in range(12):
            frame = scene(seed=n)
            alive.add(n)
            weakref.finalize(frame, alive.discard, n)
            most = max(most, len(alive))
            yield frame
            del frame

    measure(frames(), still(12), still(12))
    assert most <= 4


@BOTH
def test_warped_or_not_sequences_must_fit_together(measure):
    for wrong, words in (
        ((still(5), still(4), still(5)), "differ in length: one ends after 4 frames"),
        ((still(1), still(1), still(1)), "at least two frames, not 1"),
        (([], [], []), "at least two frames, not 0"),
        ((still(2), still(2), [torch.rand(1, 1, 96, 100)] * 2), "frame 1: frames must be of one size"),
    ):
        with pytest.raises(IrvisError, match=words):
            measure(*wrong)


def test_frames_too_small_to_be_warped_are_refused():
    tiny = [torch.rand(1, 1, 11, 40)] * 2
    with pytest.raises(IrvisError, match="at least 12×12"):
        warped_difference(tiny, tiny, tiny)
    assert temporal_gain(tiny, tiny, tiny).fused == 0


def test_without_opencv_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(IrvisError, match=r"pip install 'irvis\[flow\]'"):
        warped_difference(still(2), still(2), still(2))


def test_the_record_compares_with_the_livelier_source():
    assert Change(fused=3.0, visible=1.0, infrared=2.0, steps=1).gain == 1.5


@BOTH
def test_warped_or_not_an_average_of_real_sequences_gains_nothing(measure, real_data):
    folder = real_data / "test" / "video" / "TNO_Duine"
    names = sorted(file.name for file in (folder / "vi").iterdir())[:6]
    visible = [io.read_visible(folder / "vi" / name)[0] for name in names]
    infrared = [io.read_infrared(folder / "ir" / name) for name in names]
    fuser = irvis.create("average")
    fused = (fuser(v, i) for v, i in zip(visible, infrared, strict=True))
    assert measure(fused, visible, infrared).gain < 1
