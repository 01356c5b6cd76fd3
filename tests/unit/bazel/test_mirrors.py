"""Protects the choice of mirrors: those of Debian that apt uses, and no others."""

from __future__ import annotations

import pytest

from tools.bazel.errors import LauncherError
from tools.bazel.mirrors import apt_proxies, find_mirrors


@pytest.fixture
def apt(tmp_path):
    """Writes apt's files and returns the mirrors found."""

    def found(**files: str) -> list[str]:
        (tmp_path / "sources.list.d").mkdir(exist_ok=True)
        for name, text in files.items():
            name = name.replace("_", ".")
            folder = tmp_path if name == "sources.list" else tmp_path / "sources.list.d"
            (folder / name).write_text(text)
        return find_mirrors(tmp_path)

    return found


def test_one_line_sources(apt):
    text = (
        "# deb http://commented.test/debian bookworm main\n"
        "deb-src http://source.test/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/usr/x.gpg] http://one.test/debian/ bookworm main # why\n"
        "deb http://two.test/debian bookworm-updates contrib main\n"
    )
    assert apt(sources_list=text) == ["http://one.test/debian", "http://two.test/debian"]


def test_deb822_sources(apt):
    text = (
        "Types: deb deb-src\n"
        "# http://commented.test/debian\n"
        "URIs: https://one.test/debian\n"
        "  https://two.test/debian\n"
        "Suites: trixie trixie-updates\n"
        "Components: main\n"
        "\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nSuites: sid\nComponents: main\n"
        "\n"
        "types: deb\nuris: http://three.test/debian\nsuites: stable\ncomponents: main\n"
    )
    expected = [f"{url}/debian" for url in ("https://one.test", "https://two.test")]
    assert apt(debian_sources=text) == [*expected, "http://three.test/debian"]


def test_other_archives_do_not_count(apt):
    text = (
        "deb http://security.test/debian-security bookworm-security main\n"
        "deb http://security.test/debian bookworm/updates main\n"
        "deb http://vendor.test/apt vendor main\n"
        "deb http://vendor.test/apt bookworm stable\n"
        "deb cdrom:[Debian]/ bookworm main\n"
        "deb http://debian.test/pub/debian bookworm main\n"
    )
    assert apt(sources_list=text) == ["http://debian.test/pub/debian"]


def test_files_that_apt_ignores_do_not_count(apt):
    with pytest.raises(LauncherError):
        apt(old_list_save="deb http://old.test/debian bookworm main\n")


def test_the_likely_one_comes_first_and_each_once(apt):
    text = (
        "deb http://proxy.test/repository/deb bookworm main\n"
        "deb http://one.test/debian bookworm main\n"
        "deb http://one.test/debian bookworm-updates main\n"
    )
    assert apt(sources_list=text) == [
        "http://one.test/debian",
        "http://proxy.test/repository/deb",
    ]


def test_a_list_of_mirrors_is_read(apt, tmp_path):
    mirrors = tmp_path / "mirrors"
    mirrors.write_text("# ours\nhttp://one.test/debian\tpriority:1\nhttp://two.test/debian\n")
    text = f"deb mirror+file:{mirrors} bookworm main\n"
    assert apt(sources_list=text) == ["http://one.test/debian", "http://two.test/debian"]


def test_the_environment_comes_first(apt, monkeypatch):
    monkeypatch.setenv("MLC_DEBIAN_MIRROR", "http://a.test/debian/ http://b.test/debian")
    text = "deb http://one.test/debian bookworm main\n"
    assert apt(sources_list=text) == ["http://a.test/debian", "http://b.test/debian"]


def test_no_mirror_is_one_clear_line(apt):
    with pytest.raises(LauncherError, match=r"^no Debian mirror known: .*MLC_DEBIAN_MIRROR"):
        apt()


def test_the_proxy_of_apt_is_used_unless_the_environment_has_one(tmp_path, monkeypatch):
    program = tmp_path / "apt-config"
    program.write_text('#!/bin/sh\ncase "$*" in *::http::*) echo http://proxy.test:3142 ;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert apt_proxies() == {"http": "http://proxy.test:3142"}
    monkeypatch.setenv("http_proxy", "http://other.test")
    assert apt_proxies() == {}


def test_a_machine_without_apt_has_no_proxy_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt_proxies() == {}
