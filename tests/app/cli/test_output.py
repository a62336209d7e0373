"""What commands print: for people, for machines, and nothing superfluous where nobody looks."""

import json

import pytest

from app.cli.output import progress, say_json, say_table, warn


def test_names_with_brackets_are_printed_as_they_are(capsys):
    say_table("knee [left]", ["trial", "body"], [["stairs [bold]", "femur [/]"]])
    told = capsys.readouterr().out
    assert "knee [left]" in told
    assert "stairs [bold]" in told
    assert "femur [/]" in told


def test_a_long_reason_is_printed_whole(capsys):
    reason = "picture " + "a/very/long/path/" * 20 + "0007.tif is missing; put it back"
    say_table("femur", ["frame", "outcome", "score"], [["7", reason, ""], ["8", "converged", "0.81"]])
    told = capsys.readouterr().out
    letters = "".join(letter for letter in told if letter.isalnum() or letter in "/.;")
    assert "".join(letter for letter in reason if letter.isalnum() or letter in "/.;") in letters
    assert "…" not in told


def test_json_stays_json_whatever_the_numbers(capsys):
    say_json({"score": float("nan"), "rows": [{"cost": float("inf")}, (1.5, "ü")]})
    assert json.loads(capsys.readouterr().out) == {"score": None, "rows": [{"cost": None}, [1.5, "ü"]]}


def test_no_bar_where_there_is_no_terminal(capsys):
    with progress("registering", 3) as advance:
        for done in range(4):
            advance(done, f"frame {done}")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["error: a [b] c", "100 %"])
def test_warnings_go_to_standard_error(capsys, text):
    warn(text)
    assert capsys.readouterr() == ("", text + "\n")
