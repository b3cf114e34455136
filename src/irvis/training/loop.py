"""Run a recipe with Lightning Fabric: stage after stage, resumable to the step, on any number of devices."""

import json
import math
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from .. import creation, spec, weights
from ..budget import physical
from ..data.pairs import Crops
from ..errors import IrvisError, is_out_of_memory
from ..files import whole
from ..fuser import Fuser
from .alarms import Alarms
from .log import Log
from .precision import chosen
from .records import Recipe, Stage
from .sources import Sources
from .steps import STEPS
from .validation import Validated, draw, in_domain, validation_losses

CHECKPOINT = "checkpoint.pt"
EVERY = 500
"""Steps between checkpoints (and at the end of every epoch)."""


@dataclass
class Progress:
    """Where a training is; saved with every checkpoint."""

    stage: int = 0
    step: int = 0
    best: float = math.inf
    began: float | None = None
    """The validation loss before the first step of the stage."""
    validated: bool = True
    """Whether the epoch that ended last was; weights are saved before."""


def train(
    recipe: Recipe,
    sources: Sources,
    out: Path,
    *,
    device: str = "cpu",
    devices: int = 1,
    nodes: int = 1,
    precision: spec.Precision = "fp32",
    workers: int = 0,
    resume: bool = False,
    start: Callable[[nn.Module], None] | None = None,
    facts: Mapping[str, str] | None = None,
    show: Any = None,
    tell: Callable[[Validated], object] | None = None,
) -> Path:
    """Train `recipe` into the folder `out`; returns the best weights.

    `out` gets checkpoint.pt (to resume), last.safetensors, best.safetensors (least validation loss of its stage),
    stageN.safetensors when a stage ends, log.csv, TensorBoard events and a picture of a validation pair for every
    epoch. With the same seed the losses of a resumed training equal those of one that never stopped. `start(core)` may
    fill the network before the first step; `facts` (licence, trained_on) go into the header of the weights, those of
    the first run if it is resumed; `show(stage, step, of, terms)` is told of every step, `tell` of
    every epoch. `precision` is "fp32", "bf16",
    "fp16" (on a GPU), or "auto": the fastest by a short measurement.
    """
    fabric = _fabric(device, devices, nodes, chosen(precision, device, devices * nodes, recipe))
    fabric.launch()
    torch.manual_seed(recipe.seed)
    fuser = creation.create(recipe.method, weights=None, **recipe.options)
    _refuse(recipe, fuser, fabric.world_size)
    saved = _resumed(out / CHECKPOINT, recipe) if resume and (out / CHECKPOINT).is_file() else None
    progress = Progress(**saved["progress"]) if saved else Progress()
    if saved:
        weights.fill(fuser.core, saved["core"], str(out / CHECKPOINT))
    elif start:
        start(fuser.core)
    lengths = [stage.epochs * stage.steps for stage in recipe.stages]
    with Log(out, (progress.stage, progress.step), lengths, lead=fabric.is_global_zero) as log:
        told = saved.get("facts", {}) if saved else dict(facts or {})
        run = Run(fabric, recipe, fuser, sources, out, log, workers, show, tell, told)
        for number in range(progress.stage, len(recipe.stages)):
            with _within_memory(f"stage {number + 1}"):
                run.stage(number, progress, saved)
            saved = None
            run.write(f"stage{number + 1}")
            progress.stage, progress.step, progress.best, progress.began = number + 1, 0, math.inf, None
    return out / "best.safetensors"


def _refuse(recipe: Recipe, fuser: Fuser, processes: int) -> None:
    """What the recipe asks and the method or the machine cannot give."""
    if not isinstance(fuser.core, nn.Module):
        raise IrvisError(f"{recipe.method} has nothing to train")
    multiple = fuser.spec.multiple * fuser.spec.scale
    for number, stage in enumerate(recipe.stages, 1):
        _refuse_more_than_memory(stage, number, processes)
        if stage.crop % multiple:
            raise IrvisError(f"crop {stage.crop} is not a multiple of {multiple}, as {recipe.method} needs")
        if stage.batch % processes:
            raise IrvisError(f"batch {stage.batch} cannot be shared by {processes} processes")
        freeze_all_but(fuser.core, stage.learn)


def _refuse_more_than_memory(stage: Stage, number: int, processes: int) -> None:
    """The crops alone, of four channels, as they are cut, turned and joined."""
    needed, there = 3 * 4 * 4 * stage.batch // max(processes, 1) * stage.crop**2, physical()
    if there is not None and needed > there:
        raise IrvisError(
            f"stage {number}: a batch of {stage.batch} crops of {stage.crop}x{stage.crop} takes {needed / 1e9:,.0f} GB "
            f"of memory, and this machine has {there / 1e9:,.0f} GB: take a smaller crop or batch"
        )


