"""What a training leaves to read (log.csv, TensorBoard events) and what it shows while it runs."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor


class Log:
    """log.csv and TensorBoard events. Rows after the step that a training resumes from are dropped."""

    def __init__(self, path: Path, reached: tuple[int, int], *, lead: bool) -> None:
        self.lead = lead
        if not lead:
            return
        from torch.utils.tensorboard import SummaryWriter

        path.mkdir(parents=True, exist_ok=True)
        file = path / "log.csv"
        kept = [row for row in _rows(file) if (int(row[0]), int(row[1])) <= reached]
        self.file = file.open("w", newline="")
        self.rows = csv.writer(self.file)
        self.rows.writerows([["stage", "step", "kind", "term", "value"], *kept])
        self.board = SummaryWriter(str(path / "tensorboard"), purge_step=reached[1])

    def step(self, stage: int, step: int, terms: Mapping[str, float], lr: float) -> None:
        if self.lead and (step % 10 == 0 or step <= 10):
            self._write(stage, step, "train", {**terms, "total": sum(terms.values()), "lr": lr})

    def validation(self, stage: int, step: int, terms: Mapping[str, float], picture: Tensor) -> None:
        self._write(stage, step, "validation", {**terms, "total": sum(terms.values())})
        self.board.add_image("validation", picture, step)
        self.file.flush()

    def close(self) -> None:
        if self.lead:
            self.file.close()
            self.board.close()

    def _write(self, stage: int, step: int, kind: str, terms: Mapping[str, float]) -> None:
        for name, number in terms.items():
            self.rows.writerow([stage, step, kind, name, repr(number)])
            self.board.add_scalar(f"stage{stage + 1}/{kind}/{name}", number, step)


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
