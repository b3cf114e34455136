"""The web page over HTTP: the endpoint for programs, limits, and what a stranger tries."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest

from browser import kelvin, pair, served, typed

pytest.importorskip("gradio_client", reason="the page needs the extra: pip install 'irvis[app]'")

API = "/gradio_api"
PAGE = Path(__file__).parents[1] / "docs" / "learn" / "app.md"


@pytest.fixture(scope="module")
def server():
    with served(max_upload=2_000_000, max_pixels=1_000_000) as one:
        yield one


@pytest.fixture
def site(server):
    with httpx.Client(base_url=server.address, timeout=60) as client:
        yield client


def upload(site, *paths):
    sent = site.post(f"{API}/upload", files=[("files", (path.name, path.read_bytes())) for path in paths])
    assert sent.status_code == 200
    return [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in sent.json()]


def asked(site, **said):
    """What the endpoint answers: the event and its data."""
    begun = site.post(f"{API}/call/v2/fuse", json=said)
    if begun.status_code != 200:
        return str(begun.status_code), begun.text
    answer = site.get(f"{API}/call/fuse/{begun.json()['event_id']}").text
    [(event, data)] = re.findall(r"event: (complete|error)\ndata: (.*)", answer)
    return event, json.loads(data)


def fused(site, *paths, **said):
    files = dict(zip(("visible", "infrared"), upload(site, *paths), strict=False))
    return asked(site, **files, **said)


def files_of(server):
    return [path for path in server.rooms.root.rglob("*") if path.is_file()]


# ------------------------------------------------------------------------------------------- for programs


def test_a_program_gets_the_file_that_the_command_line_writes(server, tmp_path, monkeypatch):
    from gradio_client import Client, handle_file

    client = Client(server.address, verbose=False, download_files=tmp_path / "got", analytics_enabled=False)
    visible, infrared = kelvin(tmp_path)
    choices = {"palette": "ironbow", "kelvin_per_count": 0.01}
    path, facts = client.predict(handle_file(visible), handle_file(infrared), "average", choices, api_name="/fuse")
    for file, side in ((visible, "visible"), (infrared, "infrared")):
        (tmp_path / "typed" / side).mkdir(parents=True)
        file.rename(tmp_path / "typed" / side / file.name)
    typed(facts["command"][0], tmp_path / "typed", monkeypatch)
    assert Path(path).read_bytes() == (tmp_path / "typed" / Path(path).name).read_bytes()
    client.close()


def test_the_endpoint_tells_metrics_seconds_and_what_is_wrong(site, tmp_path):
    event, (file, facts) = fused(site, *pair(tmp_path), method="average", metrics=True)
    assert event == "complete"
    assert facts["metrics"]["average"]["EN"] > 0
    assert facts["seconds"]["average"] > 0
    assert site.get(f"{API}/file={file['path']}").content.startswith(b"\x89PNG")
    event, problem = fused(site, pair(tmp_path)[0])
    assert event == "error"
    assert (
        problem["error"] == "visible.png is one picture: add the other, or give a thermal camera's own file or a ZIP."
    )


@pytest.mark.skipif(not PAGE.is_file(), reason="the page of the documents is not here")
def test_the_program_of_the_documents_runs(server, tmp_path, monkeypatch):
    pair(tmp_path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block.replace("http://127.0.0.1:7860", server.address), {})


@pytest.mark.skipif(not PAGE.is_file(), reason="the page of the documents is not here")
def test_the_shell_commands_of_the_documents_run(server, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    pair(tmp_path)
    [block] = [text for text in re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL) if "curl" in text]
    words = f"set -euo pipefail\n{block.replace('http://127.0.0.1:7860', server.address)}"
    done = subprocess.run(["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fused.png").read_bytes().startswith(b"\x89PNG")


# ---------------------------------------------------------------------------------------------- strangers


def stolen(server, tmp_path):
    """Paths of files that are there, but none of a visitor's."""
    visible, _ = pair(tmp_path)
    return [str(visible), "/etc/passwd", f"{server.rooms.root}/../../etc/passwd", "../../etc/passwd", "a\0b", 7, ["a"]]


