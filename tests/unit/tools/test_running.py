"""Commands with an end, and waits with a limit."""

from __future__ import annotations

import sys

import pytest

from tools.running import FailedError, run, until


def test_the_output_comes_back_with_input_and_environment() -> None:
    script = "import os,sys;print(os.environ['GIVEN'], sys.stdin.read())"
    assert run([sys.executable, "-c", script], env={"GIVEN": "here"}, text="and in") == "here and in\n"


def test_a_failure_says_the_code_and_the_end_of_what_was_printed() -> None:
    with pytest.raises(FailedError, match=r"ended with 3:\nwhy"):
        run([sys.executable, "-c", "import sys;print('why');sys.exit(3)"])


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(FailedError, match="no `not-a-program` here: install it"):
        run(["not-a-program"])


def test_a_command_has_an_end() -> None:
    with pytest.raises(FailedError, match="did not end within 0 s"):
        run([sys.executable, "-c", "input()"], seconds=0.01)


def test_a_wait_ends_when_it_holds_or_says_what_it_waited_for() -> None:
    answers = iter([False, False, True])
    assert until(lambda: next(answers), "three", 5, pause=0) < 5
    with pytest.raises(FailedError, match=r"Not within 0 s: the moon\."):
        until(lambda: False, "the moon", 0, pause=0)
