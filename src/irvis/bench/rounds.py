"""The rows take turns, a fresh process each time, so that a busy moment of the machine falls on none alone."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import median
from typing import Any

from .rows import FLOATS, Job, Row

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Turn = tuple[Job, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was found of a row; `problem` is empty when it ran."""

    row: Row
    name: str
    problem: str = ""
    rounds: tuple[tuple[float, ...], ...] = ()
    """Seconds per call, round by round."""
    memory: int = 0
    """Bytes, the most of all rounds."""
    flops: int | None = None
    """Of a whole batch."""
    counted: str = ""
    """Whose operations: "as run", or those of the "original" or the "rewritten" network that a runtime was made of."""
    ceiling: float | None = None
    """FLOP/s, the most that was seen in the row's precision: of matrix products in all rounds, or of a row."""
    card: float | None = None
    """Qw on TNO21, by the weights' card."""
    demo: float | None = None
    """Qw on the embedded pair."""
    threads: int = 0

    @property
    def seconds(self) -> list[float]:
        """Every call's, sorted."""
        return sorted(second for one in self.rounds for second in one)

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def p95(self) -> float:
        """The least of the measured seconds that 95 % of the calls did not exceed."""
        return self.seconds[ceil(0.95 * len(self.seconds)) - 1]

    @property
    def rate(self) -> float:
        """Frames per second: 1 / latency for a batch of one, throughput for more."""
        return self.row.batch / self.median

    @property
    def share(self) -> float | None:
        """Of the ceiling, in [0, 1]; None where another network was counted than was run."""
        return self.speed / self.ceiling if self.speed and self.ceiling else None

    @property
    def speed(self) -> float | None:
        """FLOP/s; None where the operations are not those of what was run."""
        return self.flops / self.median if self.flops and self.counted in ("", "as run") else None

    def ratios(self, other: "Result") -> list[float]:
        """How many times as many frames per second as `other`, in each round."""
        scale = self.row.batch / other.row.batch
        return [scale * median(b) / median(a) for a, b in zip(self.rounds, other.rounds, strict=True)]


def turns(rows: Sequence[Row], runs: int, rounds: int) -> Iterator[Turn]:
    """`runs` calls of every row, spread over `rounds` rounds; at the end of each the ceilings of their precisions.

    A row that fails is left out from then on.
    """
    alive, judged = list(rows), set()
    for number in range(rounds):
        for row in list(alive):
            job = Job(task="fuse", row=row, runs=ceil(runs / rounds), count=not number, judge=row.kind not in judged)
            answer = run(job)
            if "problem" in answer:
                alive.remove(row)
            else:
                judged.add(row.kind)
            yield job, answer
        for row in {row.precision: row for row in alive if row.precision in FLOATS}.values():
            job = Job(task="ceiling", row=row)
            yield job, run(job)


def run(job: Job) -> dict[str, Any]:
    """The answer of a process of its own; a process that died is a problem, too."""
    environment = dict(os.environ)
    if job.row.threads is not None:
        environment |= dict.fromkeys(THREADS, str(job.row.threads))
    done = subprocess.run(job.words(), capture_output=True, text=True, env=environment, check=False)
    if done.returncode < 0:
        killed = done.returncode == -signal.SIGKILL
        return {"problem": "stopped by the system: out of memory" if killed else f"signal {-done.returncode}"}
    try:
        answer: dict[str, Any] = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    except ValueError:
        return {"problem": (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]}
    return answer


def gather(rows: Sequence[Row], done: Sequence[Turn]) -> list[Result]:
    """One result per row out of all turns."""
    results = []
    for row in rows:
        answers = [answer for job, answer in done if job.task == "fuse" and job.row == row]
        problem = next((answer["problem"] for answer in answers if "problem" in answer), "")
        if problem:
            results.append(Result(row=row, name=row.method, problem=problem))
            continue
        known = {key: value for answer in reversed(answers) for key, value in answer.items()}
        judged = _judged(row, done)
        results.append(
            Result(
                row=row, name=known["name"], rounds=tuple(tuple(answer["seconds"]) for answer in answers),
                memory=max(answer["memory"] for answer in answers), flops=known.get("flops"),
                counted=known.get("counted", ""), ceiling=_ceiling(row, done), threads=known["threads"],
                card=judged.get("card"), demo=judged.get("demo"),
            )
        )  # fmt: skip
    return [_under_the_ceiling(result, results) for result in results]


def _under_the_ceiling(result: Result, results: Sequence[Result]) -> Result:
    """With the speed of the fastest row of its precision as the ceiling, where no matrix product was as fast.

    A convolution may be: by an algorithm that multiplies less than is counted, or in a quieter moment.
    """
    if result.ceiling is None:
        return result
    rows = [one.speed for one in results if one.row.precision == result.row.precision and one.speed]
    return replace(result, ceiling=max(result.ceiling, *rows)) if rows else result


def _judged(row: Row, done: Sequence[Turn]) -> dict[str, Any]:
    """Quality depends on method, runtime and precision alone; the first row of these was judged."""
    same = (answer for job, answer in done if job.row.kind == row.kind and "demo" in answer)
    return next(same, {})


def _ceiling(row: Row, done: Sequence[Turn]) -> float | None:
    found = [answer["ceiling"] for job, answer in done if job.row.precision == row.precision and "ceiling" in answer]
    return max(found, default=None)