@pytest.mark.parametrize("by", ["guard", "gradio and irvis"])
def test_files_that_were_not_uploaded_are_not_read(by, site, server, tmp_path, monkeypatch):
    """By each of two walls alone."""
    from irvis.app.guard import Guard

    if by != "guard":
        monkeypatch.setattr(Guard, "_visitors_alone", lambda *_: True)
    [mine] = upload(site, pair(tmp_path)[1])
    for path in stolen(server, tmp_path):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for said in ({"visible": file, "infrared": mine}, {"visible": file}, {"visible": mine, "choices": {"x": file}}):
            count = len(files_of(server))
            event, answer = asked(site, **said, method="average")
            assert event in ("403", "error"), (path, answer)
            assert "root:" not in str(answer)
            assert len(files_of(server)) == count


def test_files_that_were_not_uploaded_are_not_read_by_the_page_itself(site, server, tmp_path, monkeypatch):
    from irvis.app.guard import Guard

    monkeypatch.setattr(Guard, "_visitors_alone", lambda *_: True)
    config = site.get("/config").json()
    events = [one for one in config["dependencies"] if len(one["inputs"]) > 10]
    assert events
    for path in stolen(server, tmp_path):
        data = [None] * len(events[0]["inputs"])
        data[:2] = [{"path": path, "meta": {"_type": "gradio.FileData"}}] * 2
        said = {"data": data, "fn_index": events[0]["id"], "session_hash": "thief"}
        count = len(files_of(server))
        if site.post(f"{API}/queue/join", json=said).status_code == 200:
            with site.stream("GET", f"{API}/queue/data", params={"session_hash": "thief"}) as answer:
                text = next(line for line in answer.iter_lines() if "process_completed" in line)
            assert '"success":false' in text or "not uploaded here" in text
        assert len(files_of(server)) == count


def test_nothing_is_fetched_from_elsewhere_for_a_visitor(site, server, tmp_path):
    hits = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET

    other = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{other.server_port}/x.png"
    [mine] = upload(site, pair(tmp_path)[0])
    meta = {"_type": "gradio.FileData"}
    for file in ({"path": address, "meta": meta}, {"path": "x.png", "url": address, "meta": meta}, {"url": address}):
        event, _ = asked(site, visible=file, infrared=mine, method="average")
        assert event != "complete"
    assert site.get(f"{API}/file={address}").status_code == 403
    assert site.get(f"{API}/proxy={address}").status_code == 404
    other.shutdown()
    assert hits == []


ELSEWHERE = ("/etc/passwd", "../../../etc/passwd", "//etc/passwd", "/proc/self/environ")
BELOW = ("{root}/../../etc/passwd", "{root}/%2e%2e/%2e%2e/etc/passwd", "{root}/sneaky")


@pytest.mark.parametrize("path", [*ELSEWHERE, *BELOW])
def test_files_of_the_server_are_not_served(path, site, server):
    sneaky = server.rooms.root / "sneaky"
    sneaky.unlink(missing_ok=True)
    sneaky.symlink_to("/etc/passwd")
    answer = site.get(f"{API}/file={path.format(root=server.rooms.root)}")
    sneaky.unlink()
    assert answer.status_code in (403, 404)
    assert "root:" not in answer.text


def test_names_of_uploads_do_not_lead_out_of_their_folder(site, server, tmp_path):
    before = set(tmp_path.parent.rglob("*"))
    for name in ("../../evil.png", "..", "/tmp/evil.png", "a/b/../../../evil.png", "x" * 400 + ".png"):
        answer = site.post(f"{API}/upload", files={"files": (name, b"abc")})
        if answer.status_code == 200:
            assert Path(answer.json()[0]).resolve().is_relative_to(server.rooms.root)
    assert set(tmp_path.parent.rglob("*")) == before
    assert not Path("/tmp/evil.png").exists()


def test_uploads_over_the_limit_are_refused_and_leave_nothing(site, server):
    count = len(files_of(server))
    assert site.post(f"{API}/upload", files={"files": ("a.png", bytes(5_000_000))}).status_code == 413
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    chunks = (body if n == 0 else bytes(100_000) for n in range(60))  # without saying how long it is
    try:
        kind = {"content-type": "multipart/form-data; boundary=x"}
        assert site.post(f"{API}/upload", content=chunks, headers=kind).status_code in (400, 413, 500)
    except httpx.HTTPError:
        pass  # it hung up before all was sent
    big = json.dumps({"method": "a" * 1_500_000})
    assert (
        site.post(f"{API}/call/v2/fuse", content=big, headers={"content-type": "application/json"}).status_code == 413
    )
    assert len(files_of(server)) <= count + 1
    assert site.get("/config").status_code == 200


