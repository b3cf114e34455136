"""How a session goes and what became of it, in JSON and in words."""

from time import monotonic
from typing import Any

from .capture import Capture
from .session import Session

LATELY = 10.0
"""Seconds over which the delays that are shown are taken."""


def status(session: Session) -> dict[str, Any]:
    """All that is known, for JSON. Times in ms, rates in 1/s."""
    now = monotonic()
    return {
        "method": session.wanted.method or session.fuser.method.name,
        "running_s": round(now - session.begun, 1),
        "over": session.over,
        "fused": session.fused,
        "fps": round(session.rate.at(now), 1),
        "clients": session.clients,
        "capture_to_fused_ms": session.to_fused.told(LATELY),
        "capture_to_sent_ms": session.to_sent.told(LATELY),
        "sources": {one.name: _state(one, session, now) for one in session.captures},
        "recordings": [
            {"file": one.path.name, "frames": one.written, "dropped": one.dropped, "problem": one.problem}
            for one in session.recorders.values()
        ],
    }


def _state(capture: Capture, session: Session, now: float) -> dict[str, Any]:
    shot = capture.last
    return {
        "address": getattr(session.wanted, capture.name).shown,
        "state": capture.state,
        "problem": capture.problem if capture.state in ("lost", "failed") else "",
        "size": None if shot is None else f"{shot.frame.size[1]}×{shot.frame.size[0]}",
        "fps": round(capture.rate.at(now), 1),
        "age_s": None if shot is None else round(now - shot.taken, 2),
        "captured": capture.captured,
        "used": capture.used,
        "dropped": capture.captured - capture.used,
        "returns": capture.returns,
    }


def line(session: Session) -> str:
    """How it goes, in one line."""
    state = status(session)
    parts = [f"{state['fps']:g} fps", f"capture to fused {_times(state['capture_to_fused_ms'])}"]
    if state["clients"]:
        parts.append(f"to {state['clients']} looking {_times(state['capture_to_sent_ms'])}")
    for name, source in state["sources"].items():
        rate = f"{source['fps']:g} fps" if source["state"] == "running" else source["state"]
        parts.append(f"{name} {rate}")
    return ", ".join(parts)


def lines(session: Session) -> list[str]:
    """The whole session: its sources, its pictures, its files."""
    seconds = max(monotonic() - session.begun, 1e-6)
    told = [_source(capture, session, seconds) for capture in session.captures]
    told.append(
        f"fused     {session.fused} in {seconds:.1f} s ({session.fused / seconds:.1f}/s), capture to fused "
        f"{_times(session.to_fused.told())}"
    )
    if session.to_sent.told()["count"]:
        told[-1] += f", to the page {_times(session.to_sent.told())}"
    if session.clock.late:
        told.append(f"files     could not be decoded at their speed: the clock waited {session.clock.late:.1f} s")
    return told + [recorder.told for recorder in session.recorders.values()]


def _source(capture: Capture, session: Session, seconds: float) -> str:
    place = getattr(session.wanted, capture.name)
    back = f", came back {capture.returns}×" if capture.returns else ""
    return (
        f"{capture.name:<9} {place.shown}: captured {capture.captured} ({capture.captured / seconds:.1f}/s), "
        f"used {capture.used}, dropped {capture.captured - capture.used}{back}"
    )


def _times(told: dict[str, Any]) -> str:
    return "-" if not told["count"] else f"{told['median']:.0f} ms (95 %: {told['p95']:.0f} ms)"
