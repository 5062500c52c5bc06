"""A conference that lives: random edits on both sides, lost answers, dead workers; and what should be in Swoogo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from consumer.adapters.kafka import wire
from consumer.adapters.kafka.convert import resource_row
from consumer.domain.issues.issue import Code, Effect
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.plan import Plan
from consumer.domain.planning.planner import PlanInput
from consumer.domain.records.identity import Kind, Source
from consumer.domain.records.snapshot import Contact, Session, Snapshot
from consumer.domain.records.text import natural_email, natural_name
from sandbox.conference.expected import NOTHING, Resources, fold
from tests.support.builders import HOUR, MINUTE, a_mapping, a_plan_input, at
from tests.support.model import Fate, Model

ZONE: Final = "America/New_York"
BEGIN: Final = at("2026-03-07 08:30", ZONE)
"""The day before clocks are set forward."""
SETTLE: Final = 2 * MINUTE

SESSIONS: Final = ("s1", "s2", "s3", "s4")
PEOPLE: Final = ("c1", "c2", "c3", "c4", "c5")
ROOMS: Final = ("r1", "r2", "r3")
TRACKS: Final = ("t1", "t2")
NAMES: Final = ("Hall 1", "hall 1", "Hall 2", "By hand", "")
EMAILS: Final = ("a@example.org", "B@example.org ", "c@example.org", "d@example.org", "in-swoogo@example.org")

Json = dict[str, Any]


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat()


def read(source: Source, data: Mapping[str, Any]) -> Any:
    metadata = {"action": "session.updated", "event_id": "ev", "version": 1, "datetime": iso(BEGIN)}
    value = json.dumps({"data": data, "metadata": metadata}).encode()
    found = wire.of(wire.MODELS[source].model_validate_json(value))
    version = wire.milliseconds(found.data.updated_at or found.metadata.datetime)
    row = resource_row(source, found, version, deleted=wire.deletes(found))
    return msgspec.json.decode(row, type=Session if source is Source.SESSION else Contact)


class DoubtfulError(Exception):
    """The oracle cannot say what is right."""


class ConferenceLife:
    """An event in Sessionboard, what we made of it in Swoogo, and what the rules say should be there."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.model = Model()
        self.by_hand = {
            Kind.SPEAKER: {self.model.add(Kind.SPEAKER, email="In-Swoogo@example.org")},
            Kind.LOCATION: {self.model.add(Kind.LOCATION, name="BY HAND")},
            Kind.SESSION: {self.model.add(Kind.SESSION, name="One s1", date="2026-03-07", start_time="12:00:00")},
            Kind.TRACK: set[int](),
        }
        self.now = BEGIN
        self.sessions: dict[str, Json] = {}
        self.contacts: dict[str, Json] = {}
        self.names: dict[str, str] = {"r1": "Hall 1", "r2": "Hall 2", "r3": "hall 1", "t1": "Data", "t2": "data "}
        self.expected = NOTHING
        self.everybody = chance.random() < 0.5
        self.asked = 0
        for identifier in SESSIONS:
            self.put_session(identifier)
        for identifier in PEOPLE[:3]:
            self.put_contact(identifier)

    def live(self) -> None:
        """Syncs, and what people do between them."""
        for _ in range(8):
            self.sync(troubles=self.chance.choice([0, 0, 1, 3]))
            for _ in range(self.chance.randint(1, 4)):
                self.edit()

    def edit(self) -> None:
        """One of the things people do."""
        chance = self.chance
        match chance.choices(["session", "contact", "name", "delete", "wait", "by hand"], [6, 4, 1, 1, 1, 2])[0]:
            case "session":
                self.put_session(chance.choice(SESSIONS))
            case "contact":
                self.put_contact(chance.choice(PEOPLE))
            case "name":
                self.names[chance.choice((*ROOMS, *TRACKS))] = chance.choice(NAMES)
            case "by hand":
                new = [each for key, each in self.sessions.items() if f"session/{key}" not in self.model.ledger]
                self.make_twin(chance.choice(new or [*self.sessions.values()] or [{"title": ""}]))
            case "delete":
                self.sessions.pop(chance.choice(SESSIONS), None)
            case _:
                self.now += chance.randint(1, 12) * HOUR

    def put_session(self, identifier: str) -> None:
        chance = self.chance
        starts_at = BEGIN + 30 * MINUTE + chance.randint(0, 60) * HOUR
        title = chance.choice(["One", "Two", "One", "Two", "One", "Two", ""])
        self.sessions[identifier] = {
            "id": identifier,
            "title": title and f"{title} {identifier}",
            "description": chance.choice(["", "<p>d</p>", "d" * 100]),
            "status": chance.choice(["accepted"] * 5 + ["pending", "declined"]),
            "starts_at": iso(starts_at),
            "ends_at": iso(starts_at + chance.choice([0, 1, 1, 1, 2, 2, 20, 30]) * HOUR),
            "room": chance.choice([None, *ROOMS]),
            "track": chance.choice([None, *TRACKS]),
            "speakers": chance.sample(PEOPLE, chance.randint(0, 3)),
            "moderators": chance.sample(PEOPLE, chance.randint(0, 1)),
        }

    def make_twin(self, session: Json) -> None:
        """Somebody makes a session in Swoogo that looks like one of Sessionboard's."""
        if session["title"]:
            start = datetime.fromisoformat(session["starts_at"]).astimezone(ZoneInfo(ZONE))
            day, clock = start.date().isoformat(), start.strftime("%H:%M:%S")
            twin = self.model.add(Kind.SESSION, name=session["title"], date=day, start_time=clock)
            self.by_hand[Kind.SESSION].add(twin)

    def put_contact(self, identifier: str) -> None:
        chance = self.chance
        self.contacts[identifier] = {
            "id": identifier,
            "first_name": "Ada",
            "last_name": chance.choice(["L", "M", "L", "M", ""]),
            "email": chance.choice(EMAILS),
            "title": "",
            "company_name": "Co",
            "about": chance.choice(["", "b" * 60]),
        }

    def trouble(self, given: PlanInput) -> None:
        """A push that does not go well."""
        fates = self.chance.choices(list(Fate), [3, 1, 1], k=12)
        self.model.push(given, fates, stop_after=self.chance.choice([None, 1, 2, 4, 8]))

    def sync(self, troubles: int) -> None:
        """Pushes that go wrong, one after the other, then pushes until nothing is left to do."""
        resources = self.resources()
        now = datetime.fromtimestamp(self.now / 1000, UTC)
        self.expected = fold(self.expected, resources, now, moderators=self.everybody)
        if self.doubtful:
            raise DoubtfulError
        given = self.plan_input(resources)
        if self.chance.random() < 0.5:
            self.model.remember(Kind.SESSION)
        for _ in range(troubles):
            self.trouble(given)
        given, plan = self.push_until_done(given)
        if orders := self.answers(plan):
            given = replace(given, now=given.now + SETTLE)
            self.model.obey(orders, given)
            given, plan = self.push_until_done(given)
        self.check_state()
        self.check_report(plan)
        written, listed = self.model.written, self.model.listed
        assert self.model.push(given).empty, "R3, G3: nothing changed = no call"
        assert (self.model.written, self.model.listed) == (written, listed)

    def push_until_done(self, given: PlanInput) -> tuple[PlanInput, Plan]:
        """Push until there is nothing to send and nothing to wait for."""
        for _ in range(6):
            plan = self.model.push(given)
            if plan.empty and plan.wait_until is None:
                return given, plan
            given = replace(given, now=max(given.now, plan.wait_until or 0))
        raise AssertionError("a plan that never comes to an end")

    def answers(self, plan: Plan) -> list[LedgerCommand]:
        """What an operator who looks into Swoogo says of records that may be there more than once (G2)."""
        orders = []
        for issue in (each for each in plan.issues if each.code is Code.AMBIGUOUS_MATCH):
            made = self.model.made.get(issue.key, [])
            assert len(made) <= 1, "G2: nothing is made twice"
            shown = [int(each) for each in issue.detail.removeprefix("ids ").split(", ")]
            assert set(shown) <= {*made, *self.by_hand[Kind.SESSION]}, "what cannot be it is not offered"
            self.asked += 1
            orders.append(
                LedgerCommand(Action.ADOPT, issue.key, made[0]) if made else LedgerCommand(Action.FORGET, issue.key)
            )
        return orders

    @property
    def doubtful(self) -> bool:
        """The oracle gives an address to somebody although its owner could not leave it."""
        held = [speaker.email for speaker in self.expected.speakers.values()]
        return len(held) != len(set(held))

    def resources(self) -> Resources:
        """The state as Sessionboard would publish it."""
        return Resources(
            timezone=ZONE,
            sessions=tuple(self.session_resource(each) for each in self.sessions.values()),
            contacts=tuple(self.contacts.values()),
        )

    def session_resource(self, session: Json) -> Json:
        def people(identifiers: list[str]) -> list[Json]:
            copies = {
                each: {"first_name": "Copy", "last_name": each, "email": f"{each}@copies.example.org"}
                for each in identifiers
            }
            return [{**copies[each], **self.contacts.get(each, {}), "id": each} for each in identifiers]

        def place(identifier: str | None) -> Json | None:
            return {"id": identifier, "name": self.names[identifier]} if identifier else None

        return {
            **session,
            "room": place(session["room"]),
            "track": place(session["track"]),
            "speakers": people(session["speakers"]),
            "moderators": people(session["moderators"]),
            "chairpersons": [],
            "participants": [],
        }

    def plan_input(self, resources: Resources) -> PlanInput:
        """The same resources as the planner gets them."""
        sessions = [read(Source.SESSION, each) for each in resources.sessions]
        contacts = [read(Source.CONTACT, each) for each in resources.contacts]
        mapping = a_mapping(timezone=ZONE, sync_moderators=self.everybody, sync_chairpersons=self.everybody)
        return replace(
            a_plan_input(mapping=mapping, now=self.now, settle_time=SETTLE),
            snapshot=Snapshot({each.id: each for each in sessions}, {each.id: each for each in contacts}),
        )

    def owned(self, kind: Kind) -> dict[str, int]:
        """Sessionboard id -> Swoogo id of all that is ours; everything else in Swoogo was made by hand."""
        ours = {
            key.partition("/")[2]: entry.swoogo_id
            for key, entry in self.model.ledger.items()
            if key.startswith(f"{kind.value}/") and entry.live and entry.swoogo_id is not None
        }
        assert self.model.records[kind].keys() - set(ours.values()) <= self.by_hand[kind], "G2: nothing is made twice"
        return ours

    def check_state(self) -> None:
        held, sessions, speakers = self.model.records, self.owned(Kind.SESSION), self.owned(Kind.SPEAKER)
        assert sessions.keys() == self.expected.sessions.keys()
        assert speakers.keys() == self.expected.speakers.keys()
        assert len(set(speakers.values())) == len(speakers)
        for identifier, person in self.expected.speakers.items():
            record = held[Kind.SPEAKER][speakers[identifier]]
            assert natural_email(record["email"]) == person.email
            for name in ("first_name", "last_name", "job_title", "company", "bio"):
                assert record.get(name, "") == getattr(person, name), name
        for identifier, session in self.expected.sessions.items():
            record = held[Kind.SESSION][sessions[identifier]]
            for name in ("name", "description", "date", "start_time", "end_time"):
                assert record.get(name, "") == getattr(session, name), name
            for kind, expected in ((Kind.LOCATION, session.location), (Kind.TRACK, session.track)):
                shown = record.get(kind.value, "")
                assert natural_name(held[kind][int(shown)]["name"] if shown else "") == natural_name(expected or "")
            linked = {speaker for speaker, of in self.model.links if of == sessions[identifier]}
            assert linked == {speakers[each] for each in session.speaker_ids}
        for kind, names in ((Kind.LOCATION, self.expected.locations), (Kind.TRACK, self.expected.tracks)):
            ours = {natural_name(held[kind][each]["name"]) for each in self.owned(kind).values()}
            assert ours == names.held.keys()
            assert len({natural_name(each["name"]) for each in held[kind].values()}) == len(held[kind])

    def check_report(self, plan: Plan) -> None:
        said = {tuple(skip.key.split("/")): skip.label for skip in plan.skips}
        assert said == {key: code for key, (code, _) in self.expected.left_out.items()}
        issues = {
            (issue.code.value, issue.key.partition("/")[2])
            for issue in plan.issues
            if issue.effect is not Effect.LEFT_OUT
        }
        assert issues == self.expected.issues
