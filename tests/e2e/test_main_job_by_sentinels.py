"""End to end: the main job by sentinels; when another server takes over, nothing is lost and nothing doubled."""

from __future__ import annotations

import pytest

from tests.e2e.many_servers import by_sentinels, struck
from tests.support.conferences import edited, grown, small

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G6"), pytest.mark.timeout(180)]


async def test_the_primary_is_killed_in_the_middle_and_another_takes_over(kafka_bootstrap: str) -> None:
    """Once with all that was written, once without the last of it."""
    async with by_sentinels(kafka_bootstrap) as (playing, faults):
        conference = edited(small(), 1, title="While the primary dies")
        for kind, numbers in (("killed", range(20, 24)), ("lagged", range(24, 28))):
            revisions = [conference := grown(conference, number) for number in numbers]
            await struck(playing, faults.strike(kind), kind, revisions)
        await playing.publish([edited(conference, 2, title="And afterwards")], "afterwards")
        assert playing.exact
