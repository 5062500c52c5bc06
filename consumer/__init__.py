"""One-way sync from Sessionboard's change events on Kafka to Swoogo: the map of the service.

A change is recorded and marks its event dirty. Later a worker claims the event, plans from the whole state and pushes;
nothing else writes to Swoogo. `docs/architecture` describes each stage. Codes such as (G2) are rules: `tools/rules.py`.

    entrypoints/       how the service is called
        cli/           the commands, a module each
        console/       the pages, drawn from the documents
            pages/     a module a page
        documents/     what people are shown, as the commands print it
        subscribers    the Kafka topics, record by record
    app                the life of a process: starts, works, stops
    wiring/            what a process is built of: clients, and services on them
    settings/          every setting; the only place that reads the environment
    observability/     metrics, traces, logs and health, made from what a push reports
        metrics/       every metric, declared with its meaning

    services/          the stages, awaiting and short
        record         a change becomes a row and a dirty mark
        dispatch       a due event is claimed under a lease
        push           load, reconcile, plan, execute, settle, commit
        connect        credentials and pairs, in force or refused
        rebuild        a lost Redis is restored from Kafka
    domain/            the rules, as pure functions
        explaining/    where records and events stand, in words
        push/          what a push knows, does and comes to: claim, cause, facts, settlement
        orders/        what people ask the service to do
        planning/      snapshot, ledger, mapping, now -> plan; `planner` is the one function
        surveys/       what reading Swoogo says about the ledger
        fields/        field maps: what fits, and how a value is converted
        issues/        what people read about records: codes and sentences
        connections/   integrations, event pairs and their mappings
        records/       both sides' records, and the ledger between them
        pacing/        when to call Swoogo, and when to wait
    ports/             what the services need from the world, as protocols

    adapters/          one folder a technology
        kafka/         topics in and out, changelog, dead letters
        redis/         state; `keys` has every key and its owner
        swoogo/        the API, its credits and its circuit
        images/        headshots and logos, decoded in a confined process
        webhooks/      what Swoogo delivers, received
        probing/       which guesses about Swoogo's API hold
    diagnostics/       what `swoogo-sync doctor` checks
"""

from consumer.extras import leave_out

leave_out()
