"""The verb for two streams as they come: live."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from ..errors import IrvisError
from ..loopback import HOME
from ..options import AlignOptions, ComputeOptions, InfraredOptions
from ..options.infrared import refuse_idle
from .common import FUSE, WITH_PASSWORD, LoginFile, LoginText, app, console, errors
from .terms import loaded

if TYPE_CHECKING:
    from ..access import Auth
    from ..live import Session, Wanted
    from ..video.range_following import Following

_FORMAT = 'Of a camera: "y16,640x512,9"; FFmpeg\'s own options too, "rtsp_transport=udp".'
_UNOFFERED = Parameter(show=False)
_RECORDING, _STREAMS = Group("Recording", sort_key=2), Group("Streams", sort_key=3)


@dataclass(frozen=True, kw_only=True)
class _ComputeOptions(ComputeOptions):
    """The same; what is for files is not offered, and refused by its name."""

    memory: Annotated[str | None, _UNOFFERED] = None
    batch: Annotated[int | None, _UNOFFERED] = None
    workers: Annotated[int | None, _UNOFFERED] = None
    ray: Annotated[list[str] | None, Parameter(show=False, consume_multiple=True, negative="")] = None


@dataclass(frozen=True, kw_only=True)
class _InfraredOptions(InfraredOptions):
    """The same for streams."""

    frame: Annotated[int | None, _UNOFFERED] = None


@dataclass(frozen=True, kw_only=True)
class _AlignOptions(AlignOptions):
    """The same for streams."""

    align_flow: Annotated[bool, Parameter(negative="", show=False)] = False


@app.command(group=FUSE, sort_key=5)
def live(
    visible: Annotated[str, Parameter(help="A camera (0, /dev/video0), an address (rtsp://…, http://…), or a file.")],
    infrared: Annotated[str, Parameter(help="The infrared counterpart.")],
    *,
    method: Annotated[str, Parameter(name=["--method", "-m"], help="NAME[:WEIGHTS][:option=value…].")] = "encdec:tiny",
    page: Annotated[
        str | None, Parameter(help="[HOST:]PORT of the page. Default: 127.0.0.1:8080, or the next free port.")
    ] = None,
    auth: LoginText = None,
    auth_file: LoginFile = None,
    window: Annotated[bool, Parameter(negative="", help="Show a window instead of the page.")] = False,
    seconds: Annotated[float | None, Parameter(help="Stop after this many seconds. Default: at Ctrl-C.")] = None,
    palette: Annotated[
        Literal["ironbow", "whitehot", "blackhot", "rainbow", "dusk"] | None,
        Parameter(help="Colours by the gray of infrared, brightness from the fused picture."),
    ] = None,
    range_seconds: Annotated[float, Parameter(help="Time constant of the percentile range, in seconds.")] = 10.0,
    level_infrared: Annotated[
        bool, Parameter(negative="", help="Reverse the camera's automatic gain in 8-bit infrared.")
    ] = False,
    steady: Annotated[bool, Parameter(help="Suppress flicker where nothing moves.")] = True,
    visible_format: Annotated[str | None, Parameter(group=_STREAMS, help=_FORMAT)] = None,
    infrared_format: Annotated[str | None, Parameter(group=_STREAMS, help="The same for infrared.")] = None,
    offset: Annotated[
        float, Parameter(group=_STREAMS, help="Seconds added to the time of infrared; positive if it is early.")
    ] = 0.0,
    hold: Annotated[
        float, Parameter(group=_STREAMS, help="Seconds to show the last frame of a stream that stopped.")
    ] = 3.0,
    timeout: Annotated[
        float, Parameter(group=_STREAMS, help="Seconds without data after which a stream is reopened.")
    ] = 5.0,
    wait: Annotated[
        bool, Parameter(group=_STREAMS, negative="", help="Wait for sources that are missing at the start.")
    ] = False,
    loop: Annotated[bool, Parameter(group=_STREAMS, negative="", help="Play files repeatedly.")] = False,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], group=_RECORDING, help="Record the fused stream: .mkv or .mp4.")
    ] = None,
    record_raw: Annotated[
        Path | None, Parameter(group=_RECORDING, help="Folder to record both input streams in; infrared is lossless.")
    ] = None,
    codec: Annotated[
        str | None, Parameter(group=_RECORDING, help="Codec of --out: h264, hevc, vp9, av1, ffv1.")
    ] = None,
    crf: Annotated[
        float | None, Parameter(group=_RECORDING, help="Quality of --out; lower is better and larger.")
    ] = None,
    if_exists: Annotated[Literal["error", "overwrite"], Parameter(group=_RECORDING)] = "error",
    reading: Annotated[_InfraredOptions, Parameter(name="*")] = _InfraredOptions(),
    align: Annotated[_AlignOptions, Parameter(name="*")] = _AlignOptions(),
    compute: Annotated[_ComputeOptions, Parameter(name="*")] = _ComputeOptions(),
) -> None:
    """Fuse two streams as they come, and look on in a browser.

    irvis live visible.mp4 thermal.mp4 --loop
    irvis live 0 2 --visible-format mjpeg,1280x720,30 --infrared-format y16,640x512 --rig rig.json
    irvis live rtsp://camera/visible rtsp://camera/thermal --page 0.0.0.0:8080 -o fused.mkv

    Always the newest picture of each side is fused; what comes faster than it can be fused is dropped. A stream that
    stops is opened again. Files are played at their own speed.
    """
    from ..access import auth_of
    from ..live import Session, Wanted, place_of
    from ..live.server import parse_page

    _refuse(hold, timeout, offset, seconds, compute, window, page)
    where, login = None if page is None else parse_page(page), auth_of(auth, auth_file)
    wanted = Wanted(
        visible=place_of(visible, visible_format), infrared=place_of(infrared, infrared_format), method=method,
        following=_following(range_seconds, level_infrared, reading, align), color=reading.infrared_color,
        laying=align.laying(reading), resize=reading.resize_infrared, palette=palette,
        steady=steady, offset=offset, hold=hold, timeout=timeout, loop=loop, wait=wait, out=out, codec=codec, crf=crf,
        raw=record_raw,
    )  # fmt: skip
    _refuse_files(wanted, if_exists)
    fuser = loaded([method], compute)[method]
    session = Session(wanted, fuser, device=compute.device, tell=errors.print)
    _run(session, where, window, seconds, login)


def _following(seconds: float, level: bool, reading: InfraredOptions, align: AlignOptions) -> "Following":
    from ..video.range_following import Following

    if not seconds >= 0:
        raise IrvisError(f"--range-seconds is 0 or more, not {seconds:g}")
    if align.align_flow:
        raise IrvisError("--align-flow bends each picture by itself: a stream is aligned once. Leave it out")
    if reading.decoder is not None:
        raise IrvisError("--decoder is for pictures, not for streams")
    if reading.frame:
        raise IrvisError("--frame is for single pictures: a stream is shown as a whole")
    how = reading.sensing(rig=align.rig is not None)
    refuse_idle(how, reading.range)
    return Following(range=reading.range, seconds=seconds, level=level, sensing=how)


def _refuse(
    hold: float, timeout: float, offset: float, seconds: float | None, compute: ComputeOptions, window: bool,
    page: str | None,
) -> None:  # fmt: skip
    """What means nothing."""
    if idle := [name for name in ("batch", "workers", "memory", "ray") if getattr(compute, name) is not None]:
        raise IrvisError(f"--{idle[0]} is for files: live fuses one pair after another, on this machine")
    for name, number in (("hold", hold), ("timeout", timeout), ("seconds", seconds)):
        if number is not None and not number > 0:
            raise IrvisError(f"--{name} is more than 0, not {number:g}")
    if not abs(offset) <= 10:
        raise IrvisError(f"--offset is 10 s at most, not {offset:g}: that many pictures are held in memory")
    if window and page is not None:
        raise IrvisError("--window and --page exclude each other")


def _refuse_files(wanted: "Wanted", if_exists: str) -> None:
    from ..video.codecs import codec_of, options_of

    if wanted.out is not None:
        options_of(codec_of(wanted.out, wanted.codec), wanted.crf)
    elif wanted.codec is not None or wanted.crf is not None:
        raise IrvisError("--codec and --crf are of --out, which is not given")
    raw = [] if wanted.raw is None else [wanted.raw / "visible.mkv", wanted.raw / "infrared.mkv"]
    inputs = [Path(place.address).resolve() for place in (wanted.visible, wanted.infrared) if place.kind == "file"]
    for path in [*raw, *([wanted.out] if wanted.out is not None else [])]:
        if path.resolve() in inputs:
            raise IrvisError(f"{path} is an input and would be overwritten")
        if path.exists() and if_exists == "error":
            raise IrvisError(f"{path} exists; use --if-exists overwrite")


def _run(
    session: "Session", where: tuple[str, int] | None, window: bool, seconds: float | None, login: "Auth | None"
) -> None:  # fmt: skip
    """Until it ends by itself, after so many seconds, or by Ctrl-C; then all is told."""
    from ..live import server, summary
    from ..live import window as windows

    shown = windows.open_window("irvis live") if window else None
    host, port = where or (HOME, None)
    page = None if window else server.serving(session, host, port, login)
    try:
        session.start()
        if page is not None:
            page.start()
            console.print(f"open {page.address} in a browser; stop with Ctrl-C")
            if not page.local and login is None:
                errors.print(f"warning: other machines can see this page, and it asks for no password: {WITH_PASSWORD}")
        if shown is not None:
            windows.show(session, shown, seconds)
        else:
            _follow(session, seconds)
    except KeyboardInterrupt:
        errors.print("stopping")
    finally:
        session.stop()
        if page is not None:
            page.close()
    for line in summary.lines(session):
        console.print(line)
    _fail(session)


def _follow(session: "Session", seconds: float | None) -> None:
    """Wait; on a terminal, with a line that tells how it goes."""
    from time import monotonic

    from ..live import summary

    until = None if seconds is None else monotonic() + seconds
    with errors.status("starting") as status:
        while until is None or monotonic() < until:
            step = 1.0 if until is None else max(0.0, min(1.0, until - monotonic()))
            if session.wait(step):
                return
            status.update(summary.line(session))


def _fail(session: "Session") -> None:
    """What went wrong ends with an error."""
    if session.problem:
        raise IrvisError(session.problem)
    failed = [recorder for recorder in session.recorders.values() if recorder.problem]
    if failed:
        raise IrvisError(f"{len(failed)} of {len(session.recorders)} recordings failed")
