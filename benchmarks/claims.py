"""docs/claims.md: every claim of the two papers, the command that tests it here, the number, the verdict.

The numbers come from results/*.json, which the commands write; what has no result yet says so. Verdicts that rest on a
number are computed from it. The claims are in claims_encdec.py and claims_maefuse.py.
"""

import made
from claim import OLD, Claim
from claims_encdec import ENCDEC
from claims_maefuse import MAE
from common import HERE
from irvis import files


def main() -> None:
    with files.whole(HERE.parent / "docs" / "claims.md") as unfinished:
        unfinished.write_text(page())


def page() -> str:
    parts = [
        "# Claims of the papers",
        "Every claim, the command that tests it here, what came out, and the verdict. Numbers are those of the "
        "[results](results); this page is made of them by `benchmarks/claims.py`.",
        "## The encoder-decoder network ([arXiv:2412.08073](https://arxiv.org/abs/2412.08073))", lines(ENCDEC),
        "## MaeFuse ([arXiv:2404.11016](https://arxiv.org/abs/2404.11016))", lines(MAE),
        "Ablations are short trainings of small networks on a CPU, one seed each: they show which way a choice pulls, "
        "not what it is worth at the papers' scale.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def lines(claims: list[Claim]) -> str:
    return "\n".join(["| claim | command | number | verdict |", "| --- | --- | --- | --- |", *map(line, claims)])


def line(claim: Claim) -> str:
    OLD.clear()
    number, verdict = claim.number(), claim.verdict()
    number += f" ({made.EARLIER})" if OLD else ""
    return f"| {claim.text} | {claim.command} | {number} | **{verdict}** |"


if __name__ == "__main__":
    main()