def test_huge_heads_of_requests_are_refused(site):
    assert site.get("/config", headers={"x-long": "a" * 100_000}).status_code in (400, 431)
    assert site.get("/config").status_code == 200


def test_requests_that_make_no_sense_do_not_stop_the_server(site):
    for said in ({}, {"visible": 1}, {"visible": {"path": 7}}, {"visible": {}, "method": ["a"]}, {"nonsense": 1}):
        try:
            event, _ = asked(site, **said)
        except ValueError:  # no event at all
            event = "error"
        assert event != "complete"
    for path in ("queue/join", "call/v2/fuse", "upload", "call/fuse"):
        with suppress(httpx.ReadError):  # refused, and the line cut, before all of it was sent
            assert site.post(f"{API}/{path}", content=b"\xff\0{{{").status_code >= 400
    assert (
        site.post(f"{API}/queue/join", json={"fn_index": 99999, "data": [], "session_hash": "../x"}).status_code >= 400
    )
    assert site.get("/config").status_code == 200


def test_pages_of_other_sites_cannot_look_in(site):
    assert site.get("/", headers={"host": "evil.example"}).status_code == 403
    answer = site.get("/config", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    answer = site.get("/")
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_gradio_has_beside_the_page_is_closed(site):
    for path in (
        "/monitoring",
        f"{API}/deep_link",
        f"{API}/vibe-code",
        f"{API}/run-history/buckets",
        "/docs",
        "/openapi.json",
    ):
        assert site.get(path).status_code == 404
    for path in (f"{API}/run/fuse", f"{API}/component_server", f"{API}/vibe-edit", f"{API}/process_recording"):
        assert site.post(path, json={}).status_code == 404


def test_a_password_stands_before_everything(tmp_path):
    with served(auth=("me", "secret")) as server, httpx.Client(base_url=server.address) as site:
        assert site.get("/config").status_code == 401
        assert site.post(f"{API}/upload", files={"files": ("a.png", b"abc")}).status_code == 401
        assert site.post(f"{API}/call/v2/fuse", json={}).status_code == 401
        assert site.post("/login", data={"username": "me", "password": "wrong"}).status_code == 400
        assert site.post("/login", data={"username": "me", "password": "secret"}).status_code == 200
        assert site.get("/config").status_code == 200
        for _ in range(4):
            assert site.post("/login", data={"username": "me", "password": "wrong"}).status_code == 400
        assert site.post("/login", data={"username": "me", "password": "secret"}).status_code == 429


def test_connections_that_say_nothing_shut_nobody_out(server, site, monkeypatch):
    from irvis.app import connections

    monkeypatch.setattr(connections, "MOST", 20)
    address = urlsplit(server.address)
    silent = [socket.create_connection((address.hostname, address.port)) for _ in range(60)]
    silent[-1].sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert site.get("/config").status_code == 200
    assert silent[0].recv(1) == b""
    for one in silent:
        one.close()


@pytest.mark.parametrize(
    "choices", ["x", [1], {"method": {}}, {"palette": {"a": 1}}, {"compare": "x"}, {"hottest": []}]
)
def test_choices_that_are_none_are_one_line_for_programs(choices, site, tmp_path):
    event, said = fused(site, *pair(tmp_path), choices=choices)
    assert event == "error" or choices == {"hottest": []}
    assert "Traceback" not in str(said)


# ------------------------------------------------------------------------------------------------ the verb


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_verb_serves_until_it_is_interrupted_and_leaves_nothing(by, tmp_path, monkeypatch, capsys):
    from irvis import cli
    from irvis.cli import serving

    lines, found = [], []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(serving.console, "print", lines.append)

    def visit():
        while not lines:
            time.sleep(0.02)
        try:
            [address] = re.findall(r"open (http://127\.0\.0\.1:\d+) in a browser", lines[0])
            found.extend([httpx.get(f"{address}/config", timeout=60).json()["title"], *tmp_path.glob("irvis-app-*")])
        finally:
            os.kill(os.getpid(), by)

    threading.Thread(target=visit, daemon=True).start()
    with pytest.raises(SystemExit) as over:
        cli.main(["app", "--port", "0"])
    assert over.value.code == 0
    assert found[0] == "irvis"
    assert len(found) == 2
    assert not list(tmp_path.glob("irvis-app-*"))
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("words", "warned"), [([], True), (["--auth", "me:secret"], False)])
def test_a_page_for_other_machines_without_a_password_is_warned_of(words, warned, monkeypatch, capsys):
    from irvis import cli
    from irvis.app import server

    @contextmanager
    def none(settings):
        assert settings.outside
        yield SimpleNamespace(address="http://0.0.0.0:1", run=lambda: None)

    monkeypatch.setattr(server, "serving", none)
    with pytest.raises(SystemExit):
        cli.main(["app", "--host", "0.0.0.0", *words])
    assert ("asks for no password" in capsys.readouterr().err) == warned


