"""Names and messages as a page may show them: no control characters, no places of the server, no words of a shell."""

import unicodedata
from html import escape
from pathlib import Path
from urllib.parse import quote

LONGEST = 100

WORDS = {
    "--infrared-color gray (infrared_color='gray' in Python)": "Infrared → Pseudo-colours: take their brightness",
    "--infrared-range 1%,99% (infrared_range='1%,99%' in Python)": "Infrared → Range: 1%,99%",
    "type --align or, if they show the same view, --resize-infrared": (
        "press Align and fuse or, if they show the same view, choose Alignment → Stretch infrared"
    ),
    "--resize-infrared": "Alignment → Stretch infrared",
    "--infrared-range": "Infrared → Range",
    "--infrared-unit": "Infrared → Taken as",
    "--infrared-raw 640x512": "a file with a header",
    "--kelvin-per-count": "Temperatures → Kelvin per count",
    "--polarity": "Infrared → Polarity",
    "--palette": "Temperatures → Palette",
    "--hottest": "Temperatures → Hottest spots",
    "--temperature-sidecar": "Temperatures → Maps",
    "--crop-to-overlap": "Alignment → Crop",
    "--align": "Alignment → Align",
    "--emissivity": "Temperatures → Emissivity",
    '--match "{id}_W" "{id}_T"': 'File → Names in a ZIP, such as "{id}_W {id}_T"',
    "--match": "File → Names in a ZIP",
    "--quality": "File → Quality",
}
"""What the command line calls by a word, and where the page has it; longer texts stand before their parts."""


def safe(name: str) -> str:
    """A file's name without anything but letters, digits and a few signs; never empty, hidden or a path."""
    plain = unicodedata.normalize("NFC", name)
    kept = "".join(sign if sign.isalnum() or sign in "-_.+ ()" else "_" for sign in plain).strip(" .") or "file"
    if len(kept.encode()) <= LONGEST:
        return kept
    stem, dot, suffix = kept.rpartition(".")
    suffix = f"{dot}{suffix}" if dot and len(suffix) <= 8 else ""
    return (stem or kept).encode()[: LONGEST - len(suffix)].decode(errors="ignore") + suffix


def in_page_words(text: str, *folders: Path) -> str:
    """A message of the library for a visitor: files by their names, options by their place on the page."""
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), "here")
    for word, place in WORDS.items():
        text = text.replace(word, place)
    return text


def shown(text: str) -> str:
    """For HTML."""
    return escape(text, quote=True)


def address(path: Path) -> str:
    """Where a browser finds a file of the visitor, from the page."""
    return f"gradio_api/file={quote(str(path))}"