@contextmanager
def _within_memory(what: str) -> Iterator[None]:
    """Running out of memory is one line that says at what, and what helps."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise IrvisError(f"{what}: there is not enough memory: take a smaller crop or batch in the recipe") from error


def _resumed(file: Path, recipe: Recipe) -> Mapping[str, Any]:
    """The checkpoint, if it is whole and of this very recipe."""
    try:
        saved: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        before, now = json.loads(saved["recipe"]), json.loads(_text(recipe))
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as problem:
        raise IrvisError(f"{file} is damaged and cannot be resumed from; choose another --out") from problem
    changed = [key for key in now if before.get(key) != now[key]]
    if changed:
        raise IrvisError(f"{file} is of another recipe ({', '.join(changed)} changed); choose another --out")
    return saved


def _text(recipe: Recipe) -> str:
    """The recipe without its prose, for comparison."""
    return json.dumps({key: value for key, value in asdict(recipe).items() if key not in ("about", "name")})


@dataclass
class Run:
    """What all stages of one training share."""

    fabric: Any
    recipe: Recipe
    fuser: Fuser
    sources: Sources
    out: Path
    log: Log
    workers: int
    show: Any
    tell: Callable[[Validated], object] | None
    facts: Mapping[str, Any]
    """For the header of the weights."""

    def stage(self, number: int, progress: Progress, saved: Mapping[str, Any] | None) -> None:
        """Train one stage from `progress.step` to its end."""
        stage, fabric = self.recipe.stages[number], self.fabric
        learning = freeze_all_but(self.fuser.core, stage.learn)
        core, optimizer = fabric.setup(self.fuser.core.train(), _optimizer(learning, stage))
        for name in getattr(self.fuser.core, "STEPS_CALL", ()):
            core.mark_forward_method(name)
        if saved is not None:
            optimizer.load_state_dict(saved["optimizer"])
            fabric.strategy.precision.load_state_dict(saved["precision"])
        if progress.step == 0 and fabric.is_global_zero:
            with suppress(IrvisError):  # what fails here fails again after the first epoch, when weights are saved
                progress.began = sum(validation_losses(self.fuser, self.sources.validation, stage).values())
        if not progress.validated:  # the run ended while it was at it
            self._validated(number, progress, optimizer)
        alarms, total = Alarms(), stage.epochs * stage.steps
        for step, (visible, infrared, *target) in self._batches(number, progress.step, total):
            torch.manual_seed(hash((self.recipe.seed, number, step, fabric.global_rank)) % 2**63)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(stage, step)
            planes = in_domain(self.fuser.spec.domain, visible)
            terms, picture, fuses = STEPS[stage.step](core, planes, infrared, stage, *target)
            loss = torch.stack(list(terms.values())).sum()
            alarms.check(loss, picture, visible, infrared, fuses=fuses)
            optimizer.zero_grad()
            fabric.backward(loss)
            if stage.clip:
                fabric.clip_gradients(core, optimizer, max_norm=stage.clip)
            optimizer.step()
            progress.step = step + 1
            self._after(number, progress, terms, optimizer, total)

    def _batches(self, number: int, first: int, total: int) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        stage, fabric = self.recipe.stages[number], self.fabric
        sources, share = self.sources.drawn(stage.images)
        crops = Crops(
            sources=sources, share=share, batch=stage.batch, crop=stage.crop, steps=total,
            seed=self.recipe.seed * 1000 + number, zoom=self.recipe.data.zoom, gamma=self.recipe.data.gamma,
            rank=fabric.global_rank, world=fabric.world_size,
        )  # fmt: skip
        rest = Subset(crops, range(first, total))
        loader = DataLoader(rest, batch_size=None, num_workers=self.workers, persistent_workers=False)
        for step, batch in zip(range(first, total), loader, strict=True):
            yield step, fabric.to_device(batch)

    def _after(self, number: int, progress: Progress, terms: Mapping[str, Tensor], optimizer: Any, total: int) -> None:
        stage, fabric = self.recipe.stages[number], self.fabric
        values = {name: float(term.detach()) for name, term in terms.items()}
        self.log.step(number, progress.step, values, optimizer.param_groups[0]["lr"])
        if self.show and fabric.is_global_zero:
            self.show(number, progress.step, total, values)
        ends = progress.step % stage.steps == 0
        if not (ends or progress.step % EVERY == 0):
            return
        progress.validated = not ends
        if fabric.is_global_zero:
            if ends:
                self.write("last")
            self._save(progress, optimizer)
        if ends:
            self._validated(number, progress, optimizer)
        fabric.barrier()

    def _validated(self, number: int, progress: Progress, optimizer: Any) -> None:
        """After the weights are saved: whatever happens here, they are not lost."""
        if self.fabric.is_global_zero:
            with _within_memory(f"validation after stage {number + 1}, step {progress.step} (weights are saved)"):
                self._validate(number, progress)
        progress.validated = True
        if self.fabric.is_global_zero:
            self._save(progress, optimizer)

    def _validate(self, number: int, progress: Progress) -> None:
        """Losses on whole validation pairs; keeps the best weights and draws a picture."""
        stage, pairs = self.recipe.stages[number], self.sources.validation
        losses = validation_losses(self.fuser, pairs, stage)
        score, epoch = sum(losses.values()), progress.step // stage.steps
        picture = self.out / "pictures" / f"stage{number + 1}-epoch{epoch:04d}.png"
        self.log.validation(number, progress.step, losses, draw(self.fuser, pairs, stage, picture))
        if score <= progress.best:
            progress.best = score
            self.write("best")
        if self.tell:
            told = Validated(
                stage=number + 1, stages=len(self.recipe.stages), epoch=epoch, epochs=stage.epochs, score=score,
                best=progress.best, began=progress.began, pairs=len(pairs), picture=picture,
            )  # fmt: skip
            self.tell(told)

    def write(self, name: str) -> None:
        weights.save(
            self.out / f"{name}.safetensors", self.fuser.core, method=self.recipe.method,
            options=self.recipe.options, recipe=self.recipe.name, **self.facts,
        )  # fmt: skip

    def _save(self, progress: Progress, optimizer: Any) -> None:
        state = {
            "core": self.fuser.core.state_dict(),
            "optimizer": optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "progress": vars(progress),
            "recipe": _text(self.recipe),
            "facts": dict(self.facts),
        }
        self.log.flush()  # what the log holds must not fall behind the checkpoint
        with whole(self.out / CHECKPOINT) as unfinished:
            torch.save(state, unfinished)


def freeze_all_but(core: nn.Module, patterns: Sequence[str]) -> list[nn.Parameter]:
    """Let only the parameters whose name matches a pattern learn."""
    for name, parameter in core.named_parameters():
        parameter.requires_grad_(any(fnmatch(name, pattern) for pattern in patterns))
    learning = [parameter for parameter in core.parameters() if parameter.requires_grad]
    if not learning:
        raise IrvisError(f"no parameter matches learn = {list(patterns)}")
    return learning


def learning_rate(stage: Stage, step: int) -> float:
    """The learning rate of a step: a pure function, so that nothing needs to be kept to resume."""
    rise = min((step + 1) / stage.warmup, 1.0) if stage.warmup else 1.0
    if stage.schedule == "halve":
        rise *= 0.5 ** sum(step >= epoch * stage.steps for epoch in stage.milestones)
    elif stage.schedule == "cosine":
        rise *= 0.01 + 0.99 * (1 + math.cos(math.pi * step / (stage.epochs * stage.steps))) / 2
    return stage.lr * rise


def _optimizer(learning: list[nn.Parameter], stage: Stage) -> torch.optim.Optimizer:
    if stage.optimizer == "sgd":
        return torch.optim.SGD(learning, stage.lr, stage.momentum, weight_decay=stage.weight_decay)
    if stage.optimizer == "adam":
        return torch.optim.Adam(learning, stage.lr, stage.betas, stage.eps, stage.weight_decay)
    decayed = [parameter for parameter in learning if parameter.ndim > 1]
    plain = [parameter for parameter in learning if parameter.ndim <= 1]  # norms and biases
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, stage.lr, stage.betas, stage.eps, stage.weight_decay)


def _fabric(device: str, devices: int, nodes: int, precision: str) -> Any:
    try:
        from lightning_fabric import Fabric
    except ImportError as problem:
        raise IrvisError("training needs an extra: pip install 'irvis[train]'") from problem
    kinds: Any = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
    many = devices * nodes > 1
    try:
        fabric = Fabric(
            accelerator=device,
            devices=devices,
            num_nodes=nodes,
            precision=kinds[precision],
            strategy="ddp" if many else "auto",
        )
    except (ValueError, RuntimeError) as problem:
        raise IrvisError(f"cannot train on {devices} × {device}: {str(problem).splitlines()[0]}") from problem
    if precision == "fp16" and fabric.device.type == "cpu":
        raise IrvisError("fp16 needs a GPU; on the CPU use bf16")
    return fabric