def test_without_the_extra_the_verb_names_it(monkeypatch, capsys):
    from irvis import cli

    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(SystemExit) as over:
        cli.main(["app", "--port", "0"])
    assert over.value.code == 1
    assert "pip install 'irvis[app]'" in capsys.readouterr().err


def test_nothing_heavy_is_imported_before_the_verb_runs():
    code = "import sys, irvis.cli; print({'gradio', 'torch', 'fastapi', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --------------------------------------------------------------------------------------------- many at once


def test_two_programs_at_once_get_their_own_results(server, tmp_path):
    def one(seed):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with httpx.Client(base_url=server.address, timeout=60) as site:
            _, (file, _) = fused(site, *pair(folder, seed), method="visible")
            return (folder / "visible.png").read_bytes(), site.get(f"{API}/file={file['path']}").content

    from io import BytesIO

    from PIL import Image, ImageChops

    with ThreadPoolExecutor(4) as pool:
        for sent, got in pool.map(one, (3, 4, 5, 6)):
            pictures = [Image.open(BytesIO(data)).convert("RGB") for data in (sent, got)]
            assert ImageChops.difference(*pictures).getbbox() is None


def test_more_than_may_wait_are_refused(tmp_path, monkeypatch):
    from irvis.app.actions import Actions

    go = threading.Event()
    run = Actions.run
    monkeypatch.setattr(Actions, "run", lambda *given: (go.wait(30), run(*given))[1])
    with served(queue=2) as server, httpx.Client(base_url=server.address, timeout=60) as site:
        files = dict(zip(("visible", "infrared"), upload(site, *pair(tmp_path)), strict=True))
        answers = []
        for _ in range(5):
            answers.append(site.post(f"{API}/call/v2/fuse", json={**files, "method": "average"}))
            time.sleep(0.3)
        codes = [answer.status_code for answer in answers]
        go.set()
        assert codes[:3] == [200, 200, 200]
        assert codes[4] == 503
        assert "full" in answers[4].text
        for answer in answers[:3]:
            assert "complete" in site.get(f"{API}/call/fuse/{answer.json()['event_id']}").text


def test_many_requests_leave_memory_and_files_as_they_are(site, server, tmp_path):
    files = dict(zip(("visible", "infrared"), upload(site, *pair(tmp_path, 3, (24, 32))), strict=True))

    def several(count):
        for number in range(count):
            event, _ = asked(site, **files, method="average" if number % 4 else "no-method")
            assert event == ("complete" if number % 4 else "error")

    several(70)
    before, count = rss(), len(files_of(server))
    several(20)
    assert rss() - before < 30e6
    assert len(files_of(server)) <= count


def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_the_port_that_is_taken_is_told(server):
    from irvis.app.server import serving
    from irvis.app.settings import Settings
    from irvis.errors import IrvisError

    port = int(server.address.rsplit(":", 1)[1])
    with pytest.raises(IrvisError, match="choose another --port"), serving(Settings(port=port)):
        pass


def test_the_server_speaks_with_nobody_else_and_takes_the_files_of_all_visitors_with_it(tmp_path, monkeypatch):
    asked_for = []
    connect = socket.socket.connect

    def noted(self, address):
        asked_for.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    with served() as server, httpx.Client(base_url=server.address, timeout=60) as site:
        assert site.get("/").status_code == 200
        fused(site, *pair(tmp_path), method="average")
        root = server.rooms.root
        assert files_of(server)
    assert not root.exists()
    assert {address[0] for address in asked_for if isinstance(address, tuple)} <= {"127.0.0.1"}
