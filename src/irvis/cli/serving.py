"""The verb that serves the web page: app."""

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from ..options.compute import Device
from .common import FUSE, WITH_PASSWORD, LoginFile, LoginText, app, console, errors


@app.command(name="app", group=FUSE, sort_key=6)
def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 admits other machines.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port; 0 is any free one.")] = 7860,
    auth: LoginText = None,
    auth_file: LoginFile = None,
    max_upload: Annotated[str, Parameter(help="Largest size of a file.")] = "200MB",
    max_pixels: Annotated[int, Parameter(help="Largest size of a picture, in megapixels.")] = 40,
    queue: Annotated[int, Parameter(help="Fusions that may wait; further ones are refused.")] = 16,
    minutes: Annotated[float, Parameter(help="Minutes without use after which a visitor's files are removed.")] = 30.0,
    open_browser: Annotated[bool, Parameter(name="--open", negative="", help="Open the page in the browser.")] = False,
    device: Device = "cpu",
) -> None:
    """Serve a web page: drop a pair, see it fused, take it away.

    irvis app
    irvis app --host 0.0.0.0 --auth-file login.txt --max-upload 50MB

    Nothing leaves the machine. Files are removed when visitors leave, and all when the page is stopped (Ctrl-C).
    """
    from ..access import auth_of
    from ..app.server import serving
    from ..app.settings import Settings
    from ..budget import parse_memory

    settings = Settings(
        host=host, port=port, auth=auth_of(auth, auth_file), max_upload=parse_memory(max_upload),
        max_pixels=max_pixels * 1_000_000, queue=queue, minutes=minutes, device=device,
    )  # fmt: skip
    if settings.outside and settings.auth is None:
        errors.print(f"warning: {host} can be reached by other machines and asks for no password: {WITH_PASSWORD}")
    with serving(settings) as server:
        console.print(f"open {server.address} in a browser; stop with Ctrl-C")
        if open_browser:
            import webbrowser

            webbrowser.open(server.address)
        with suppress(KeyboardInterrupt):
            server.run()
