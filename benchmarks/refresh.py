"""What in docs/ was made with other weights than those shipped now: say it, and make it anew, cheapest first.

    python benchmarks/refresh.py --list        what is out of date, and the seconds it took last
    python benchmarks/refresh.py               make it anew, then the claims and the plots
    python benchmarks/refresh.py --within 20   begin nothing that would end later than in 20 minutes
    python benchmarks/refresh.py --code        also what was made by other code

What is not made anew keeps its rows, and its page says in each of them that it was made with earlier weights.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import figures
import leaderboard
from common import TABLES, arguments, render
from irvis import files
from made import HERE, RESULTS, Row, code_of, earlier, read

COMMANDS = {
    "maefuse_speed": "maefuse.py --speed",
    "video": "video.py --parts speed", "video_flicker": "video.py --parts flicker",
}  # fmt: skip
"""Files that their script makes only in part; every other file is made by its script as it is."""
TRAINED = ("ablations", "maefuse_ablations", "maefuse_encoders", "fifty")
"""Hours of training: --code never begins these."""


@dataclass(frozen=True)
class Due:
    """One command, the rows that it would make anew, and the seconds that they took last (None: not timed yet)."""

    command: str
    what: Sequence[str]
    seconds: float | None


def main() -> None:
    chosen = arguments(
        __doc__, list={"action": "store_true", "help": "only say what is out of date"},
        code={"action": "store_true", "help": "also what was made by other code"},
        within={"type": float, "metavar": "MINUTES", "help": "begin nothing that would end later"},
    )  # fmt: skip
    begun, failed = time.perf_counter(), list[str]()
    mark()
    planned = plan(chosen.code)
    print("\n".join(map(told, planned)) or "everything was made with the weights that are shipped", flush=True)
    if chosen.list:
        return
    for one in planned:
        if chosen.within is not None and time.perf_counter() - begun + (one.seconds or 0) > 60 * chosen.within:
            print(f"left for later: {one.command}", flush=True)
        elif not run(one, [] if chosen.code else ["--weights"], chosen):
            failed.append(one.command)
    finish()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def plan(code: bool = False) -> list[Due]:
    """Commands, cheapest first; what was never timed comes last."""
    found: dict[str, list[Row]] = {}
    for name in names():
        rows = [row for row in read(name)["rows"] if _out_of_date(row, name, code)]
        found.setdefault(COMMANDS.get(name, f"{read(name)['script']}.py"), []).extend(rows)
    for row in figures.due():
        found.setdefault(figures.DRAWN[row["figure"]][0], []).append(row)
    planned = [Due(command, [_called(row) for row in rows], _seconds(rows)) for command, rows in found.items() if rows]
    return sorted(planned, key=lambda one: (one.seconds is None, one.seconds or 0, one.command))


def names() -> list[str]:
    """The results files."""
    return sorted(path.stem for path in RESULTS.glob("*.json") if path.stem not in ("figures", "preference"))


def _out_of_date(row: Row, name: str, code: bool) -> bool:
    if earlier(row):
        return True
    script = read(name)["script"]
    return code and name not in TRAINED and row["made"].get("code") != code_of(script, tuple(row["made"]["weights"]))


def _seconds(rows: Sequence[Row]) -> float | None:
    times = [row["made"].get("seconds") for row in rows]
    return None if None in times else sum(times)


def _called(row: Row) -> str:
    return " ".join(value for value in list(row.values())[:3] if isinstance(value, str) and value)


def told(one: Due) -> str:
    """A line about a command."""
    took = "not timed yet" if one.seconds is None else f"{one.seconds:.0f} s"
    shown = "; ".join(one.what[:4]) + (f" and {len(one.what) - 4} more" if len(one.what) > 4 else "")
    return f"{one.command:32} {took:>14}  {shown}"


def run(one: Due, words: list[str], chosen) -> bool:
    """Whether a command did its work; its tables go nowhere, its errors to the screen."""
    print(f"{one.command} …", flush=True)
    try:
        if one.command in {command for command, _ in figures.DRAWN.values()}:
            figures.draw(one.command)
            return True
        words = [*words, "--data", str(chosen.data), "--threads", str(chosen.threads)]
        command = [sys.executable, *one.command.split(), *words]
        return not subprocess.run(command, cwd=HERE, check=False, stdout=subprocess.DEVNULL).returncode
    except subprocess.CalledProcessError:
        return False


def mark() -> None:
    """Write the pages of all results anew: rows and figures of earlier weights say so."""
    for path in sorted(RESULTS.glob("*.json")):
        tree = read(path.stem)
        if "title" in tree and (page := TABLES / f"{path.stem}.md").read_text() != render(tree):
            with files.whole(page) as unfinished:
                unfinished.write_text(render(tree))
    leaderboard.write_page()
    figures.mark()


def finish() -> None:
    """What is made of the results: pages, claims, plots, the scores beside the weights."""
    mark()
    for command in ("claims.py", f"learn_plots.py {' '.join(figures.FROM_RESULTS)}", "ship.py --scores"):
        subprocess.run([sys.executable, *command.split()], cwd=HERE, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
