"""The page: what is sent and chosen on the left, the result on the right; on a phone one below the other."""

from importlib import resources
from typing import Any

import gradio as gr
from gradio.events import api

from . import rest, wiring
from .actions import Actions
from .controls import Controls, controls

HEADING = "<h1>irvis</h1><p>Infrared and visible, fused into one picture.</p>"
EMPTY = '<div class="empty"><p>Drop a visible and an infrared picture here, or try an example.</p></div>'
AROUND = """
gradio-app .fillable { max-width: 1560px !important; margin: 0 auto; }
@media (max-width: 640px) { gradio-app .fillable { padding: 14px !important; } }
"""
"""Style of what lies around the page; Gradio keeps all other style inside."""
QUIET = {
    "body_text_color_subdued": "*neutral_600", "block_info_text_color": "*neutral_600",
    "block_title_text_color": "*neutral_600", "block_label_text_color": "*neutral_600",
    "input_placeholder_color": "*neutral_500", "body_text_color_subdued_dark": "*neutral_300",
    "block_info_text_color_dark": "*neutral_300", "input_placeholder_color_dark": "*neutral_400",
}  # fmt: skip
"""Hints are read on white with a contrast of 4.5 or more; Gradio's own colour has 2.6."""


def build(actions: Actions) -> gr.Blocks:
    """The page of a server."""
    with gr.Blocks(title="irvis", analytics_enabled=False, fill_width=True) as page:
        api(rest.endpoint(actions), api_name="fuse", concurrency_id=wiring.GROUP, concurrency_limit=1)
        gr.HTML(HEADING, elem_id="heading")
        with gr.Row(elem_id="page"):
            with gr.Column(scale=1, min_width=320, elem_id="asked"):
                asked = controls()
            with gr.Column(scale=3, min_width=320, elem_id="given"):
                given = _given()
        wiring.wire(actions, asked, given)
        page.unload(wiring.leave(actions))
    page.queue(max_size=actions.settings.queue, default_concurrency_limit=1, api_open=False)
    return page


def style() -> str:
    """Of the page."""
    return resources.files(__package__).joinpath("page.css").read_text()


def head() -> str:
    """The viewer's element and what the upload fields lack, and nothing from elsewhere."""
    here = resources.files(__package__)
    script = here.joinpath("viewer.js").read_text().replace("/*STYLE*/", here.joinpath("viewer.css").read_text())
    fields = here.joinpath("page.js").read_text()
    return f"<script>{script}</script><script>{fields}</script><style>{AROUND}</style>"


def theme() -> Any:
    """Calm, with fonts of the visitor's own system."""
    fonts = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")
    base = gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=mono)
    return base.set(block_border_width="1px", block_shadow="none", block_label_background_fill="transparent", **QUIET)


def _given() -> Controls:
    """What the result fills, by name."""
    given: Controls = {}
    given["pair"] = gr.Dropdown(label="Pair", visible=False, elem_id="pair")
    given["viewer"] = gr.HTML(EMPTY, elem_id="viewer")
    with gr.Row(elem_id="said"):
        given["message"] = gr.HTML(elem_id="message")
        given["align"] = gr.Button("Align and fuse", visible=False, elem_id="align", scale=0, min_width=180)
        given["swap"] = gr.Button("Swap and fuse", visible=False, elem_id="swap", scale=0, min_width=180)
    given["downloads"] = gr.HTML(elem_id="downloads")
    with gr.Accordion("What came from which camera", open=True, visible=False, elem_id="explained") as told:
        given["explained"] = gr.HTML()
    given["explains"] = told
    with gr.Accordion("Metrics", open=True, visible=False, elem_id="metrics") as given["judged"]:
        given["metrics"] = gr.HTML()
        given["measure"] = gr.Button("Measure", visible=False, size="sm")
    with gr.Accordion("The same on the command line", open=False, visible=False) as given["typed"]:
        given["command"] = gr.HTML(elem_id="command")
    given["kept"] = gr.State()
    return given
