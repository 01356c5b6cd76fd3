"""Errors of a user end in one line without a traceback, and writes are whole or nothing."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from tools import cli


def _run(main, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run(main, ["a", "b"])
    return caught.value.code, capsys.readouterr()


def test_arguments_and_status_pass_through(capsys):
    status, output = _run(lambda argv: print(argv) or 7, capsys)
    assert (status, output.out) == (7, "['a', 'b']\n")


def test_none_is_success(capsys):
    assert _run(lambda argv: None, capsys)[0] == 0


def test_user_error_is_one_line(capsys):
    def main(argv):
        raise cli.UserError("//app:lib: wrong; mend it")

    status, output = _run(main, capsys)
    assert (status, output.err) == (1, "error: //app:lib: wrong; mend it\n")


def test_each_of_several_mistakes_is_an_error_line(capsys):
    def main(argv):
        raise cli.UserError("first\nsecond")

    assert _run(main, capsys)[1].err == "error: first\nerror: second\n"


def test_missing_file_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, output = _run(lambda argv: os.stat("nowhere.json"), capsys)
    assert (status, output.err) == (1, "error: nowhere.json: No such file or directory\n")


def test_file_that_cannot_be_moved_is_named_by_where_it_shall_be(capsys, tmp_path):
    def move(argv):
        (tmp_path / "temporary").touch()
        (tmp_path / "target").mkdir()
        os.replace(tmp_path / "temporary", tmp_path / "target")

    status, output = _run(move, capsys)
    assert (status, output.err) == (1, f"error: {tmp_path}/target: Is a directory\n")


def test_interrupt_is_one_line(capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    status, output = _run(interrupted, capsys)
    assert (status, output.err) == (130, "interrupted\n")


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        cli.run(lambda argv: 1 // 0, [])


def test_arguments_default_to_those_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["program", "x"])
    with pytest.raises(SystemExit):
        cli.run(lambda argv: print(argv))
    assert capsys.readouterr().out == "['x']\n"


def test_json_is_canonical(tmp_path):
    cli.write_json(tmp_path / "new" / "a.json", {"b": "é", "a": [1]})
    expected = '{\n  "a": [\n    1\n  ],\n  "b": "é"\n}\n'
    assert (tmp_path / "new" / "a.json").read_text(encoding="utf-8") == expected


def test_json_keeps_an_order_that_has_a_meaning(tmp_path):
    cli.write_json(tmp_path / "a.json", {"b": 1, "a": 2}, sort_keys=False)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": 2\n}\n'


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("old", encoding="utf-8")

    def fail(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        cli.write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_full_disk_is_one_line(capsys):
    def fail(argv):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/a.json")

    with pytest.raises(SystemExit):
        cli.run(fail, [])
    assert capsys.readouterr().err == (
        "error: out/a.json: No space left on device; free some space and run again\n"
    )


def test_write_replaces_a_link_and_not_its_target(tmp_path):
    (tmp_path / "target").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("target")
    cli.write_text(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text(encoding="utf-8") == "old"
    assert (tmp_path / "link").read_text(encoding="utf-8") == "new"


def test_lock_that_another_has_is_waited_for_in_one_line(capsys, tmp_path):
    entered = threading.Event()

    def other():
        with cli.locked(tmp_path / "lock", "another has it"):
            entered.set()

    with cli.locked(tmp_path / "lock", "never said"):
        thread = threading.Thread(target=other)
        thread.start()
        shown = ""
        while not shown:
            shown = capsys.readouterr().err
        assert (shown, entered.is_set()) == ("another has it\n", False)
    thread.join(timeout=30)
    assert entered.is_set()
    assert capsys.readouterr().err == ""
