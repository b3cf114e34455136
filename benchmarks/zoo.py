"""The table of published networks in docs/methods/zoo.md: from the registry, work counted without computing anything.

python benchmarks/zoo.py
"""

from pathlib import Path

import torch

from irvis.bench.work import flops
from irvis.listing import parameters
from irvis.methods import METHODS
from irvis.spec import Method, Published

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "zoo.md"
BEGIN, END = "<!-- table: python benchmarks/zoo.py -->", "<!-- end of the table -->"
HEAD = ("network", "year", "parameters", "GFLOP at 640×480", "licence, as stated", "where to get its file")
HEIGHT, WIDTH = 480, 640


def rows() -> list[tuple[str, ...]]:
    """One row for each network, oldest first."""
    methods = [method for method in METHODS.values() if method.published is not None]
    return [_row(m, m.published) for m in sorted(methods, key=_age) if m.published is not None]


def _age(method: Method) -> tuple[int, str]:
    assert method.published is not None
    return method.published.year, method.name


def _row(method: Method, facts: Published) -> tuple[str, ...]:
    title = f"[{facts.title}]({method.paper})" if method.paper else facts.title
    files = ", ".join(f"`{file.path}`" for file in facts.files if file.path)
    where = f"{facts.source}: {files}" if files else facts.source
    work = gflop(method)
    return (
        f"`{method.name}` · {title}", str(facts.year), f"{parameters(method):,}", f"{work:.1f}", facts.licence, where,
    )  # fmt: skip


def gflop(method: Method) -> float:
    """10⁹ operations of one picture of 640×480, a multiply-add as two; convolutions, products and attention count."""
    with torch.device("meta"):
        core = method.build().eval()
        planes = 3 if method.spec().domain == "rgb" else 1
        images = torch.empty(1, planes, HEIGHT, WIDTH), torch.empty(1, 1, HEIGHT, WIDTH)
        return flops(core, *images) / 1e9


def table() -> str:
    """In Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD), *rows()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(text: str, made: str) -> str:
    """The page with its table replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), table()))
    print(PAGE)
