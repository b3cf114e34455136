"""Options that say what fused pictures have to serve: a detector, a segmenter, a reader."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from ..evaluate.tasks.running import Tasks

_TASKS = Group("Tasks", sort_key=5)


@Parameter(group=_TASKS)
@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Networks of the user's, and what is there to be found."""

    detect: Annotated[
        Path | None,
        Parameter(help="An ONNX detector (YOLO, RT-DETR, SSD …) to run on every picture; tracks with --sequence."),
    ] = None
    labels: Annotated[
        Path | None,
        Parameter(help="Boxes for it: a folder of YOLO .txt or VOC .xml, or a COCO .json. Without: agreement only."),
    ] = None
    detector: Annotated[
        str, Parameter(help="What is not recognised: layout=yolox,colour=bgr,white=255,fit=corner,classes=FILE.")
    ] = ""
    false_alarms: Annotated[float, Parameter(help="False finds per picture at which recall is stated.")] = 1.0
    segment: Annotated[Path | None, Parameter(help="An ONNX segmenter to run on every picture; needs --masks.")] = None
    masks: Annotated[Path | None, Parameter(help="Folder of label pictures (.png) that hold numbers of classes.")] = (
        None
    )
    segmenter: Annotated[
        str, Parameter(help="How it is fed: colour=rgb,mean=imagenet (or none),white=1,size=512,classes=FILE.")
    ] = ""
    text: Annotated[
        Path | None, Parameter(help="A text recogniser of PP-OCR (.onnx) to run on every picture; needs --texts.")
    ] = None
    texts: Annotated[
        Path | None, Parameter(help="Known texts, a .csv: pair,left,top,right,bottom,text (box in pixels).")
    ] = None

    def asked(self) -> "Tasks":
        """The tasks. IrvisError where a part is missing."""
        from ..evaluate.tasks import running

        return running.asked(
            self.detect, self.labels, self.detector, self.false_alarms, self.segment, self.masks, self.segmenter,
            self.text, self.texts,
        )  # fmt: skip
