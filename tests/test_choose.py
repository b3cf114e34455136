"""Which method for these pairs: the measures, what they are worth, and the verb."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from irvis import cli, creation, io
from irvis.choose import choosing, judgement, measures, show
from irvis.filters import gaussian

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def blob(size: int = 96) -> torch.Tensor:
    """Something warm before a cold ground."""
    image = torch.full((1, 1, size, size), 0.2)
    image[..., 40:56, 40:56] = 0.9
    return image


def noisy(level: float, seed: int = 0) -> torch.Tensor:
    return 0.5 + level * torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(seed))


def test_targets_are_kept_wholly_by_infrared_by_half_in_an_average_and_not_at_all_by_a_flat_picture():
    infrared, flat = blob(), torch.full((1, 1, 96, 96), 0.4)
    kept = [measures.laws(image, flat, infrared)["targets"] for image in (infrared, (infrared + flat) / 2, flat)]
    assert kept == pytest.approx([1, 0.5, 0], abs=1e-5)
    assert np.isnan(measures.laws(flat, flat, flat)["targets"])


def test_detail_is_that_of_the_source_which_has_more_of_it():
    fine, flat = noisy(0.1), torch.full((1, 1, 96, 96), 0.5)
    assert measures.laws(fine, fine, flat)["detail"] == pytest.approx(1)
    assert measures.laws(fine, flat, fine)["detail"] == pytest.approx(1)
    assert measures.laws((fine + flat) / 2, fine, flat)["detail"] == pytest.approx(0.5)


def test_noise_is_in_octaves_over_the_calmer_source():
    calm, wild = noisy(0.02), noisy(0.2, 1)
    assert measures.laws(calm, calm, wild)["noise"] == pytest.approx(0, abs=1e-5)
    assert 0.7 < measures.laws(2 * (calm - 0.5) + 0.5, calm, wild)["noise"] < 1


def test_brightness_that_moves_and_black_that_is_lifted_are_told_in_gray_levels():
    dark = gaussian(noisy(0.5), 8.0) * 0.2
    found = measures.laws(dark + 20 / 255, dark, dark)
    assert found["tone"] == pytest.approx(20, abs=1e-3)
    assert found["brighter"] == pytest.approx(20, abs=1e-3)
    assert found["darker"] == pytest.approx(0, abs=1e-3)
    assert found["veil"] == pytest.approx(20, abs=1e-3)


def test_a_purpose_adds_to_what_it_asks_for_and_a_detector_takes_its_place():
    looking, people = judgement.weights("looking"), judgement.weights("people")
    assert people["targets"] > looking.get("targets", 0)
    seen = judgement.weights("people", detected=True)
    assert seen["detection"] > 0
    assert seen.get("targets", 0) == judgement.WEIGHTS.get("targets", 0)
    assert "detection" not in judgement.weights("text", detected=True)


def test_the_weights_are_those_that_were_fitted():
    fitted = json.loads((RESULTS / "choosing.json").read_text())["weights"]
    assert fitted == pytest.approx(judgement.WEIGHTS, abs=5e-4)


def test_up_to_thirty_pairs_are_looked_at_spread_over_all_or_the_first_frames():
    assert choosing.some([*range(100)], frames=False)[::29] == [0, 99]
    assert choosing.some([*range(100)], frames=True) == [*range(30)]
    assert choosing.some([*range(5)], frames=False) == [*range(5)]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pairs in which one camera shows detail and the other something warm."""
    folder = tmp_path_factory.mktemp("pairs")
    for n in range(3):
        io.write(folder / "vi" / f"{n}.png", noisy(0.1, n).clamp(0, 1))
        io.write(folder / "ir" / f"{n}.png", blob())
    return folder


def status(*words: str) -> int:
    try:
        cli.main([*words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_verb_says_take_second_and_avoid_and_what_to_type(pairs, tmp_path, capsys):
    out = tmp_path / "choice"
    assert status("choose", str(pairs), "-m", "average,laplacian,max", "--sequence", "-o", str(out)) == 0
    told = capsys.readouterr().out
    order = [line.split()[1] for line in told.splitlines() if line.startswith(("take", "second", "avoid"))]
    assert sorted(order) == ["average", "laplacian", "max"]
    assert f"irvis fuse {pairs} -o fused/ -m {order[0]}" in told
    rows = {row["method"]: row for row in csv.DictReader((out / "candidates.csv").open())}
    assert [*rows] == [*order, "visible", "infrared"]
    scores = [float(rows[name]["score"]) for name in order]
    assert scores == sorted(scores, reverse=True)
    assert float(rows["infrared"]["targets"]) == pytest.approx(1)
    assert "flicker" in rows["average"]
    assert (out / "sheet.png").stat().st_size > 1000


def test_a_speed_that_nothing_reaches_is_one_line_with_the_fastest(pairs, tmp_path, capsys):
    assert status("choose", str(pairs), "-m", "average", "--fps", "1e9", "-o", str(tmp_path / "x")) == 1
    assert "no candidate reaches 1e+09 pictures a second on cpu: the fastest here is average" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_candidate_that_does_not_run_is_reported_and_the_rest_goes_on(pairs, tmp_path, capsys):
    out = tmp_path / "x"
    assert status("choose", str(pairs), "-m", "average,seafusion", "-o", str(out)) == 1
    shown = capsys.readouterr()
    assert "take    average" in shown.out
    assert "failed: seafusion: seafusion comes without weights" in shown.err
    assert (out / "sheet.png").is_file()


def test_labels_without_a_detector_and_unknown_candidates_are_one_line(pairs, capsys):
    for words, said in (
        (["--labels", "x"], "give it with --detect"),
        (["-m", "nosuch"], "nosuch"),
        (["--fps", "-1"], "not -1"),
    ):
        assert status("choose", str(pairs), *words) == 1
        assert said in capsys.readouterr().err


def test_candidates_within_their_error_are_said_to_be_alike():
    row = choosing.Row(method="a", measures={}, spread=np.array([0.0, 1, 2]))
    near = choosing.Row(method="b", measures={}, spread=np.array([0.5, 0.5, 2]))
    far = choosing.Row(method="c", measures={}, spread=np.array([-5.0, -4, -3.1]))
    assert show.alike(row, near)
    assert not show.alike(row, far)


def test_the_candidates_are_all_that_comes_with_irvis_without_the_cameras():
    names = choosing.candidates()
    assert {"encdec:default", "maefuse:default", "laplacian", "hybrid-msd"} <= {*names}
    assert not {"visible", "infrared"} & {*names}
    for name in names:
        creation.find(creation.parse(name)[0])
