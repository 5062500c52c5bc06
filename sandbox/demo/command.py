"""`swoogo-sync demo`: the story told once, or one's own conference revision after revision."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from dataclasses import replace
from datetime import UTC, datetime
from lzma import LZMAError
from pathlib import Path
from typing import Annotated, Any
from xml.etree.ElementTree import ParseError

import typer
from rich.console import Console

from sandbox.conference import pentabarf, sample
from sandbox.conference.details import CHANGED_MAPS, MAPS
from sandbox.conference.model import Conference
from sandbox.demo.look import SETTINGS, go_on, open_console, written
from sandbox.demo.mapped import embargo, remap
from sandbox.demo.play import Play, play
from sandbox.demo.show import Progress, report, tables, total
from sandbox.demo.world import world
from sandbox.embedded import ServerFailedError, ServerUnavailableError
from sandbox.embedded.server import HOST, free_ports

_DEEP_CREDITS = 1 + 2 * 10 + 1
"""The event with its sessions, speakers and sponsors; rooms and tracks; the field of levels."""
_EVERY = 4.0
"""Seconds between two changes of `--look`."""
_HAND_TYPED = "<p>Typed in Swoogo by a person. It stays.</p>"


def demo(
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Further revisions.", exists=True, dir_okay=False)
    ] = None,
    schedule: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...",
            help="Pentabarf schedule.xml (also .xz, .gz): one or more revisions of a conference, in order.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    report_to: Annotated[Path | None, typer.Option("--report", help="Write the outcome as JSON to this file.")] = None,
    window: Annotated[
        float, typer.Option(help="Length of the sandbox's credit window in seconds (Swoogo: 600).")
    ] = 20.0,
    latency: Annotated[float, typer.Option(help="How long a call to the sandbox takes, in ms.")] = 20.0,
    replicas: Annotated[int, typer.Option(min=1, max=4, help="How many processes of the service.")] = 1,
    errors: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of the calls that the sandbox answers with 503.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Which calls those are; the same seed, the same ones.")] = 1,
    look: Annotated[  # noqa: FBT002
        bool, typer.Option("--look", help="Leave everything running, with the console to watch it, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Play a conference for real: embedded Kafka and Valkey, a sandbox Swoogo, the service in its own process.

    Exit code 0 only when the sandbox holds exactly what it must, without a duplicate or a refused call. With --look
    the story is left out: the conference arrives, and changes go on.
    """
    console = Console(stderr=as_json)
    # The clients grumble while a broker wakes up; what matters here is said by the story.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    files = [*(schedule or []), *(more or [])]
    try:
        story = _schedules(files)
    except (OSError, ParseError, LZMAError, EOFError, ValueError) as error:
        console.print(f"A file is no schedule.xml that can be read: {error}.", markup=False, highlight=False)
        raise typer.Exit(2) from None
    try:
        run = _run(console, files, story, window, latency, replicas, errors, seed, look=look)
        outcome = asyncio.run(_interruptible(run))
    except (ServerUnavailableError, ServerFailedError, TimeoutError) as error:
        console.print(str(error), markup=False, highlight=False)
        raise typer.Exit(3) from None
    except asyncio.CancelledError:
        raise typer.Exit(0 if look else 130) from None
    if report_to:
        report_to.write_text(json.dumps(outcome, indent=2) + "\n")
    if as_json:
        typer.echo(json.dumps(outcome, indent=2))
    raise typer.Exit(0 if outcome["exact"] else 1)


async def _interruptible(story: Any) -> dict[str, Any]:
    """Run the story; Ctrl-C and SIGTERM cancel it, so that every server is stopped in order."""
    task = asyncio.ensure_future(story)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    result: dict[str, Any] = await task
    return result


async def _run(
    console: Console,
    files: list[Path],
    story: list[Conference],
    window: float,
    latency: float,
    replicas: int,
    errors: float,
    seed: int,
    *,
    look: bool,
) -> dict[str, Any]:
    progress = Progress(console)
    progress.begin("Starting Kafka, Valkey and the sandbox Swoogo")
    quick = {
        "DEBOUNCE__QUIET_PERIOD": "1",
        "DEBOUNCE__MAX_WAIT": "10",
        "PUSH__CREATE_SETTLE_TIME": "5",
        "LOG__FORMAT": "console",
    }
    quick["PUSH__RETRY_MAX"] = f"{max(window, 5.0):g}"  # the window is shortened, and so is what follows trouble
    quick["IMAGES__ALLOW_HOSTS"] = HOST  # headshots and logos come from the sandbox
    if look:  # `swoogo-sync health` in the other shell asks the first replica
        quick |= {**SETTINGS, "HTTP__PORT": str(free_ports(1)[0])}
    with progress.live():
        async with world(window=window, latency_ms=latency, settings=quick) as running:
            console.print(
                f"{running.broker}, Valkey and a sandbox Swoogo run on loopback; 2,000 credits per {window:g} s "
                f"(Swoogo: 600 s), {latency:g} ms a call.",
                highlight=False,
                soft_wrap=True,
            )
            await running.post("faults", unsteady(errors, seed))
            for number in range(replicas):
                running.start_service(f"service-{number + 1}", **({"HTTP__PORT": "0"} if number else {}))
            media = f"{running.swoogo.url}/_media"
            story = story or [sample.sample(datetime.now(UTC), media_base=media)]
            own = not files
            async with (
                play(running, story[0], progress.begin, details=own) as playing,
                progress.following(running),
            ):
                if look:
                    console.print(f"The console: {await open_console(running)}", highlight=False, soft_wrap=True)
                    commands = f"The commands, in another shell: . {written(running)}; swoogo-sync status"
                    console.print(commands, highlight=False, markup=False, soft_wrap=True)
                arrives = "A conference arrives" if look or own else f"Revision {files[0].name}"
                progress.ended(await playing.publish(story[:1], arrives, {"field_maps": MAPS} if own else {}))
                if look:
                    progress.begin("A change every few seconds, until Ctrl-C")
                    await go_on(playing, story, _EVERY)
                if files:
                    await _revisions(playing, story[1:], files[1:], progress)
                else:
                    await _sample(playing, story[0], progress)
                progress.ended(await playing.replay())
                runs = [run for run in await playing.runs() if run.tallies]
                outcome = report(playing, runs, window=window, kafka=running.broker)
    for table in tables(playing, runs, window):
        console.print(table)
    _verdict(console, playing, outcome)
    return outcome


