"""Videos: frames a second from file to file, flicker with and without --steady, and offsets found by motion.

speed: two H.264 files of a drawn scene that moves, fused into a third; `fps` is `jobs.fuse_video` from opening to the
finished file, `work` its processor milliseconds per frame on all threads together. decode, thermal, fuse, steady,
encode: processor milliseconds per frame of each stage alone. flicker: both metrics on real sequences, 1 = no more than
the livelier source. sync: drawn scenes whose true offset is known, and pairs of different scenes, which must not be
believed.
"""

import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch

from common import Rows, arguments, markdown, write
from irvis import creation, io
from irvis.data.scene import scene
from irvis.metrics.flicker import temporal_gain, warped_difference
from irvis.video.aligning import image_of
from irvis.video.frame import Frame
from irvis.video.job import Asked, Coding, fuse_video
from irvis.video.range_following import Following, steady
from irvis.video.run import _bytes
from irvis.video.source import open_source
from irvis.video.stabilise import Moment, stabilise
from irvis.video.time_offset import motion_of, offset_of
from irvis.video.writer import Writer

SIZES = {"640×480": (480, 640), "1920×1080": (1080, 1920)}
METHODS = ("average", "laplacian", "encdec:tiny", "encdec")
SEQUENCES = (
    "train/video/M3SVD_0115_1834",
    "train/video/M3SVD_0115_1847",
    "test/video/TNO_Duine",
    "test/video/TNO_NatoCamp",
)
RATE = Fraction(30)


def main() -> None:
    chosen = arguments(
        __doc__,
        frames={"type": int, "default": 150, "help": "of each drawn video"},
        runs={"type": int, "default": 3},
        sizes={"default": ",".join(SIZES)},
        methods={"default": ",".join(METHODS)},
        runtimes={"default": "torch,auto"},
        parts={"default": "speed,flicker,sync"},
        precision={"default": "fp32"},
        brief={"action": "store_true", "help": "speed of the first size and method only; keeps nothing"},
    )
    sizes, methods, runtimes = (text.split(",") for text in (chosen.sizes, chosen.methods, chosen.runtimes))
    if chosen.brief:
        print(markdown([speed(sizes[0], methods[0], runtimes[0], chosen.precision, chosen)]))
        return
    if "speed" in chosen.parts:
        rows = Rows("video", chosen)
        for size, method, runtime in product(sizes, methods, runtimes):
            key = {"size": size, "method": method, "runtime": runtime, "precision": chosen.precision}
            rows.add(key, lambda key=key: key | speed(**key, chosen=chosen), [method])
        rows.write("Videos from file to file", SPEED)
    if "flicker" in chosen.parts:
        rows = Rows("video_flicker", chosen, "video")
        for method, name in product(methods, SEQUENCES):
            keys = [{"sequence": Path(name).name, "method": method, "": kind} for kind in ("as fused", "steady")]
            both = partial(flickers, chosen.data / name, method)
            rows.several(keys, lambda keys, both=both: [row for row in both() if row[""] in [k[""] for k in keys]],
                         lambda key: [key["method"]])  # fmt: skip
        rows.write("Flicker of fused videos", FLICKER)
    if "sync" in chosen.parts:
        write("video_sync", [*synced()], "Offsets of two streams by what moves in both", SYNC, "video")


SPEED = (
    "fps: from opening both files to the finished one, median; work: processor milliseconds per frame, all threads "
    "together; the columns after it: those of each stage alone."
)
FLICKER = "Gain over the livelier source, see `irvis.metrics.flicker`: 1 is no more flicker than the sources have."
SYNC = "Drawn scenes of 20 s. error: seconds, of the offsets that were believed."


# ------------------------------------------------------------------------------------------- speed


def speed(size: str, method: str, runtime: str, precision: str, chosen) -> dict[str, object]:
    """One size, method and runtime."""
    fuser = creation.fuser(method, runtime=runtime, precision=precision)
    with tempfile.TemporaryDirectory() as folder:
        paths = drawn(Path(folder), SIZES[size], chosen.frames)
        asked = Asked(visible=str(paths[0]), infrared=str(paths[1]))
        seconds, work = [], []
        for _ in range(chosen.runs):
            begun = perf_counter(), process_time()
            coding = Coding(out=Path(folder) / "fused.mp4", if_exists="overwrite")
            fuse_video(asked, {method: fuser}, coding, together=runtime == "torch")
            seconds.append(perf_counter() - begun[0])
            work.append((process_time() - begun[1]) / chosen.frames * 1000)
        return {
            "fps": chosen.frames / median(seconds), "work": median(work), **stages(paths, fuser, Path(folder)),
        }  # fmt: skip


def drawn(folder: Path, size: tuple[int, int], frames: int) -> tuple[Path, Path]:
    """A scene that goes by, with noise, as two H.264 files."""
    random = np.random.default_rng(0)
    seen, warm = (np.asarray(one[0].permute(1, 2, 0) * 255) for one in scene(3, size).tensors())
    paths = folder / "visible.mp4", folder / "thermal.mp4"
    for path, picture in zip(paths, (seen, warm[..., 0]), strict=True):
        with Writer(path, rate=RATE, size=size) as writer:
            for n in range(frames):
                moved = np.roll(picture, 2 * n, axis=1) + random.normal(0, 2, picture.shape)
                writer.write(np.clip(moved, 0, 255).astype(np.uint8), n / RATE)
    return paths


