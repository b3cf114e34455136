"""What there is: the tables of `irvis methods` and the findings of `irvis doctor`, read off the registry."""

import importlib.util
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import torch
from rich.table import Table

from . import creation, files, registry, spec, weights
from .errors import IrvisError
from .methods import METHODS

EXTRAS = {
    "align": ("cv2",),
    "app": ("gradio",),
    "evaluate": ("scipy", "matplotlib"),
    "flow": ("cv2",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino", "nncf", "onnx", "onnxscript"),
    "ray": ("ray", "fsspec"),
    "thermal": ("imagecodecs",),
    "train": ("lightning_fabric", "tensorboard"),
    "video": ("av",),
}
"""Extra of the package → modules that it brings."""
LIBRARIES = ("torch", "numpy", "pillow", "safetensors", "tifffile", "cyclopts")


QUALITY, SCENES, BLIND = (f"docs/results/{page}.md" for page in ("quality", "maefuse_scenes", "preference"))
ADVICE = {
    "average": ("a control to compare with: loses detail of both pictures", QUALITY),
    "encdec": ("preferred to six others in blind comparisons; our best Qw·Qe on VIFB and MSRS", BLIND),
    "gff": ("to compare with its paper; lower Qw than laplacian on all sets but MSRS", QUALITY),
    "hmsd-gf": ("next to encdec by Qw·Qe on MSRS; twenty times slower than laplacian", QUALITY),
    "hybrid-msd": ("next to encdec in blind comparisons; twenty times slower than laplacian", BLIND),
    "infrared": ("a control: the infrared picture as it is", QUALITY),
    "laplacian": ("the best that is fast without training; next to encdec by Qw·Qe on VIFB", QUALITY),
    "maefuse": ("to study its paper; lower Qw·Qe than encdec on every set, and slower", QUALITY),
    "max": ("hot things stay brightest, people stand out at night; blinded cameras stay white", SCENES),
    "tif": ("to compare with its paper; lower Qw·Qe than laplacian on every set", QUALITY),
    "visible": ("a control: the visible picture as it is", QUALITY),
    "wavelet": ("close behind laplacian by Qw·Qe on every set, and slower", QUALITY),
}
"""What a method is best for, and the page that this was measured on."""
UNMEASURED = "not measured here: to compare with its paper, with its authors' weights"


def methods() -> list[dict[str, Any]]:
    """Every method as plain data."""
    return [facts(method) for method in _sorted()]


def facts(method: spec.Method) -> dict[str, Any]:
    """All that is known of one method, as plain data."""
    spec = method.spec(**method.small)
    advice, page = ADVICE.get(method.name, (UNMEASURED if method.published else "", ""))
    return {
        "name": method.name, "default": method.name == registry.DEFAULT, "summary": method.summary,
        "best_for": advice, "measured_in": page, "paper": method.paper,
        "domain": spec.domain, "options": method.options,
        "weights": {name: asdict(w) for name, w in method.weights.items()},
        "published": method.published.source if method.published else "",
        "published_licence": method.published.licence if method.published else "",
        "year": method.published.year if method.published else None, "input": _input(method.spec()),
        "files": [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in method.published.files]
        if method.published else [],
    }  # fmt: skip


def facts_table(method: spec.Method) -> Table:
    """The facts of one method, a line each."""
    told = facts(method)
    table = _table(f"{method.name}: {method.summary}", "fact", "")
    options = "\n".join(f"{name}={value}" for name, value in told["options"].items())
    for name, text in (
        ("best for", told["best_for"]), ("measured in", told["measured_in"]), ("paper", told["paper"]),
        ("year", told["year"] and str(told["year"])), ("plane", told["domain"]), ("input", told["input"]),
        ("options", options), ("parameters", method.learnable and f"{parameters(method):,}"),
        ("default", "yes: where no method is named" if told["default"] else ""),
        ("authors' weights", told["published"]), ("their licence", told["published_licence"]),
    ):  # fmt: skip
        if text:
            table.add_row(name, text)
    for file in told["files"]:
        size = f"{file['size']:,} bytes" if file["size"] else "size not known here"
        check = f"sha256 {file['sha256']}" if file["sha256"] else "sha256 not known here"
        table.add_row("file", "\n".join([file["path"] or "its name is not known here", size, check]))
    for name, w in told["weights"].items():
        scores = ", ".join(f"{key} {value:.3f}" for key, value in w["scores"].items())
        lines = [f"{w['parameters']:,} parameters", w["trained_on"], w["licence"], scores, f"sha256 {w['sha256']}"]
        table.add_row(f"weights {name}", "\n".join(line for line in lines if line))
    return table


def parameters(method: spec.Method) -> int:
    """How many the network has with its default options; counted without making it."""
    with torch.device("meta"):
        return sum(x.numel() for x in method.build().parameters())


def _input(spec: registry.Spec) -> str:
    """Sizes that are taken, and how large pictures are."""
    least = f"; smaller than {spec.least}×{spec.least} is padded" if spec.least > 1 else ""
    reach = "" if spec.reach is None else f"; a pixel sees {spec.reach} pixels far, so that tiles equal the whole"
    return f"registered pairs of any size{least}{reach}"


def _sorted() -> list[spec.Method]:
    return sorted(METHODS.values(), key=lambda method: (method.learnable, method.name))


def tables() -> list[Table]:
    """One table of the methods, the default marked, one of the shipped weights."""
    listed = methods()
    kinds = _table("methods (irvis methods NAME: all of one)", "method", "what it does", "best for")
    for entry in listed:
        name = f"{entry['name']} (default)" if entry["default"] else entry["name"]
        kinds.add_row(name, entry["summary"], entry["best_for"])
    trained = _table("weights", "weights", "parameters", "trained on", "licence of the weights", "scores")
    for entry in listed:
        for name, facts in entry["weights"].items():
            scores = "\n".join(f"{key} {value:.3f}" for key, value in facts["scores"].items())
            title = f"{entry['name']}:{name}"
            trained.add_row(title, f"{facts['parameters']:,}", facts["trained_on"], facts["licence"], scores)
    return [kinds, trained]


def metrics() -> dict[str, Any]:
    """Every metric and every profile as plain data."""
    from .metrics import METRICS, PROFILES

    judges = [
        {
            "name": m.name, "title": m.title, "better": m.better, "bounds": list(map(str, m.bounds)),
            "unit": m.unit, "paper": m.paper,
        }
        for m in METRICS.values()
    ]  # fmt: skip
    codes = [
        {
            "name": p.name, "code": p.code, "metrics": list(p.metrics), "colour": p.colour,
            "alias": dict(p.alias), "notes": p.notes,
        }
        for p in PROFILES.values()
    ]  # fmt: skip
    return {"metrics": judges, "profiles": codes}


def metric_tables() -> list[Table]:
    """One table of the metrics, one of the profiles."""
    listed = metrics()
    judges = _table("metrics", "metric", "what it is", "better", "range", "unit", "source")
    for m in listed["metrics"]:
        bounds = " to ".join(f"{float(x):g}".replace("inf", "∞") for x in m["bounds"])
        judges.add_row(m["name"], m["title"], m["better"], bounds, m["unit"], m["paper"])
    codes = _table("profiles", "profile", "whose numbers", "metrics", "what differs")
    for p in listed["profiles"]:
        names = "all of them" if p["name"] == "default" else " ".join(p["metrics"])
        codes.add_row(p["name"], p["code"], names, p["notes"])
    return [judges, codes]


def findings() -> dict[str, str]:
    """Versions, devices, extras, weights; the last lines are the self-test."""
    found = {"irvis": version("irvis"), "python": f"{platform.python_version()} on {platform.platform()}"}
    found |= {name: _version(name) for name in LIBRARIES}
    found["devices"] = ", ".join(devices())
    found["threads"] = str(torch.get_num_threads())
    for extra, modules in EXTRAS.items():
        there = all(importlib.util.find_spec(module) for module in modules)
        found[f"extra {extra}"] = "installed" if there else f"not installed: pip install 'irvis[{extra}]'"
    for method in METHODS.values():
        for name, facts in method.weights.items():
            found[f"weights {method.name}:{name}"] = _checked(facts)
    for method in METHODS.values():
        found |= {f"test {method.name}:{name}": _tested(method, name) for name in method.weights}
        if not method.weights:
            found[f"test {method.name}"] = _tested(method, None)
    return found


def devices() -> list[str]:
    """The devices that torch can use here."""
    names = [f"cpu ({platform.processor() or platform.machine()})"]
    names += [f"cuda:{n} ({torch.cuda.get_device_name(n)})" for n in range(torch.cuda.device_count())]
    return [*names, "mps"] if torch.backends.mps.is_available() else names


def _table(title: str, first: str, *others: str) -> Table:
    """Names, in the first column, stay whole; the rest is folded, so that a narrow terminal cuts nothing off."""
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _checked(facts: spec.Weights) -> str:
    try:
        path = weights.located(facts)
        whole = files.digest(path) == facts.sha256
    except IrvisError as problem:
        return f"FAILED: {problem}"
    return f"sha256 {facts.sha256[:12]}… right" if whole else f"FAILED: sha256 of {path} is wrong; reinstall irvis"


@torch.inference_mode()
def _tested(method: spec.Method, name: str | None) -> str:
    """Fuse a small pair; the result must be finite, in [0, 1] and not constant. Without weights: a tiny random
    network, whose result may be constant."""
    ramp = torch.linspace(0, 1, 96)
    visible, infrared = ramp.expand(1, 3, 64, 96), ramp.flip(0).expand(1, 1, 64, 96)
    try:
        fuser = creation.create(method.name, weights=name, **({} if name else method.small))
        begun = perf_counter()
        fused = fuser(visible, infrared * ramp)
    except (IrvisError, RuntimeError) as problem:
        return f"FAILED: {problem}"
    whole = bool(torch.isfinite(fused).all()) and float(fused.min()) >= 0 and float(fused.max()) <= 1
    untrained = " untrained" if method.learnable and name is None else ""
    whole = whole and (bool(untrained) or float(fused.std()) > 1e-3)
    return (
        f"works{untrained}, {1000 * (perf_counter() - begun):.0f} ms for 96×64"
        if whole
        else "FAILED: the result is not a picture"
    )
