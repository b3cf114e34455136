"""What a training leaves to read (log.csv, TensorBoard events) and what it shows while it runs."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor


class Log:
    """log.csv and TensorBoard events. What a resumed training will do again is dropped from both."""

    def __init__(self, path: Path, reached: tuple[int, int], lengths: Sequence[int], *, lead: bool) -> None:
        """`reached` is the stage and step done, `lengths` the steps of each stage; only the `lead` process writes."""
        self.lead = lead
        self.before = [sum(lengths[:stage]) for stage in range(len(lengths) + 1)]
        if not lead:
            return
        from torch.utils.tensorboard import SummaryWriter

        path.mkdir(parents=True, exist_ok=True)
        file = path / "log.csv"
        kept = [row for row in _rows(file) if (int(row[0]), int(row[1])) <= reached]
        self.file = file.open("w", newline="")
        self.rows = csv.writer(self.file)
        self.rows.writerows([["stage", "step", "kind", "term", "value"], *kept])
        self.file.flush()
        self.board = SummaryWriter(str(path / "tensorboard"), purge_step=self.before[reached[0]] + reached[1] + 1)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        if self.lead:
            self.file.close()
            self.board.close()

    def step(self, stage: int, step: int, terms: Mapping[str, float], lr: float) -> None:
        """The loss terms of a step; every tenth is kept, and the first ten."""
        if self.lead and (step % 10 == 0 or step <= 10):
            self._write(stage, step, "train", {**terms, "total": sum(terms.values()), "lr": lr})

    def validation(self, stage: int, step: int, terms: Mapping[str, float], picture: Tensor) -> None:
        """The losses on the validation pairs, and a picture of one."""
        self._write(stage, step, "validation", {**terms, "total": sum(terms.values())})
        self.board.add_image("validation", picture, self.before[stage] + step)

    def flush(self) -> None:
        """Bring everything to the disk."""
        self.file.flush()
        self.board.flush()

    def _write(self, stage: int, step: int, kind: str, terms: Mapping[str, float]) -> None:
        for name, number in terms.items():
            self.rows.writerow([stage, step, kind, name, repr(number)])
            self.board.add_scalar(f"{kind}/{name}", number, self.before[stage] + step)


def _rows(file: Path) -> list[list[str]]:
    if not file.is_file():
        return []
    with file.open(newline="") as opened:
        return [row for row in csv.reader(opened) if len(row) == 5 and row[0].isdigit()]


class TrainingBar:
    """A progress bar of the current stage: loss terms, rate and time left."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("stage {task.fields[stage]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, TextColumn("{task.fields[terms]}"), console=console)
        self.task: Any = None

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, stage: int, step: int, total: int, terms: Mapping[str, float]) -> None:
        text = "  ".join(f"{name} {value:.4f}" for name, value in terms.items())
        if self.task is None:  # only the process that leads is told of steps, and so only it shows a bar
            self.bar.start()
            self.task = self.bar.add_task("", total=total, stage=stage + 1, terms=text)
        self.bar.update(self.task, completed=step, total=total, stage=stage + 1, terms=text)
