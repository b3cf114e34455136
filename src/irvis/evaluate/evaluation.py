"""One evaluation from pairs to pages: judge, summarise, draw, write."""

import math
import os
import platform
import re
import statistics as plain
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from .. import __version__
from ..data.catalog import FOLDER
from ..data.matching import Match
from ..errors import IrvisError
from ..thermal import Sensing
from . import numbers, plots, report, sequences, strips
from .compute import Judged, Plan, judge_all, paq2piq, quietly, read
from .entries import MADE, fuser, weights_of
from .latex import write as write_latex
from .statistics import DRAWS, Summary, Table, summarise
from .tasks.running import Done, Tasks, run

NO_TASKS, NOTHING = Tasks(), Done()
REPEATS, PATIENCE = 5, 2.0
"""A method is timed this often on one pair, or until so many seconds are over."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out: the numbers, where the page is, and what failed or was odd."""

    table: Table
    summary: Summary
    page: Path
    problems: Sequence[str]


def evaluate(
    matches: Sequence[Match],
    plan: Plan,
    *,
    scene: str = FOLDER,
    told: bool = False,
    sequence: bool = False,
    tasks: Tasks = NO_TASKS,
    latex: bool = False,
    workers: int = 0,
    title: str = "Evaluation",
    data: str = "",
    show: Callable[[int], AbstractContextManager[Callable[[], object]]] = quietly,
    say: Callable[[str], None] = print,
) -> Evaluation:
    """Judge `matches` as `plan` says and write the report under `plan.out`.

    scene: regular expression for a pair's scene, which the user `told` or which is a guess; see `scenes_of`.
    sequence: pairs of a scene are frames: flicker is measured.
    tasks: what is done with every picture: detection, segmentation, reading.
    latex: the table is written as LaTeX too, OUT/table.tex.
    show: given the number of results to judge, a context that gives what is called after each, as a progress bar does.
    say: is given each warning and failure.

    Raises IrvisError for what is wrong with the request, before any work, and when no pair could be judged.
    """
    prepare(plan, matches, sequence=sequence, tasks=tasks)
    names = [match.name for match in matches]
    scenes = dict(zip(names, scenes_of(names, scene, film=sequence, told=told), strict=True))
    with show(len(matches) * len(plan.entries)) as step:
        done = {one.pair.name: one for one in judge_all(matches, plan, workers, step)}
    judged = [done[name] for name in names]
    for note in (note for one in judged for note in one.notes):
        say(f"warning: {note}")
    problems = [problem for one in judged for problem in one.problems]
    for problem in problems:
        say(f"failed: {problem}")
    table = table_of(judged, plan, scenes)
    by_name = {match.name: match for match in matches}
    films = _films(table, by_name) if sequence else {}
    frames = {film: [match.name for match in of] for film, of in films.items() if len(of) > 1}
    found = run(tasks, [by_name[name] for name in table.pairs], table.scenes, plan, frames, show)
    for problem in found.problems:
        say(f"failed: {problem}")
        problems.append(problem)
    facts = {"data": data, "pairs": f"{len(table.pairs)} of {len(names)}"}
    summary, page = finish(
        table, plan, matches, problems, facts, title=title, sequence=sequence, found=found, latex=latex
    )
    return Evaluation(table=table, summary=summary, page=page, problems=problems)


def prepare(plan: Plan, matches: Sequence[Match], *, sequence: bool = False, tasks: Tasks = NO_TASKS) -> None:
    """Everything that can be wrong with what was asked, before hours of work: methods, weights, devices, places."""
    for entry in plan.entries:
        if entry.kind != "images" and entry.source not in MADE:
            fuser(entry.source, plan.device)
    if plan.paq2piq:
        paq2piq(plan.paq2piq)
    tasks.check([match.name for match in matches])
    if sequence and find_spec("cv2") is None:
        raise IrvisError("--sequence needs optical flow: pip install 'irvis[flow]'")
    out = plan.out.resolve()
    if any(out in path.resolve().parents for match in matches for path in (match.visible, match.infrared)):
        raise IrvisError(f"{plan.out} holds the images that are judged; choose another --out")
    if plan.out.is_file():
        raise IrvisError(f"{plan.out} is a file; --out is a folder")
    plan.out.mkdir(parents=True, exist_ok=True)


def scenes_of(names: Sequence[str], pattern: str, *, film: bool = False, told: bool = False) -> list[str]:
    """The scene of each pair by its name.

    pattern: regular expression. film: pairs whose names say no scene are frames of one video; otherwise each stands
    alone, also where the expression finds one scene in all (then it is a folder, no scene) unless the user `told` it.
    """
    try:
        ask = re.compile(pattern)
    except re.error as problem:
        raise IrvisError(f"--scene {pattern!r} is no regular expression: {problem}") from problem
    scenes = [scene_of(name, ask, "" if film else name) for name in names]
    return list(names) if len(set(scenes)) == 1 and not film and not told else scenes


def scene_of(name: str, pattern: re.Pattern[str], other: str) -> str:
    """What `pattern` matches at the start of a pair's name (its first group, if it has one); else `other`."""
    found = pattern.match(name) if pattern.pattern else None
    scene = found and (found[1] if found.re.groups else found[0])
    return other if scene is None else scene


