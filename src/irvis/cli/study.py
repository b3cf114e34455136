"""The verb that asks people: study."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import IrvisError
from ..options import InfraredOptions
from .common import (
    JUDGE,
    WITH_PASSWORD,
    Json,
    LoginFile,
    LoginText,
    Patterns,
    app,
    console,
    errors,
    list_unmatched,
)
from .evaluate import steps

if TYPE_CHECKING:
    from ..access import Auth
    from ..data.matching import Match
    from ..study.database import Study

QUESTIONS = 60


@app.command(group=JUDGE, sort_key=3)
def study(
    *folders: Annotated[
        str, Parameter(help="Two or more folders of results, DIR or NAME=DIR; none to continue a study.")
    ],
    out: Annotated[
        Path, Parameter(name=["--out", "-o"], help="File of the study, with questions and answers (SQLite).")
    ] = Path("study.sqlite"),
    visible: Annotated[Path | None, Parameter(help="The visible source images, for the page and the metrics.")] = None,
    infrared: Annotated[Path | None, Parameter(help="The infrared source images.")] = None,
    match: Patterns = None,
    options: Annotated[InfraredOptions, Parameter(name="*")] = InfraredOptions(),  # noqa: B008
    questions: Annotated[int | None, Parameter(help=f"Questions per rater. Default: {QUESTIONS}.")] = None,
    seed: Annotated[int | None, Parameter(help="Seed of the order of questions and sides. Default: 0.")] = None,
    rater: Annotated[str | None, Parameter(help="Name of the rater; otherwise the page asks for it.")] = None,
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 admits other machines.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port; 0 is any free one.")] = 8017,
    auth: LoginText = None,
    auth_file: LoginFile = None,
    report: Annotated[Path | None, Parameter(help="Print the results of this study.")] = None,
    metrics: Annotated[
        str, Parameter(help='Metrics to compare with people: names by commas, "usual", "all", "none".')
    ] = "usual",
    profile: Annotated[
        str, Parameter(help="Which published code to follow, with its quirks: see irvis metrics.")
    ] = "default",
    workers: Annotated[int, Parameter(help="Processes for metrics; 0 is one per core, at most 8.")] = 0,
    as_json: Json = False,
) -> None:
    """Ask people which of two results is better, rank the methods, and see which metrics agree.

    irvis study results/encdec results/maefuse results/average
    irvis study results/a results/b --visible visible/ --infrared infrared/
    irvis study -o study.sqlite --host 0.0.0.0
    irvis study --report study.sqlite
    irvis study --report study.sqlite --metrics Qw,Qe,VIF --json

    The page shows two results of one pair without names. The third command goes on with a study that was stopped.
    """
    from ..access import auth_of

    if report is not None:
        if folders:
            raise IrvisError("--report reads a study that is there; it takes no folders")
        _tell(report, metrics, profile, workers, as_json)
        return
    if as_json:
        raise IrvisError("--json is for --report")
    if questions is not None and questions < 1:
        raise IrvisError(f"--questions is 1 or more, not {questions}")
    if seed is not None and seed < 0:
        raise IrvisError(f"--seed is 0 or more, not {seed}")
    if (visible is None) != (infrared is None):
        raise IrvisError("--visible and --infrared belong together: give both, or none")
    if visible is None and (match or options != InfraredOptions()):
        raise IrvisError(
            "--match, --infrared-…, --resize-infrared and thermal options say how --visible and --infrared are read: "
            "give both"
        )
    if not folders and (visible is not None or not out.exists()):
        raise IrvisError("which results? Give two folders or more: irvis study results/one results/two -o study.sqlite")
    from ..study import reading as how

    reading = how.told(options.infrared_range, options.infrared_color, options.resize_infrared, options.sensing())
    sources = _sources(visible, infrared, match)
    _serve(_study(folders, sources, reading, out, questions, seed), host, port, rater, auth_of(auth, auth_file))


def _sources(visible: Path | None, infrared: Path | None, match: tuple[str, str] | None) -> "Sequence[Match]":
    from ..data import matching

    if visible is None or infrared is None:
        return ()
    found = matching.match(visible, infrared, patterns=match)
    list_unmatched(found)
    return found.pairs


def _study(
    folders: Sequence[str],
    sources: "Sequence[Match]",
    reading: dict[str, Any],
    out: Path,
    questions: int | None,
    seed: int | None,
) -> "Study":
    """The study that is there, or a new one."""
    from ..study import asking, database
    from ..study import folders as rooms
    from ..thermal import Range

    if reading["range"]:
        Range.parse(str(reading["range"]))
    given = None
    if folders:
        methods = rooms.methods(folders)
        pairs = rooms.pairs(methods, sources)
        for line in rooms.lacking(methods, pairs):
            errors.print(line)
        given = database.Study(
            file=out, methods=methods, pairs=pairs, seed=seed or 0, asked=questions or QUESTIONS, reading=reading
        )
    if out.exists():
        known = database.go_on(out, given=given, seed=seed, asked=questions)
        asking.ask_more(known)
        return known
    assert given is not None
    database.create(given)
    return database.load(out)


def _serve(known: "Study", host: str, port: int, rater: str | None, login: "Auth | None") -> None:
    """Until it is stopped."""
    from ..loopback import is_loopback
    from ..study import asking
    from ..study.server import Server

    if rater is not None:
        try:
            asking.join(known, rater)
        except ValueError as problem:
            raise IrvisError(f"--rater: {problem}") from problem
    server = Server(known, host, port, rater=rater, say=errors.print, auth=login)
    console.print(f"{known.file}: {len(known.methods)} methods, {len(known.pairs)} pairs")
    console.print(f"open {server.address}")
    if not is_loopback(host) and login is None:
        errors.print(f"warning: anyone who reaches this machine can take part, and see the images: {WITH_PASSWORD}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        errors.print(f"stopped; go on: irvis study -o {known.file}; read: irvis study --report {known.file}")
    finally:
        server.server_close()


def _tell(file: Path, metrics: str, profile: str, workers: int, as_json: bool) -> None:
    from ..study import report, tables

    if workers < 0:
        raise IrvisError(f"--workers is 1 or more, or 0 for one per core, not {workers}")
    told = report.report(
        file, metrics=metrics, profile=profile, workers=workers, say=errors.print,
        show=lambda total: steps(total, "judging"),
    )  # fmt: skip
    if as_json:
        print(json.dumps(tables.record(told), indent=2))
        return
    for part in tables.tables(told):
        console.print(part)
