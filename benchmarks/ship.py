"""Put a finished run's best weights into the package: bfloat16 safetensors and an entry in shipped/weights.json.

    python benchmarks/ship.py METHOD NAME RUN "what it was trained on" "licence of the weights"

Scores are read from results/quality.json: run this, then quality.py, then `python benchmarks/ship.py --scores`.
"""

import json
import sys
from pathlib import Path

import torch

from common import RESULTS, SETS
from irvis import creation, weights

TABLE = weights.SHIPPED / "weights.json"


def main() -> None:
    if sys.argv[1:] == ["--scores"]:
        scores()
    else:
        method, name, run, trained_on, licence = sys.argv[1:]
        ship(method, name, Path(run), trained_on, licence)


def ship(method: str, name: str, run: Path, trained_on: str, licence: str) -> None:
    """Write the file and its entry."""
    fuser = creation.create(method, weights=run / "best.safetensors")
    file = f"{method}-{name}.safetensors"
    sha256 = weights.save(
        weights.SHIPPED / file, fuser.core, method=method, options=fuser.options, dtype=torch.bfloat16,
        trained_on=trained_on, licence=licence,
    )  # fmt: skip
    table = json.loads(TABLE.read_text())
    parameters = sum(p.numel() for p in fuser.parameters())
    table.setdefault(method, {})[name] = {
        "file": file, "sha256": sha256, "licence": licence, "trained_on": trained_on,
        "parameters": parameters, "options": fuser.options, "scores": {},
    }  # fmt: skip
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def scores() -> None:
    """Copy each set's Qw from the last run of quality.py."""
    table = json.loads(TABLE.read_text())
    for row in json.loads((RESULTS / "quality.json").read_text())["rows"]:
        method, _, name = row["method"].partition(":")
        if name in table.get(method, {}):
            table[method][name]["scores"] = {f"Qw {each}": round(row[f"{each} Qw"], 4) for each in SETS}
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
