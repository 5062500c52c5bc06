"""Chaos: seeded runs of a small conference in which something breaks at a random effect boundary (G1-G6).

Everything runs in one process and one event loop whose time moves only when no one can go on, so that leases, credit
windows and settle times cost no time and a seed gives the same run again.

`machine`     time, and worker processes that can be frozen or vanish between two steps
`effects`     the numbered boundaries, and which fault strikes at which
`valkey`      the way to a real Valkey, with its real Lua scripts, on the loop's time
`wire`        the way to the sandbox Swoogo
`deliveries`  the way of its webhooks: lost, doubled, late, out of order, forged
`log`         Kafka in memory: topics and groups; it may stand still
`clients`     what the service holds of it: a producer, a broker for the subscribers
`replica`     the service, as `consumer.app` composes it, on all of these
`peer`        what one would write without all this: retries on a consumer of single changes
`conference`  the conference, its organization and event
`names`       the forms in which its names are written, and a Swoogo that stores text as it pleases
`people`      look-alike addresses, merged contacts, contacts deleted by a null value
`mapped`      field maps, who changes them and edits mapped fields, and what must be there
`history`     what happens to the conference
`orgs`        two organizations with an event each, and what happens between them
`second`      who takes part in that, and which seeds play it
`checks`      what must be true when everything has calmed down
`verdict`     what came of a run
`run`         one seed, from the first record to the verdict
`report`      many of them: verdicts, and faults by kind and boundary

`python -m tests.chaos --seed N` (or `make chaos ARGS="--seed N"`) runs one seed and tells what happened in it.
"""
