"""Every Redis key: name, type, lifetime, owner. No other module spells a key.

The part in braces is the hash tag, so that each script touches one slot and Redis Cluster works. No key name holds
a secret or personal data; credentials are named by a hash.

| key | type | TTL | owner |
| --- | --- | --- | --- |
| `{event/ID}:state`, `{org/ID}:...` | hash: when it is due, who has it, what was asked, when that was | - | inbox |
| `...:rows` | hash: record key -> newest resource (or request) | - | inbox |
| `...:versions` | hash: record key -> stamp | - | inbox |
| `...:dirty` | hash: record key -> stamp not pushed yet | - | inbox |
| `{event/ID}:overtaken` | hash: record key -> stamp of an older version published after the newest | - | inbox |
| `{event/ID}:withdrawn` | set: contacts whose profiles are not kept: `copies/ID` deleted, `all/ID` erased | - | inbox |
| `{event/ID}:orders` | set: what operators asked to be done to the ledger | - | inbox |
| `{event/ID}:audit` | hash: id -> order that a person gave, and what came of it; the newest ones | - | orders |
| `{event/ID}:controls` | hash: name -> freeze or approval in force, or lifted | - | inbox |
| `{event/ID}:requests` | hash: id -> manual sync that waits | - | inbox |
| `{event/ID}:served` | hash: id -> stamp of a manual sync that was served | - | inbox |
| `{due/N}:due` | sorted set: subject -> due ms | - | due index |
| `{due/N}:queues` | sorted set: credential (or subject) with a queue -> ms when it was last served | - | due index |
| `{due/N}:queue/HASH` | sorted set: due subject without a free place -> due ms | - | due index |
| `{event/ID}:ledger` | hash: record key -> entry | - | ledger |
| `{event/ID}:unlogged` | set: record keys whose entry is not on the changelog yet | - | ledger |
| `{event/ID}:directory` | hash: kind -> last listing | - | ledger |
| `{event/ID}:hints` | hash: record -> what Swoogo's webhooks said of it, not looked at yet | an hour | hints |
| `{event/ID}:webhooks` | hash: object -> the webhook registered for it | - | webhooks |
| `{event/ID}:survey` | hash: what the last survey left for the next | - | ledger |
| `{event/ID}:fields` | hash: definitions of the fields that its maps target | - | ledger |
| `{event/ID}:issues` | hash: issue key -> issue | - | status |
| `{event/ID}:figures` | hash: how many entries by kind and state, issues by code | - | ledger and status |
| `{event/ID}:published` | hash: record key -> digest of what the issues topic has of it, or a mark | - | issue feed |
| `{event/ID}:run` | string: the run in progress or the last one | - | status |
| `{event/ID}:runs` | list: ended runs, newest first, bounded | - | status |
| `{event/ID}:timeline` | hash: record key -> what happened to it, newest first, bounded | - | timeline |
| `{event/ID}:calls` | hash: run -> its calls to Swoogo, of the last runs, bounded | - | timeline |
| `{event/ID}:traces` | hash: record key -> trace of its newest change, while tracing is on | a day | parents |
| `{event/ID}:fresh` | string: ms since when its changes count for the goal of freshness | - | inbox |
| `{event/ID}:mapping` | string: the active pair | - | connections |
| `{event/ID}:holders` | hash: organization -> epoch of its newest lease that looked at the pair | - | connections |
| `{org/ID}:connection` | string: the credential in use, sealed | - | connections |
| `{org/ID}:mappings` | set: event ids of its pairs, also of those that ended | - | connections |
| `{event/ID}:asked` | set: organizations that asked to map it | - | connections |
| `{org/ID}:refused` | string: the refused credential that was reported; 30 s: who reports it | - | connections |
| `{pairs}:records`, `{pairs}:event_of` | hash: event -> every pair that ever was, and the way back | - | pairs |
| `{pairs}:voided` | hash: event/ID, swoogo/ID -> highest round of a pair of it that was voided | - | pairs |
| `{pairs}:holders` | hash: organization -> epoch of its newest lease that looked at the register | - | pairs |
| `{pairs}:unlogged/ID` | set: events whose pair is not on the changelog yet, by organization | - | pairs |
| `{replicas}:alive` | hash: replica -> version, role, newest heartbeat | a day | replicas |
| `{replicas}:elected` | string: which replica does the housekeeping of all | 30 s | election |
| `{replicas}:fleet` | string: what stands of all events together | an hour | fleet |
| `{orders}:audit` | hash: the same for orders that concern no event or many | - | orders |
| `{orders}:waiting` | hash: id -> order that the running service has still to see to | - | orders |
| `{generation}:marker` | hash: generation, server process, topic/partition[/topic id] -> offset | - | rebuild |
| `{shard/N}:mark` | hash: in each server of a cluster, up to where it has everything | - | rebuild |
| `{generation}:about` | hash: its format, who waits for a later version, when Redis was last lost | - | rebuild |
| `{generation}:restored` | hash: how far a rebuild in progress is, topic/partition[/topic id] -> offset | - | rebuild |
| `{generation}:standings` | hash: what a rebuild in progress read of connections and pairs in force | - | rebuild |
| `{pairs}:rebuilder` | hash: the rebuild whose pairs are taken, organizations it fenced | - | rebuild |
| `{generation}:lock`, `...:progress` | string: who rebuilds, how far it is | 30 s | rebuild |
| `{event/ID}:careful` | set: kinds to be looked at before anything is created | - | rebuild |
| `{index}:events`, `{index}:orgs` | set: ids ever recorded, but for archived events | - | inbox |
| `{index}:repair` | string: how far the repair of the due index has come in both sets | - | inbox |
| `{index}:archived` | set: archived events | - | archive |
| `{event/ID}:archive` | string: where on the ledger topic the ledger of an archived event lies | - | archive |
| `{index}:trouble` | hash: event -> what is wrong with it; "": every event was gone through | - | trouble index |
| `{index}:arrivals` | stream: seconds that changes took to Swoogo, bounded | - | arrivals |
| `{replay/ID}:position` | string: what an interrupted replay of a topic has still to read | 7 days | replays |
| `{cred/HASH}:surveys` | hash: event id -> credits of its survey and until when that counts | 2 intervals | budget |
| `{cred/HASH}:credits` | hash: spent per slot, hold, foreign, waiting; its own time | 2 windows | budget |
| `{cred/HASH}:fences` | hash: subject -> epoch:until | the longest lease and a minute | budget |
| `{cred/HASH}:grant:ID` | string: slot charged | 2 windows | budget |
| `{cred/HASH}:token` | string: token, encrypted | until it expires | tokens |
| `{cred/HASH}:circuit` | string: failures in a row, until when no call is made | minutes | circuits |
| `{cred/HASH}:token-lock` | string: who asks for a token | seconds | tokens |
| `{cred/field-ID}:levels-lock` | string: who adds a level to this field of an account | seconds | tokens |
"""