def unsteady(errors: float, seed: int) -> list[dict[str, Any]]:
    """Faults of a Swoogo that answers a share of the calls with 503, half of them after their effect (`swoogo.faults`).

    The calls for tokens are left alone; each call is charged, whatever its answer.
    """
    if not errors:
        return []
    match = {"path": "^/(?!oauth2)", "share": errors / 2}
    return [
        {"match": {**match, "seed": 2 * seed + number}, "times": None, "do": {"status": 503, "costs": True, **effect}}
        for number, effect in enumerate(({}, {"effect": True}))
    ]


async def _sample(playing: Play, conference: Conference, progress: Progress) -> None:
    edits = sample.burst(conference)
    progress.ended(await playing.publish(edits, "A burst of 60 edits on 20 sessions"))
    conference = edits[-1]
    talk = next(key for key, session in playing.expected.sessions.items() if session.speakers)
    conference = await playing.edit_by_hand(conference, talk, _HAND_TYPED)
    progress.ended(
        await playing.publish([conference], "A description typed in Swoogo, then a title edited in Sessionboard")
    )
    conference = await _reconciles(playing, conference, progress)
    conference = sample.deletions(conference)
    progress.ended(await playing.publish([conference], "Sessions deleted and declined in Sessionboard"))
    conference = sample.renames(conference)
    progress.ended(await playing.publish([conference], "A room and a track renamed, a session moved"))
    progress.ended(
        await remap(playing, {"field_maps": CHANGED_MAPS}, "The field map changed: the format goes to the badge, too")
    )
    conference = await _embargo(playing, conference, talk, progress)
    progress.ended(await playing.map_elsewhere("Another Swoogo event for the same conference is refused"))
    key = next(each for each in playing.expected.sessions if each in conference.talks and each != talk)
    edited = replace(conference.talks[key], title=f"{conference.talks[key].title} (changed while unmapped)")
    conference = replace(conference, talks={**conference.talks, key: edited})
    progress.ended(await playing.map_again(conference, "The mapping removed, a change meanwhile, and added again"))


async def _embargo(playing: Play, conference: Conference, typed: str, progress: Progress) -> Conference:
    keys = [each for each in playing.expected.sessions if each in conference.talks and each != typed][1:4]
    edited = {
        key: replace(conference.talks[key], title=f"{conference.talks[key].title} (after the embargo)") for key in keys
    }
    conference = replace(conference, talks={**conference.talks, **edited})
    progress.ended(await embargo(playing, conference, "Changes under an embargo, which ends by itself"))
    return conference


async def _reconciles(playing: Play, conference: Conference, progress: Progress) -> Conference:
    """What a reconcile costs, and what people do in Swoogo meanwhile."""
    progress.ended(
        await playing.reconcile(
            "The first reconcile reads everything and leaves what was typed in Swoogo",
            least_credits=_DEEP_CREDITS + playing.definitions_cost,
        )
    )
    progress.ended(await playing.reconcile("Reconcile of an unchanged event"))
    talk = list(playing.expected.sessions)[-1]
    await playing.delete_by_hand(talk)
    progress.ended(
        await playing.reconcile("A session deleted by hand in Swoogo: noticed, and asked for once", least_credits=2)
    )
    edited = replace(conference.talks[talk], title=f"{conference.talks[talk].title} (edited)")
    conference = replace(conference, talks={**conference.talks, talk: edited})
    progress.ended(await playing.publish([conference], "A session deleted by hand stays deleted, whatever changes"))
    return conference


async def _revisions(playing: Play, story: list[Conference], files: list[Path], progress: Progress) -> None:
    for file, conference in zip(files, story, strict=True):
        progress.ended(await playing.publish([conference], f"Revision {file.name}"))


def _schedules(files: list[Path]) -> list[Conference]:
    """All revisions, moved into the future by the same number of days."""
    days = [day for day in map(pentabarf.first_day, files) if day]
    shift = pentabarf.days_to_shift(min(days), datetime.now(UTC)) if days else 0
    return [pentabarf.read_schedule(file, shift_days=shift) for file in files]


def _verdict(console: Console, play: Play, outcome: dict[str, Any]) -> None:
    spent, least = total(play, "spent").total, total(play, "least").total
    ratio = f"{spent / least:.3f} x the least possible" if least else "nothing to do"
    slowest = max(chapter.seconds for chapter in play.chapters)
    console.print(
        f"Duplicates: {outcome['duplicates']}. Refused for the rate limit (429): {outcome['refused_429']}. "
        f"Credits: {spent}, {ratio}. Slowest chapter: {slowest:.1f} s from the last change to Swoogo.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "[green]Swoogo holds exactly what the rules say.[/green]"
        if outcome["exact"]
        else "[red]Swoogo does not hold what the rules say; see the lines marked ✗.[/red]"
    )
