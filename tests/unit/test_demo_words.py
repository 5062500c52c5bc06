"""The demo says nothing of a record where there was none, nor of a time where nothing was written."""

from __future__ import annotations

import pytest

from sandbox.demo.ideal import Credits
from sandbox.demo.play import Chapter
from sandbox.demo.show import chapter_words

LOOKS = Credits(looks=2)


@pytest.mark.parametrize(
    ("chapter", "words"),
    [
        (
            Chapter("x", records=1, writes=3, seconds=1.26, spent=LOOKS, least=LOOKS),
            "1 record, 3 writes, 2 credits (least possible 2), in Swoogo 1.3 s after the last record",
        ),
        (Chapter("x", spent=LOOKS, least=LOOKS), "nothing to write, 2 credits (least possible 2)"),
        (Chapter("x", records=60), "60 records, nothing to write, 0 credits"),
        (Chapter("x", writes=1, seconds=0.5), "1 write, 0 credits, in Swoogo within 0.5 s"),
    ],
    ids=["records", "reconcile", "replay", "by-command"],
)
def test_a_chapter_says_what_there_was(chapter: Chapter, words: str) -> None:
    assert chapter_words(chapter) == words