def table_of(judged: Iterable[Judged], plan: Plan, scenes: Mapping[str, str]) -> Table:
    """Every value in one array, pairs in the order of `judged`; `scenes`: pair → its scene."""
    done = [one for one in judged if one.values]
    if not done:
        raise IrvisError("no pair could be judged; the lines above say why")
    names = [entry.name for entry in plan.entries]
    gap = dict.fromkeys(plan.columns, math.nan)
    pairs = [one.pair.name for one in done]
    values = [[[one.values.get(name, gap)[m] for m in plan.columns] for name in names] for one in done]
    return Table(
        pairs=pairs,
        scenes=[scenes[name] for name in pairs],
        entries=names,
        metrics=plan.columns,
        values=np.array(values, float),
    )


@torch.inference_mode()
def timed(plan: Plan, match: Match) -> tuple[dict[str, float], str]:
    """Median seconds of the methods on one pair, and the size and machine that this holds for."""
    pair = read(match, plan.reading)
    visible, infrared = pair.visible.to(plan.device), pair.infrared.to(plan.device)
    seconds = {}
    for entry in plan.entries:
        if entry.kind == "images" or entry.source in ("visible", "infrared", *MADE):
            continue
        run = fuser(entry.source, plan.device)
        run(visible, infrared)
        spans: list[float] = []
        while len(spans) < REPEATS and sum(spans) < PATIENCE:
            begun = time.perf_counter()
            run(visible, infrared).sum().item()  # waits for the device
            spans.append(time.perf_counter() - begun)
        seconds[entry.name] = plain.median(spans)
    height, width = visible.shape[-2:]
    return seconds, f"{width}×{height} on {plan.device}, {torch.get_num_threads()} threads, colour and padding included"


def finish(
    table: Table,
    plan: Plan,
    matches: Sequence[Match],
    problems: Sequence[str],
    facts: Mapping[str, str],
    *,
    title: str,
    sequence: bool = False,
    found: Done = NOTHING,
    latex: bool = False,
) -> tuple[Summary, Path]:
    """Write values.csv, values.json, summary.csv, report.md and report.html under `plan.out`.

    The first entry is the reference. `sequence`: pairs of one scene are frames, `matches` in their order.
    `found`: what the tasks found. `latex`: table.tex is written too.
    """
    summary = summarise(table)
    by_name = {match.name: match for match in matches}
    seconds, where = timed(plan, by_name[table.pairs[0]])
    facts = {**facts, **_settings(plan), "time": where, **_machine()}
    flicker = sequences.flicker(_films(table, by_name), plan) if sequence else {}
    numbers.write(plan.out, table, summary, facts, flicker)
    names = strips.shown(table, list(summary.mean_rank), 0)
    pictures = {
        f"{caption}: {table.pairs[pair]}": strips.strip(by_name[table.pairs[pair]], plan, names, found.mark)
        for caption, pair in strips.telling(table, 0).items()
    }
    whole_report = report.Report(
        title=title, facts=facts, table=table, summary=summary, reference=0, seconds=seconds, profile=plan.profile,
        problems=problems, figures=_figures(table, summary, seconds), strips=pictures, flicker=flicker,
        sections=found.sections,
    )  # fmt: skip
    controls = [entry.name for entry in plan.entries if entry.kind == "control"]
    page = report.write(whole_report, plan.out, controls)[1]
    if latex:
        write_latex(whole_report, plan.out / "table.tex", controls)
    for section in found.sections:
        section.write(plan.out)
    return summary, page


def _figures(table: Table, summary: Summary, seconds: Mapping[str, float]) -> dict[str, Figure]:
    """Caption → figure."""
    return {
        "Ranks": plots.rank_bars(table, summary),
        "Every metric over the pairs": plots.boxes(table),
        "Quality against speed": plots.against_speed(table, _quality(table), summary, seconds),
        **{
            f"{name} against Qw": plots.perceptual(table, summary, name)
            for name in plots.PERCEPTUAL
            if {name, "Qw"} <= set(table.metrics)
        },
        "How the metrics go along with each other": plots.correlation_map(table, summary),
    }


def _settings(plan: Plan) -> dict[str, str]:
    """How images were read, and which weights were used."""
    reading = plan.reading
    used = {e.name: weights_of(e.source) for e in plan.entries if e.kind == "method" and e.source not in MADE}
    known = [f"{name} sha256 {sha256[:12]}" for name, sha256 in used.items() if sha256]
    return {
        "profile": plan.profile,
        "infrared": f"range {reading.range or 'as it is'}, colour {reading.color}, "
        f"{'resized' if reading.resize else 'of the same size'}{_sensed(reading.sensing)}",
        "intervals": f"{DRAWS} bootstrap samples, seed 0",
        **({"weights": ", ".join(known)} if known else {}),
    }


def _sensed(sensing: Sensing) -> str:
    """What was asked of the sensor, beyond what it is by itself."""
    plain = Sensing()
    asked = [one.name for one in fields(sensing) if getattr(sensing, one.name) != getattr(plain, one.name)]
    return "".join(f", {name.replace('_', ' ')} {getattr(sensing, name)}" for name in asked)


def _quality(table: Table) -> str:
    """The metric that stands for quality against speed."""
    return next((name for name in ("Qw", "Qabf", "VIF", "SSIM") if name in table.metrics), table.metrics[0])


def _films(table: Table, matches: Mapping[str, Match]) -> Mapping[str, Sequence[Match]]:
    """Scene → its pairs, in order."""
    films: dict[str, list[Match]] = {}
    for pair, scene in zip(table.pairs, table.scenes, strict=True):
        films.setdefault(scene, []).append(matches[pair])
    return films


def _machine() -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "software": f"irvis {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
