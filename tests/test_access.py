"""Who may use a page: passwords, names, other sites."""

import socket
from base64 import b64encode

import pytest

from irvis import access
from irvis.errors import IrvisError

LOGIN = ("me", "se:cret")


def basic(text):
    return "Basic " + b64encode(text.encode()).decode()


def test_a_login_comes_from_the_words_a_file_or_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "login.txt"
    file.write_text("me:se:cret\nmore\n")
    assert access.auth_of(None, None) is None
    assert access.auth_of("me:se:cret", None) == LOGIN
    assert access.auth_of(None, file) == LOGIN
    monkeypatch.setenv(access.VARIABLE, "me:se:cret")
    assert access.auth_of(None, None) == LOGIN
    with pytest.raises(IrvisError, match="exclude each other"):
        access.auth_of("a:b", file)


@pytest.mark.parametrize("text", ["me", ":x", "me:", ""])
def test_what_is_no_login_is_refused(text, tmp_path):
    (tmp_path / "login.txt").write_text(text)
    with pytest.raises(IrvisError, match="USER:PASSWORD"):
        access.auth_of(None, tmp_path / "login.txt")


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ???", basic("me:secret"), basic("me"), "Bearer bWU6c2U6Y3JldA=="]
)
def test_only_the_right_login_is_known(header):
    assert access.knows(basic("me:se:cret"), LOGIN)
    assert not access.knows(header, LOGIN)


def test_wrong_passwords_are_slowed_down_for_the_address_that_sends_them():
    now = [0.0]
    attempts = access.Attempts(lambda: now[0])
    for _ in range(access.GUESSES):
        assert attempts.allowed("a")
        attempts.failed("a")
    assert not attempts.allowed("a")
    assert attempts.allowed("b")
    now[0] = access.PAUSE
    assert attempts.allowed("a")
    for number in range(3000):
        attempts.failed(str(number))
    assert len(attempts._failed) <= 1000


def test_a_page_without_a_password_answers_to_its_own_names_alone():
    own = socket.gethostname()
    for host in ("127.0.0.1:80", "localhost", "[::1]:80"):
        assert access.answers_to(host, "127.0.0.1", None)
    for host in ("192.168.1.2:80", own, f"{own}:80", "[fe80::1]:80", "camera.lab"):
        assert access.answers_to(host, "camera.lab", None)
    for listens in ("127.0.0.1", "0.0.0.0"):
        assert not access.answers_to("evil.example", listens, None)
        assert access.answers_to("evil.example", listens, LOGIN)


def test_only_the_page_itself_or_no_page_changes_something():
    def allowed(**headers):
        told = {"host": "127.0.0.1:80", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return access.same_site(lambda name: told.get(name, ""))

    assert allowed()
    assert allowed(origin="http://127.0.0.1:80")
    assert allowed(sec_fetch_site="same-origin", origin="https://proxy.example")
    assert not allowed(origin="http://evil.example")
    assert not allowed(origin="null")
    assert not allowed(sec_fetch_site="cross-site")
    assert not allowed(sec_fetch_site="same-site", origin="http://127.0.0.1:81")