from __future__ import annotations

from binascii import crc32
from dataclasses import dataclass
from typing import Final

from consumer.ports import Subject, event_subject, org_subject

DUE_SHARDS: Final = 4


@dataclass(frozen=True, slots=True)
class Keys:
    prefix: str

    def _of(self, tag: str, name: str) -> str:
        return f"{self.prefix}:{{{tag}}}:{name}"

    def subject(self, subject: Subject, name: str) -> str:
        """`state`, `rows`, `versions` or `dirty` of an event or organization."""
        return self._of(str(subject), name)

    def event(self, event_id: str, name: str) -> str:
        return self._of(str(event_subject(event_id)), name)

    def org(self, org_id: str, name: str) -> str:
        return self._of(str(org_subject(org_id)), name)

    def due(self, shard: int) -> str:
        return self._of(f"due/{shard}", "due")

    def due_of(self, subject: Subject) -> str:
        return self.due(_shard(str(subject)))

    def queues(self, shard: int) -> str:
        """The credentials of one shard that have a queue."""
        return self._of(f"due/{shard}", "queues")

    def queue(self, credential: str) -> str:
        """What is due and waits for a place of a credential."""
        return self._of(f"due/{_shard(credential)}", f"queue/{credential}")

    def queues_of(self, credential: str) -> str:
        return self.queues(_shard(credential))

    def pairs(self, name: str) -> str:
        """`records`, `event_of`, `voided`, `holders`, or `unlogged/` and an organization."""
        return self._of("pairs", name)

    def events(self) -> str:
        return self._of("index", "events")

    def archived(self) -> str:
        return self._of("index", "archived")

    def orgs(self) -> str:
        return self._of("index", "orgs")

    def repair(self) -> str:
        """Where the repair of the due index goes on."""
        return self._of("index", "repair")

    def trouble(self) -> str:
        """Events with parked changes, or whose last push failed."""
        return self._of("index", "trouble")

    def arrivals(self) -> str:
        """How long changes took to Swoogo."""
        return self._of("index", "arrivals")

    def generation(self, name: str) -> str:
        """`marker`, `lock` or `progress` of rebuilding."""
        return self._of("generation", name)

    def mark(self, tag: int) -> str:
        """What one server of a cluster says of itself."""
        return self._of(f"shard/{tag}", "mark")

    def replicas(self, name: str = "alive") -> str:
        """`alive`, their heartbeats; `elected`; or `fleet`."""
        return self._of("replicas", name)

    def orders(self, name: str) -> str:
        """`audit` of orders without an event, or `waiting`."""
        return self._of("orders", name)

    def replay(self, topic: str) -> str:
        """Where a replay of a topic is."""
        return self._of(f"replay/{topic}", "position")

    def credential(self, credential: str, name: str) -> str:
        return self._of(f"cred/{credential}", name)


def _shard(name: str) -> int:
    return crc32(name.encode()) % DUE_SHARDS
