"""What a visitor can send and choose; the names are those of `asking`."""

from typing import Any, get_args

import gradio as gr

from ..thermal.asked import Polarity
from . import choices, examples, messages
from .asking import ALIGN, METHODS, REGISTERED, SPOTS, STRETCH
from .request import Format

OTHERS = ("about", "go", "cancel", "examples")
"""Components among the controls that nothing is chosen by."""

NUMBERS = (
    (("emissivity", "Emissivity"), ("distance", "Distance, m")),
    (("reflected", "Reflected, °C"), ("kelvin_per_count", "Kelvin per count")),
)
"""Fields, two in a row, for what a thermal file says itself."""

Controls = dict[str, Any]


def controls() -> Controls:
    """All of them, laid out where this is called."""
    asked: Controls = {}
    with gr.Row(elem_id="files"):
        asked["visible"] = gr.File(label="Visible", height=92, min_width=120, elem_id="visible")
        asked["infrared"] = gr.File(label="Infrared", height=92, min_width=120, elem_id="infrared")
    hint = "Pictures or videos. A thermal camera's own file, or a ZIP of pairs: into Visible alone."
    gr.HTML(hint, elem_classes="hint")
    with gr.Row(elem_id="examples"):
        gr.HTML("Try", elem_classes="hint")
        asked["examples"] = [gr.Button(one.name, size="sm", min_width=60) for one in examples.EXAMPLES]
    asked["method"] = gr.Dropdown(choices.methods(), value=choices.DEFAULT, label="Method", elem_id="method")
    asked["about"] = gr.HTML(messages.method(choices.DEFAULT), elem_classes="hint")
    with gr.Row():
        asked["go"] = gr.Button("Fuse", variant="primary", size="lg", min_width=120, elem_id="fuse")
        asked["cancel"] = gr.Button("Cancel", size="lg", min_width=90, scale=0, visible=False, elem_id="cancel")
    with gr.Column(elem_id="more"):
        with gr.Accordion("Compare with", open=False):
            asked["compare"] = gr.CheckboxGroup(
                choices.methods(), label=f"Up to {METHODS - 1} other methods", elem_id="compare"
            )
        asked["explain"] = gr.Checkbox(label="Show what came from which camera", elem_id="explain")
        for title, options in _FOLDED.items():
            with gr.Accordion(title, open=False):
                asked |= options()
    return asked


def _alignment() -> Controls:
    kinds = [("The pair fits", REGISTERED), ("Align", ALIGN), ("Stretch infrared", STRETCH)]
    return {
        "alignment": gr.Radio(kinds, value=REGISTERED, show_label=False, elem_id="alignment"),
        "crop": gr.Checkbox(label="Crop to what both cameras saw"),
        "sync": gr.Checkbox(label="Videos: find their offset by what moves"),
    }


def _infrared() -> Controls:
    units: list[Any] = [("as the range says", ""), "celsius", ("the camera's picture", "picture")]
    return {
        "infrared_range": gr.Textbox(
            label="Range", placeholder="1%,99% · 7000,9000 · 20C,40C · equalised", elem_id="range",
            info="What becomes black and white. Empty: as the file is; 16 bits from 1% to 99%.",
        ),
        "polarity": gr.Radio(list(get_args(Polarity)), value="white-hot", label="Polarity"),
        "infrared_unit": gr.Dropdown(units, value="", label="Taken as"),
        "infrared_color": gr.Checkbox(label="Pseudo-colours: take their brightness"),
    }  # fmt: skip


def _temperatures() -> Controls:
    palettes: list[Any] = [("none", ""), *choices.palettes()]
    asked: Controls = {
        "palette": gr.Dropdown(palettes, value="", label="Palette", elem_id="palette"),
        "msx": gr.Checkbox(label="Edges of the picture on thermal colours"),
        "hottest": gr.Slider(0, SPOTS, step=1, value=0, label="Hottest spots"),
        "maps": gr.Checkbox(label="Maps: degrees C as float TIFF"),
    }
    for row in NUMBERS:
        with gr.Row():
            for name, label in row:
                asked[name] = gr.Textbox(label=label, placeholder="as in the file", min_width=100, elem_id=name)
    return asked


def _file() -> Controls:
    usual = choices.options(choices.DEFAULT)
    return {
        "options": gr.Textbox(label="Method's options", placeholder=usual, elem_id="options"),
        "format": gr.Radio(list(get_args(Format)), value="png", label="Format", elem_id="format"),
        "quality": gr.Slider(1, 100, step=1, value=95, label="Quality of jpg and webp"),
        "gray": gr.Checkbox(label="Gray"),
        "names": gr.Textbox(label="Names in a ZIP", placeholder="{id}_W {id}_T"),
    }


_FOLDED = {"Alignment": _alignment, "Infrared": _infrared, "Temperatures": _temperatures, "File": _file}