@torch.inference_mode()
def stages(paths: tuple[Path, Path], fuser, folder: Path, count: int = 30) -> dict[str, float]:
    """Processor milliseconds per frame of each stage, one after the other."""
    made: dict[str, list] = {}
    taken: dict[str, float] = {}

    def stage(name: str, run: Callable[[], Iterator]) -> None:
        begun = process_time()
        made[name] = [one for _, one in zip(range(count), run(), strict=False)]
        taken[name] = (process_time() - begun) / len(made[name]) * 1000

    stage("visible", lambda: open_source(str(paths[0])).frames())
    stage("infrared", lambda: open_source(str(paths[1]), gray=True).frames())
    stage("thermal", lambda: steady(made["infrared"], Following()))
    warm = [torch.from_numpy(one.gray)[None, None] for one in made["thermal"]]
    stage("images", lambda: map(image_of, made["visible"]))
    stage("fuse", lambda: map(fuser, made["images"], warm))
    moments = [
        Moment(visible=a, infrared=b, fused=(c,)) for a, b, c in zip(made["images"], warm, made["fuse"], strict=True)
    ]
    stage("steady", lambda: stabilise(moments))
    stage("bytes", lambda: (_bytes(one) for (one,) in made["steady"]))
    stage("encode", lambda: iter([encode(folder, made["bytes"])]))
    return {
        "decode": taken["visible"] + taken["infrared"], "thermal": taken["thermal"],
        "fuse": taken["images"] + taken["fuse"] + taken["bytes"], "steady": taken["steady"],
        "encode": taken["encode"] / len(made["bytes"]),
    }  # fmt: skip


def encode(folder: Path, pictures: list) -> None:
    with Writer(folder / "alone.mp4", rate=RATE, size=pictures[0].shape[:2]) as writer:
        for n, picture in enumerate(pictures):
            writer.write(picture, n / RATE)


# ----------------------------------------------------------------------------------------- flicker


@torch.inference_mode()
def flickers(folder: Path, method: str) -> Iterator[dict[str, object]]:
    """A sequence as it is fused, and steadied."""
    fuser = creation.fuser(method)
    pairs = [
        io.read_pair(path, next((folder / "ir").glob(f"{path.stem}.*"))) for path in sorted((folder / "vi").iterdir())
    ]
    visible, infrared = [pair.visible for pair in pairs], [pair.infrared for pair in pairs]
    fused = [fuser(*both) for both in zip(visible, infrared, strict=True)]
    moments = (
        Moment(visible=a, infrared=b, fused=(c,)) for a, b, c in zip(visible, infrared, fused, strict=True)
    )  # fmt: skip
    for kind, film in (("as fused", fused), ("steady", [one for (one,) in stabilise(moments)])):
        gains = {
            "temporal gain": temporal_gain(film, visible, infrared).gain,
            "warped difference": warped_difference(film, visible, infrared).gain,
        }
        yield {"sequence": folder.name, "method": method, "": kind, **gains}


# -------------------------------------------------------------------------------------------- sync


def synced(scenes: int = 40) -> Iterator[dict[str, object]]:
    """Offsets of one scene, and of two different ones."""
    for rate in (30, 9, 3):
        found = [
            (offset_of(motion_of(moving(n, 30, 0.0, False)), motion_of(moving(n, rate, true, True))), true)
            for n in range(scenes)
            for true in [0.37 * (n % 17) - 3]
        ]
        errors = [abs(one.seconds - true) for one, true in found if one.sure]
        yield {
            "scenes": "the same", "thermal fps": rate, "pairs": scenes, "believed": len(errors),
            "median error": median(errors or [float("nan")]), "largest error": max(errors, default=float("nan")),
        }  # fmt: skip
    others = [
        offset_of(motion_of(moving(n, 30, 0.0, False)), motion_of(moving(n + 1000, 9, 0.0, True)))
        for n in range(scenes)
    ]
    yield {"scenes": "different", "thermal fps": 9, "pairs": scenes, "believed": sum(one.sure for one in others)}


def moving(seed: int, rate: int, begin: float, warm: bool, seconds: int = 20) -> Iterator[Frame]:
    """Three things that speed up and slow down, as one of the two cameras sees them."""
    noise, random = np.random.default_rng((seed, warm)), np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :128]
    things = [(np.exp(random.uniform(np.log(0.2), np.log(5), 8)), random.uniform(0, 10, 8)) for _ in range(3)]
    still = 90 + 10 * np.sin(rows / 20) if warm else 60 + 40 * np.sin(columns / 9) + 20 * np.cos(rows / 7)
    for n in range(seconds * rate):
        time, picture = begin + n / rate, still
        for k, (speeds, phases) in enumerate(things):
            at = 64 + 20 * float(np.sum(np.sin(time * speeds + phases) / speeds))
            inside = (columns - at) ** 2 + (rows - 38 - 10 * k) ** 2 < (5 + 3 * k) ** 2
            picture = np.where(inside, 200 if warm else 30 + 60 * k, picture)
        samples = np.clip(picture + noise.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        yield Frame(time=Fraction(n, rate), samples=samples)


if __name__ == "__main__":
    main()
