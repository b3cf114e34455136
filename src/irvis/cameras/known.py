"""What is read of which thermal camera, and what that rests on: the table of the documents is made of it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Known:
    """Files of one kind.

    A file is tried where its decoded counts equal those of another program, in every pixel. Other readers follow what
    the maker or owners of the camera published, and were run on files made for the test.
    """

    maker: str
    models: str
    file: str
    counts: bool = True
    degrees: str = "yes"
    more: str = ""
    """What else is read."""
    tried: str = ""
    """The cameras whose files were tried; empty: made files only."""


_STEP, _UNIT = "with `--kelvin-per-count`", "with `--infrared-unit celsius`"

KNOWN = (
    Known(maker="FLIR", models="such as E40 (16-bit samples inside)", file="radiometric JPEG", tried="E40"),
    Known(
        maker="FLIR", models="such as T640, AX8 (PNG inside)", file="radiometric JPEG",
        more="photo, alignment, zoom of the view", tried="T640, AX8, one unnamed 240×320 camera",
    ),
    Known(
        maker="FLIR", models="ResearchIR recordings", file="SEQ, FFF", more="time of every frame", tried="SC660 (SEQ)",
    ),
    Known(maker="FLIR", models="JPEG-LS inside; extra `thermal`", file="CSQ", more="time of every frame"),
    Known(maker="FLIR", models="Boson 640, Boson 320", file="frames 640×514, 320×258", degrees=_STEP),
    Known(maker="FLIR", models="Lepton 2, Lepton 3", file="frames 80×63, 160×122", degrees=_STEP),
    Known(maker="DJI", models="XT, XT 2", file="R-JPEG with a FLIR record", tried="XT 2"),
    Known(
        maker="DJI", models="H20T, H30T, M2EA, M3T, M4T, …", file="R-JPEG",
        degrees="with a [decoder](#a-decoder-of-yours)", tried="H20T",
    ),
    Known(maker="HIKMICRO", models="all that write an HDRI block", file="JPEG", degrees="no"),
    Known(maker="InfiRay", models="P2 Pro; Thermal Master", file="JPEG"),
    Known(maker="InfiRay", models="C200, P200; Autel EVO II 640T", file="IRG", more="photo"),
    Known(maker="InfiRay, Topdon", models="P2 Pro, TC001", file="frames 256×384", more="the camera's own picture"),
    Known(maker="Topdon", models="TC002C Duo", file="frames 512×484"),
    Known(maker="UNI-T", models="UTi260B", file="BMP", degrees="no: the bytes are stretched for contrast"),
    Known(maker="any", models="FLIR, HIKMICRO, Optris exports, …", file="temperature table (CSV)", counts=False),
    Known(maker="any", models="", file="16-bit TIFF, PNG", degrees=_STEP, tried="plain files"),
    Known(maker="any", models="such as DJI's SDK writes", file="float TIFF", degrees=_UNIT, tried="plain files"),
    Known(maker="any", models="size by `--infrared-raw 640x512`", file="16-bit counts without a header", degrees=_STEP),
)  # fmt: skip


def table() -> str:
    """The table of the documents, as Markdown."""
    head = "| maker | models | file | counts | °C | also read | tried |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    return head + "".join(
        f"| {one.maker} | {one.models} | {one.file} | {'yes' if one.counts else ''} | {one.degrees} | {one.more} "
        f"| {one.tried or 'made files only'} |\n"
        for one in KNOWN
    )
