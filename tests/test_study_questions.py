"""A study: which questions a rater is asked, of which pictures, and how the answers are kept."""

import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from irvis import IrvisError, io
from irvis.data.matching import match
from irvis.data.scene import scene
from irvis.study import asking, database, folders
from irvis.study.schedule import EVERY, Question, questions
from studies import METHODS, NAMES, answer_all, flat, irvis, made


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods' results of four small pairs, which say in their metadata whose they are."""
    root = tmp_path_factory.mktemp("images")
    for number, name in enumerate(NAMES):
        visible, infrared = scene(number, (48, 64)).tensors()
        io.write(root / "vi" / f"{name}.png", visible)
        io.write(root / "ir" / f"{name}.png", infrared)
        for method, result in zip(
            METHODS, (visible, (visible + infrared) / 2, infrared.expand_as(visible)), strict=True
        ):
            text = PngInfo()
            text.add_text("Software", f"{method} of {name}")
            path = root / method / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            levels = (result[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            Image.fromarray(levels).save(path, pnginfo=text)
    return root


@pytest.fixture
def study(images: Path, tmp_path: Path) -> database.Study:
    return made(images, tmp_path / "study.sqlite")


def plan(rater: int, asked: int, methods: int = 4, pairs: int = 12, seed: int = 0) -> list[Question]:
    return list(islice(questions([range(methods)] * pairs, methods, rater, seed), asked))


def first(rows: list[Question]) -> list[Question]:
    return [row for row in rows if row.repeats is None]


# --------------------------------------------------------------------------------- who is asked what


def test_every_couple_of_methods_is_asked_equally_often() -> None:
    for asked in range(1, 80):
        counts = Counter(frozenset((row.left, row.right)) for row in first(plan(0, asked)))
        numbers = [counts[frozenset(couple)] for couple in combinations(range(4), 2)]
        assert max(numbers) - min(numbers) <= 1


def test_no_question_comes_twice_but_the_repeats_which_swap_the_sides() -> None:
    rows = plan(3, 1000)
    fresh = first(rows)
    assert len({(row.pair, *sorted((row.left, row.right))) for row in fresh}) == len(fresh) == 12 * 6
    repeats = [(place, row) for place, row in enumerate(rows) if row.repeats is not None]
    assert len(repeats) == 12 * 6 // (EVERY - 1)
    for place, row in repeats:
        earlier = rows[row.repeats]
        assert (row.pair, row.left, row.right) == (earlier.pair, earlier.right, earlier.left)
        assert earlier.repeats is None
        assert place - row.repeats > 4
    assert len({row.repeats for _, row in repeats}) == len(repeats)


def test_a_method_is_on_either_side_equally_often() -> None:
    sides = Counter((row.left, row.right) for row in first(plan(1, 1000)))
    assert all(sides[a, b] == sides[b, a] == 6 for a, b in combinations(range(4), 2))


def test_order_and_sides_are_the_same_for_a_seed_and_others_for_another_rater_or_seed() -> None:
    assert plan(0, 60) == plan(0, 60)
    assert plan(0, 60) != plan(1, 60)
    assert plan(0, 60) != plan(0, 60, seed=1)


def test_fewer_questions_are_the_first_of_more() -> None:
    assert plan(2, 20) == plan(2, 60)[:20]


def test_raters_together_see_all_pairs_and_have_questions_in_common() -> None:
    each = [{(row.pair, frozenset((row.left, row.right))) for row in first(plan(rater, 30))} for rater in range(8)]
    assert len(set.union(*each)) > 2 * 30
    assert all(len(one & other) >= 6 for one, other in combinations(each, 2))
    counts = Counter(pair for one in each for pair, _ in one)
    assert min(counts.values()) >= 4
    many = Counter(
        frozenset((row.left, row.right)) for rater in range(40) for row in first(plan(rater, 20, methods=10))
    )
    assert max(many.values()) <= 2 * min(many.values())


def test_what_a_folder_lacks_is_not_asked() -> None:
    rows = list(questions([[0, 1], [0, 1, 2], [1, 2]], 3, 0, 0))
    asked = {(row.pair, frozenset((row.left, row.right))) for row in first(rows)}
    assert asked == {
        (0, frozenset((0, 1))),
        (2, frozenset((1, 2))),
        *((1, frozenset(c)) for c in ((0, 1), (0, 2), (1, 2))),
    }


# ------------------------------------------------------------------------------------------- folders


def test_pairs_are_those_that_two_folders_have(images: Path, tmp_path: Path) -> None:
    for name, stems in (("one", "ab"), ("two", "bc"), ("three", "bd")):
        for stem in stems:
            flat(tmp_path / name / f"{stem}.png")
    given = folders.methods([str(tmp_path / name) for name in ("one", "two", "three")])
    (found,) = folders.pairs(given)
    assert (found.name, set(found.results)) == ("b", {"one", "two", "three"})


def test_results_are_found_by_the_names_that_evaluate_takes(images: Path, tmp_path: Path) -> None:
    for name in NAMES:
        flat(tmp_path / "flat" / f"{Path(name).name}.jpg", (48, 64))
    given = folders.methods([str(images / METHODS[0]), f"flat={tmp_path / 'flat'}"])
    assert {one.name for one in folders.pairs(given, match(images / "vi", images / "ir").pairs)} == set(NAMES)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("{images}/zebrafusion",), "two folders or more"),
        (("{images}/zebrafusion", "{images}/nowhere"), "is no folder"),
        (("{images}/zebrafusion", "{images}/zebrafusion"), "two folders are called zebrafusion"),
        (("{images}/zebrafusion", "{empty}"), "holds no image"),
        (("{images}/zebrafusion", "{strange}"), "shares no pair"),
        (("{images}/zebrafusion", "{small}"), "have one size"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--visible", "{images}/vi"), "belong together"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--infrared-range", "1%,99%"), "give both"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--questions", "0"), "1 or more"),
        ((), "which results?"),
        (("--report", "{empty}/none.sqlite"), "no such study"),
    ],
)
def test_what_cannot_be_a_study_is_one_clear_line(
    words: tuple[str, ...], text: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for name, stem, size in (("strange", "other", (48, 64)), ("small", NAMES[0], (24, 32))):
        flat(tmp_path / name / f"{stem}.png", size)
    places = {name: tmp_path / name for name in ("empty", "strange", "small")}
    assert irvis("study", *(word.format(images=images, **places) for word in words), "-o", tmp_path / "s.sqlite") == 1
    told = capsys.readouterr().err.strip()
    assert text in told
    assert "\n" not in told
    assert not (tmp_path / "s.sqlite").exists()


# --------------------------------------------------------------------------------------------- store


def test_a_study_comes_back_as_it_was_written(images: Path, study: database.Study) -> None:
    assert tuple(study.methods) == METHODS
    assert {one.name for one in study.pairs} == set(NAMES)
    assert database.load(study.file) == study


def test_a_name_goes_on_where_it_was_and_can_undo_to_the_beginning(study: database.Study) -> None:
    key = asking.join(study, " Ann  Lee ")
    tokens = []
    for said in ("left", "equal", "right"):
        tokens.append(asking.standing(study, key).current)
        asking.answer(study, key, tokens[-1], said)
    assert asking.join(study, "ann lee") == key
    assert asking.standing(study, key).done == 3
    for expected in (*reversed(tokens), tokens[0]):
        assert asking.undo(study, key).current == expected
    assert asking.answers(study.file) == []


def test_only_the_question_that_is_asked_can_be_answered(study: database.Study) -> None:
    key, other = asking.join(study, "a"), asking.join(study, "b")
    now = asking.standing(study, key)
    for token in (now.following, asking.standing(study, other).current, "nonsense"):
        with pytest.raises(ValueError, match="not the question"):
            asking.answer(study, key, token, "left")
    asking.answer(study, key, now.current, "left")
    with pytest.raises(ValueError, match="not the question"):
        asking.answer(study, key, now.current, "right")
    assert [one.said for one in asking.answers(study.file)] == ["left"]


def test_more_questions_can_be_asked_later_and_other_images_not(images: Path, tmp_path: Path) -> None:
    known = made(images, tmp_path / "s.sqlite", asked=3)
    answer_all(known, "a", lambda _: "left")
    more = database.go_on(known.file, asked=9)
    asking.ask_more(more)
    key = asking.join(more, "a")
    assert (asking.standing(more, key).done, asking.standing(more, key).total) == (3, 9)
    with pytest.raises(IrvisError, match="other images"):
        database.go_on(known.file, given=made(images, tmp_path / "t.sqlite", methods=METHODS[:2]))
    with pytest.raises(IrvisError, match="--seed 0"):
        database.go_on(known.file, seed=1)


def test_a_study_moves_with_its_images(images: Path, tmp_path: Path) -> None:
    known = made(images, tmp_path / "s.sqlite", sources=False)
    assert known.pairs[0].sources is None
    given = made(images, tmp_path / "t.sqlite")
    assert database.go_on(known.file, given=given).pairs == given.pairs


@pytest.mark.parametrize("change", ["PRAGMA user_version=99", "PRAGMA application_id=1"])
def test_a_file_of_another_form_is_refused(study: database.Study, change: str) -> None:
    with sqlite3.connect(study.file) as base:
        base.execute(change)
    with pytest.raises(IrvisError, match=r"another version|no study"):
        database.load(study.file)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").write_text("these are no answers, " * 100)
    with pytest.raises(IrvisError, match="not a database"):
        database.load(tmp_path / "s.sqlite")


def test_a_study_that_is_killed_while_people_answer_keeps_every_answer_it_confirmed(study: database.Study) -> None:
    program = (
        "import sys; from pathlib import Path; from irvis.study import asking, database\n"
        "study = database.load(Path(sys.argv[1])); key = asking.join(study, sys.argv[2])\n"
        "while True:\n"
        "    token = asking.standing(study, key).current\n"
        "    asking.answer(study, key, token, 'left') if token else [asking.undo(study, key) for _ in range(9)]\n"
        "    print(token, flush=True)\n"
    )
    rater = subprocess.Popen([sys.executable, "-c", program, str(study.file), "a"], stdout=subprocess.PIPE, text=True)
    confirmed = {rater.stdout.readline().strip() for _ in range(6)}
    rater.kill()
    rater.communicate()
    with sqlite3.connect(study.file) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        answered = {token for (token,) in base.execute("SELECT token FROM question WHERE answer IS NOT NULL")}
    assert confirmed <= answered


def test_raters_at_once_lose_nothing(study: database.Study) -> None:
    names = [f"rater {n}" for n in range(6)]
    threads = [threading.Thread(target=answer_all, args=(study, name, lambda _: "equal")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(one.rater for one in asking.answers(study.file))
    assert counts == dict.fromkeys(names, len(plan(0, 60, methods=3, pairs=4)))
