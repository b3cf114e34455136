"""The verb that answers "which method for my cameras": choose."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from ..options import InfraredOptions
from ..options.compute import Device
from .common import JUDGE, Patterns, app, console, errors, list_unmatched
from .evaluate import steps


@app.command(group=JUDGE, sort_key=0)
def choose(
    visible: Annotated[str, Parameter(help="A folder of pairs, or the visible side.")],
    infrared: Annotated[str | None, Parameter(help="The infrared folder, if VISIBLE does not hold both.")] = None,
    *,
    purpose: Annotated[
        Literal["looking", "people", "vehicles", "text"],
        Parameter(name="--for", help="What the fused pictures are for."),
    ] = "looking",
    fps: Annotated[float, Parameter(help="Pictures a second that this machine has to reach. Default: any.")] = 0.0,
    device: Device = "cpu",
    method: Annotated[
        str | None,
        Parameter(name=["--method", "-m"], help="Candidates by commas. Default: all that come with irvis."),
    ] = None,
    sequence: Annotated[bool, Parameter(negative="", help="The pairs are frames of a video: flicker counts.")] = False,
    detect: Annotated[Path | None, Parameter(help="An ONNX detector, as for irvis evaluate.")] = None,
    labels: Annotated[Path | None, Parameter(help="Boxes for it. Without: agreement with both cameras.")] = None,
    detector: Annotated[str, Parameter(help="What of it is not recognised: layout=yolox,….")] = "",
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder for the sheet and the numbers.")] = Path(
        "choice"
    ),
    match: Patterns = None,
    reading: Annotated[InfraredOptions, Parameter(name="*")] = InfraredOptions(),  # noqa: B008
) -> None:
    """Say which method to take for these pairs, and which to avoid.

    irvis choose pairs/
    irvis choose pairs/ --for people --fps 25
    irvis choose visible/ infrared/ --for vehicles --detect yolox.onnx

    Looks at up to 30 registered pairs. OUT/sheet.png shows the answer; look at it before you believe it.
    """
    from ..choose import choosing, show
    from ..data import matching
    from ..jobs import Reading

    if fps < 0:
        raise IrvisError(f"--fps is a number of pictures a second, not {fps:g}")
    if detect is None and (labels is not None or detector):
        raise IrvisError("--labels and --detector are for a detector: give it with --detect MODEL.onnx")
    found = matching.match(visible, infrared, patterns=match)
    list_unmatched(found)
    pairs = choosing.some(found.pairs, sequence)
    names = [text.strip() for text in method.split(",") if text.strip()] if method else choosing.candidates()
    asked = choosing.Asked(
        purpose=purpose, fps=fps, device=device, frames=sequence, reading=Reading(**reading.reading())
    )
    finder = None
    if detect:
        from ..choose.detecting import Finder
        from ..evaluate.tasks.detector import feeding

        finder = Finder(detect, labels, feeding(detector))
        finder.check([one.name for one in pairs])
    with steps(len(pairs) * (len(names) + 2), "judging") as step:
        choice = choosing.choose(pairs, names, asked, finder, step)
    sheet, numbers = show.write(choice, asked, out)
    console.print(show.table(choice))
    console.print(f"\nfor {purpose}, on {len(pairs)} of {len(found.pairs)} pairs")
    for line in show.lines(choice):
        console.print(line)
    words = [visible, *([infrared] if infrared else []), *(["--match", *match] if match else [])]
    console.print(f"\nsheet   {sheet}\nvalues  {numbers}\ntype    {show.command(choice, asked, words)}")
    for problem in choice.problems:
        errors.print(f"failed: {problem}")
    if choice.problems:
        raise IrvisError(f"{len(choice.problems)} results are missing; the lines above say which")
