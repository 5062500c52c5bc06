"""Which commands there are."""

from __future__ import annotations

from typing import Final, NamedTuple


class Leaf(NamedTuple):
    """A command: `module:function` below this package, and the first sentence of its help."""

    target: str
    summary: str


class Branch(NamedTuple):
    """Commands below one word; `usual` is the one that a word which is no command belongs to."""

    summary: str
    commands: dict[str, Leaf]
    usual: str = ""


TREE: Final[dict[str, Leaf | Branch]] = {
    "run": Leaf("run:run", "Run the service until SIGTERM or SIGINT."),
    "console": Leaf("console:console", "Serve the console on this machine: the same facts as the commands, as pages."),
    "demo": Leaf("demo:demo", "Try it out: a sandbox Swoogo, Kafka and Valkey on this machine."),
    "plan": Leaf("plan_view:plan_event", "Show what a sync would do now, field by field, without doing it."),
    "explain": Leaf(
        "explain:explain_record",
        "Explain one record: what it is on both sides, what holds it back, and what would change that.",
    ),
    "fields": Leaf(
        "fields:show_fields", "Show the fields of both sides, what the field maps do now, and what they could do."
    ),
    "sync": Leaf("sync:sync_event", "Ask for a manual sync and follow it."),
    "reconcile": Leaf("reconcile:reconcile", "Compare an event, or all, with Swoogo now, then push."),
    "status": Leaf("status_view:status", "Show all events, or one in detail: runs, issues, changes."),
    "operations": Leaf("operations_view:operations", "Show what is stuck, and credits, Kafka, Redis and replicas."),
    "issues": Leaf(
        "runs:list_issues", "List what is wrong with which record of an event now, each with what to do about it."
    ),
    "runs": Branch(
        "Past syncs of an event; `runs EVENT` lists them.",
        {
            "list": Leaf(
                "runs:list_runs", "List the runs of an event: when, why, what was attempted and synced, credits."
            ),
            "show": Leaf(
                "runs:show_run",
                "Show one run: its numbers for each kind, and what was wrong with which record at its end.",
            ),
        },
        usual="list",
    ),
    "parked": Branch(
        "Changes that Swoogo refused.",
        {
            "list": Leaf("parked:list_parked", "List refused changes: record, issue, field, since when."),
            "retry": Leaf(
                "parked:retry_parked",
                "Try refused changes once more: now with continuous sync, else with the next sync.",
            ),
        },
    ),
    "ledger": Branch(
        "What is known to be in Swoogo.",
        {
            "show": Leaf("ledger:show_ledger", "Show what was pushed: Swoogo id, state, fields and associations."),
            "lift": Leaf("orders:lift", "Let a record that was deleted in Swoogo be synced again."),
            "adopt": Leaf(
                "orders:adopt", "Say that a record in Swoogo is this one: the answer to the issue ambiguous_match."
            ),
            "forget": Leaf(
                "orders:forget",
                "Say that an unanswered create made no record in Swoogo: the other answer to ambiguous_match.",
            ),
            "remove": Leaf(
                "orders:remove",
                "Show and confirm removals that are so many at once that they wait: the answer to too_many_removals.",
            ),
        },
    ),
    "freeze": Leaf("control:freeze", "Hold back what is new about an event, a kind of records or some fields."),
    "thaw": Leaf("control:thaw", "Lift freezes of an event; what waited is sent."),
    "approve": Leaf("control:approve", "Send exactly this plan, where the mapping says `approval: required`."),
    "audit": Leaf("audit:audit", "List what people ordered: when, who, what, why, and what came of it."),
    "pairs": Branch(
        "Which events belong together.",
        {
            "void": Leaf(
                "orders:void",
                "Take back a pair that never synced anything, so that both events may be mapped to others.",
            )
        },
    ),
    "replay": Leaf("replay:replay_topic", "Read an input topic again, beside the running service, after asking."),
    "dlq": Branch(
        "Undecodable records.",
        {
            "list": Leaf("dlq:list_letters", "List open dead letters: when, where from, why, and what to do."),
            "show": Leaf(
                "dlq:show_letter",
                "Show a dead letter: headers and original bytes, without secrets and e-mail addresses.",
            ),
            "replay": Leaf(
                "dlq:replay_letters",
                "Put original records back on the topic they came from, where the service reads them as any other.",
            ),
            "discard": Leaf("dlq:discard_letters", "Mark dead letters as dealt with; what they hold is not synced."),
        },
    ),
    "keys": Branch(
        "The key pair that credentials are sealed to.",
        {
            "new": Leaf("keys:new_pair", "Make a key pair and print it; it is kept nowhere."),
            "public": Leaf("keys:public_key", "Print the public key of the private key in the settings."),
            "seal": Leaf(
                "keys:seal_credentials", "Seal a Swoogo consumer key and secret, so that they can travel on Kafka."
            ),
            "digest": Leaf("keys:digest_keys", "Print the keys of the digests that stand for people's data."),
            "rotate": Leaf("rotation:rotate", "Make the next key pair and print the steps to it; nothing is changed."),
            "sealed": Leaf("rotation:list_sealed", "List the organizations' credentials by the key that opens them."),
            "reseal": Leaf(
                "rotation:reseal",
                "Print an organization's credentials sealed to the key in the settings, for upstream to publish again.",
            ),
        },
    ),
    "privacy": Branch(
        "People's data.",
        {
            "report": Leaf(
                "privacy:report",
                "Show every place where this service holds data of a person: the answer to a request for access.",
            ),
            "erase": Leaf(
                "privacy:erase",
                "Erase a person from Redis and from this service's topics: the answer to a request for erasure.",
            ),
            "seal": Leaf(
                "privacy:seal",
                "Rewrite at once what an earlier version kept of people in clear, and digests by an older key.",
            ),
        },
    ),
    "topics": Branch(
        "The topics the service reads and writes.",
        {"create": Leaf("topics:create", "Create the topics that are missing, each kept as the service needs it.")},
    ),
    "publish": Leaf(
        "publish_check:check_file",
        "Say what would become of recorded records, without a server: synced, left out and why, or a dead letter.",
    ),
    "health": Leaf(
        "health:health", "Ask the service on this machine whether it is well, for a container's health check."
    ),
    "doctor": Leaf("doctor:examine", "Check everything the service needs, one line each, with what to do about it."),
    "probe": Leaf(
        "probe:probe_event",
        "Find out on a scratch event which guesses about Swoogo's API hold, and print the settings.",
    ),
    "config": Leaf(
        "config:show_config",
        "Show the settings that the environment gives, or with --all every setting in effect; secrets are masked.",
    ),
}
