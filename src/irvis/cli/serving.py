"""The verb that serves the web page: app."""

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from .common import FUSE, WITH_PASSWORD, Device, LoginFile, LoginText, app, console, errors


@app.command(name="app", group=FUSE, sort_key=6)
def serve(
    *,
    host: Annotated[str, Parameter(help="Where it listens; 0.0.0.0 for other machines, too.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="0: any that is free.")] = 7860,
    auth: LoginText = None,
    auth_file: LoginFile = None,
    max_upload: Annotated[str, Parameter(help="Of one file.")] = "200MB",
    max_pixels: Annotated[int, Parameter(help="Of one picture, in millions.")] = 40,
    queue: Annotated[int, Parameter(help="Fusions that may wait; more are refused.")] = 16,
    minutes: Annotated[float, Parameter(help="A visitor's files are removed so long after their last use.")] = 30.0,
    open_browser: Annotated[bool, Parameter(name="--open", negative="", help="Open it in the browser.")] = False,
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
