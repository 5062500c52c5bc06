"""One-way sync from Sessionboard's change events on Kafka to Swoogo: the map of the service.

A change is recorded and marks its event dirty. Later a worker claims the event, plans from the whole state and pushes;
nothing else writes to Swoogo. `docs/architecture` describes each stage.

    entrypoints/       how the service is called
        cli/           the commands, a module each
        subscribers    the Kafka topics, record by record
    app                the life of a process: starts, works, stops
    wiring             what a process is built of; tests and benchmarks use the same builders
    settings/          every setting; the only place that reads the environment
    observability/     metrics, traces, logs and health, made from what a push reports

    services/          the stages, awaiting and short
        record         a change becomes a row and a dirty mark
        dispatch       a due event is claimed under a lease
        push           load, reconcile, plan, execute, settle, commit
        connect        credentials and pairs, in force or refused
        rebuild        a lost Redis is restored from Kafka
    domain/            the rules, as pure functions
        planner        snapshot, ledger, mapping, now -> plan
        settlement     what was done -> run, issues, what stays dirty
        ledger         what is known to be in Swoogo
    ports/             what the services need from the world, as protocols

    adapters/          one folder a technology
        kafka/         topics in and out, changelog, dead letters
        redis/         state; `keys` has every key and its owner
        swoogo/        the API, its credits and its circuit
        images/        headshots and logos, decoded in a confined process
        webhooks/      what Swoogo delivers, received
        probing/       which guesses about Swoogo's API hold
    diagnostics/       what `swoogo-sync doctor` checks
Settings    `settings.group`                 what they share; `settings` alone reads the environment
            `settings.kafka`                 the broker, and how it is read
            `settings.redis`                 Redis or Valkey
            `settings.tls`                   certificates, towards Kafka and Redis
            `settings.sync`                  debounce, push and reconcile
            `settings.swoogo`                the API
            `settings.images`                headshots and logos
            `settings.keys`                  the key pair
            `settings.log`                   logs
            `settings.http`                  where probes and metrics are served
            `settings.tracing`               traces
            `settings.errors`                one sentence for a wrong setting
            `settings.docs`                  writes `.env.example`, makes the page `settings.md`

Ports       `ports.clock`                    time and chance
            `ports.circuits`                 whether calls are worth making
            `ports.inbox`                    recorded changes, and who works on them
            `ports.ledger`                   what is known to be in Swoogo
            `ports.connections`              credentials and pairs
            `ports.swoogo`                   the one way to Swoogo, credits, tokens
            `ports.images`                   headshots and logos
            `ports.status`                   what people are told
            `ports.topics`                   records from Kafka, dead letters
            `ports.rebuild`                  the marker, and what Kafka still knows

Record      `entrypoints.subscribers`        one batch subscriber a topic
            `adapters.kafka.broker`          what they hang on
            `adapters.kafka.reader`          notices that a topic is another one of the same name
            `adapters.kafka.topic_ids`       what tells them apart
            `services.record`                a batch becomes rows and dirty marks, or dead letters
            `adapters.kafka.security`          encryption and login, and why a broker refuses
            `adapters.kafka.decode`          bytes to envelope, then to resource
            `adapters.kafka.usual`           the fast reader of records of the usual shape
            `adapters.kafka.lenient`         records with odd values, read without these
            `adapters.kafka.convert`         Sessionboard's spelling to ours
            `adapters.kafka.codecs`          which compressions can be read
            `adapters.kafka.topics`          topics: how each is kept
            `adapters.kafka.topic_checks`    whether they are there, and kept so
            `services.replay`                a topic read again into the recorder
            `adapters.redis.replays`         where an interrupted one goes on
            `adapters.kafka.dead_letters`         dead letters as operators see and settle them
            `adapters.kafka.open_dead_letters`    how many are open
            `adapters.kafka.history`         a topic read again, beside the consumer groups
            `adapters.kafka.topic_scan`      from given offsets to given ends, or an error
            `domain.snapshot`                the newest known state of an event
            `domain.identity`                  kinds, keys, version stamps, digests
            `domain.request`                 manual syncs asked for, and what several come to together

Debounce    `domain.backoff`                when an event is due; back-off
and claim   `services.dispatch`              finds what is due, claims it, keeps the lease
            `adapters.redis.inbox`           rows, dirty marks, claims
            `adapters.redis.stores`          these, bound to one pool, for service and commands
            `adapters.redis.due_index`       where workers look for what is due
            `adapters.redis.leases`          until when this process holds what it claimed

Plan        `domain.planner`                 the pure function: snapshot, ledger, mapping, now -> plan
            `domain.plan`                    operations, phases, cost
            `domain.pace`                    how long calls take
            `domain.draft`                   what a plan depends on, and a plan being written
            `domain.unanswered`              what a create without an answer may have made
            `domain.upserts`                 one session, speaker or sponsor: create, adopt, update, wait, ask
            `domain.links`                   who is to be associated with which session
            `domain.eligibility`             who takes part, and why others do not
            `domain.speakers`                  who syncs as a speaker
            `domain.digests`                 people's data as keyed digests (Y3)
            `domain.rekeying`                from one key of digests to the next
            `domain.email_owners`            whose an e-mail address is
            `domain.contact_succession`                   who goes on with the speaker of a contact imported again
            `domain.places`                  rooms and tracks
            `domain.looks`                   when a kind is read with the event, and when as a list
            `domain.sponsors`                sponsors and the levels they use
            `domain.deletions`                what is to be deleted in Swoogo, where that is asked for
            `domain.images`                which headshots and logos to see to
            `domain.scope`                   what one sync covers
            `domain.html_content`            what of HTML cannot go to Swoogo
            `domain.desired`                 a record as Swoogo should hold it
            `domain.field_maps`              which field goes where, as a mapping says
            `domain.field_sources`           fields as Sessionboard names them, and the default map
            `domain.field_values`            values that only field maps name
            `domain.field_fitting`           a field map fitted to both sides
            `domain.conversion`              a value as its target takes it
            `domain.text`                    text as it is sent, and as it is compared
            `domain.natural_key`             how a record is recognised in Swoogo without its id
            `domain.schedule`                wall-clock placement
            `domain.timezones`               whether two zones are the same for an event

Push        `services.push`                  load, survey, plan, execute, settle, commit: the stages in order
            `domain.cause`                   why an event is pushed: changes, people, a comparison
            `domain.claim`                   subjects, leases, and the state of an event
            `domain.facts`                   what a push knows before its first call
            `services.ledger_commands`       what operators asked to be done to the ledger
            `services.planning`              the only place that builds the input of a plan; `plan` shows the same
            `services.looks`                 what Swoogo holds of a kind, before a plan
            `services.executor`              a plan carried out, phase after phase
            `services.execution`             what its operations share, and note
            `services.operations`            one operation: intent, call, ledger
            `services.associations`          sessions of a speaker, without those that are gone
            `services.missing_records`       records that Swoogo does not have
            `services.images`                images fetched without a lease, uploaded when they are news
            `services.image_uploads`         the last phase: images that have arrived
            `services.ledger_writer`         the ledger while it is pushed, written through a fence
            `services.run_reporter`          how far a run is, and when it should be done
            `domain.execution`               what was planned and done
            `domain.settlement`              what that comes to: run, issues, marks, when the event is due again
            `domain.standing_issues`         the issues that stand after it
            `domain.push_report`             all of it, for everything that watches
            `services.served`                which manual syncs are over, for the changelog
            `domain.field_definitions`       fields as Swoogo defines them, and what became of them
            `domain.references`              rooms, tracks and levels by their ids on either side
            `domain.refusals`                operations that Swoogo refused
            `domain.http_outcome`            what an answer means
            `services.circuit_gate`          whether an event is pushed while Swoogo is silent
            `domain.errors`                  errors by what the caller does

Reconcile   `services.reconcile`             before a push: ask Swoogo what changed there
            `domain.survey`                  what an answer says about the ledger: gone, edited
            `adapters.swoogo.surveys`        an event read with as few credits as show what changed

Swoogo      `adapters.swoogo.client`         the one way to Swoogo
client      `adapters.swoogo.calls`          a call from permit to outcome
            `adapters.swoogo.auth`           access tokens
            `adapters.swoogo.credit_meter`          permits taken and settled
            `adapters.swoogo.transport`        one HTTP exchange
            `adapters.swoogo.listing`        lists that prove they are complete
            `adapters.swoogo.links`          associations of speakers with sessions
            `adapters.swoogo.levels`         sponsorship levels, added once
            `adapters.swoogo.uploads`        headshots and logos
            `adapters.swoogo.wire`           what each kind is called there
            `adapters.swoogo.forms`          form bodies
            `adapters.swoogo.html`           HTML allow-list
            `adapters.swoogo.html_tree`      HTML compared as people see it
            `adapters.swoogo.breaker`        what became of calls, reported to the circuit
            `domain.circuit`                 when to leave an unreachable Swoogo alone
            `adapters.redis.circuits`        the same for all replicas
            `adapters.redis.budget`          credits shared by all replicas
            `adapters.redis.tokens`          tokens shared by all replicas

Ledger      `domain.ledger`                  what we know to be in Swoogo
            `domain.ledger_commands`                  what an operator asks to be done to it
            `adapters.redis.ledger`          fenced writes, and the outbox to the changelog
            `adapters.kafka.publish`         changelog, status and dead letters

Rebuild     `services.rebuild`               a loss of Redis: noticed, one replica makes it good
            `services.rebuild_attempt`       reads from Kafka, puts back, notes how far it is
            `services.rebuild_standings`     connections and pairs as they were
            `services.rebuild_ports`         what it stands on, and why it does not end
            `services.workers`               work done side by side
            `domain.connection_state`                how connections stand, for a rebuild
            `adapters.kafka.changelog`       the changelog as bytes, there and back
            `adapters.kafka.rebuild_source`  changelog, inputs, and how far the consumer groups are
            `adapters.redis.rebuild_marker`  the marker, who rebuilds, and how far
            `adapters.redis.rebuild_restore`    what is put back
            `adapters.redis.rebuild_scripts` the scripts of that

Report      `domain.run`                     runs and tallies
            `domain.issue`                   codes, and what each means for the record
            `domain.labels`                  what people call a record
            `domain.record_issues`           what is published of each record, and whether that is news
            `domain.sentences`               the words for event admins, and for operators
            `issues_docs`                    makes the page `issues.md` of the site
            `asyncapi_docs`                  makes the page `asyncapi.md` of the site
            `adapters.redis.status`          runs and issues kept
            `adapters.redis.issue_feed`      what the issues topic has of each record
            `adapters.kafka.status_messages`        messages of the status topic

Connect     `services.connect`               integrations and pairs: checked, in force or refused
            `services.credential_status`     a credential that stopped working, told once
            `services.voids`                 pairs that never synced anything, taken back
            `domain.connection`              what was requested, and the rules for accepting it
            `domain.pair`                    the history of pairs, and what a disconnect sealed
            `domain.mapping`                 an active pair and its settings
            `adapters.redis.connections`     accepted credentials and active pairs
            `adapters.redis.pairs`           every pair that ever was
            `adapters.sealing`               sealed credentials, encrypted tokens

Redis       `adapters.redis.client`          connections, and how failures are named
            `adapters.redis.server_checks`         why Redis will not do
            `adapters.redis.server_time`     what the clock of this process goes by
            `adapters.redis.keys`            every key
            `adapters.redis.scripts`         one typed method a Lua script
            `adapters.redis.lua_files`       their texts, and what several share
            `adapters.redis.codecs`            how objects lie in Redis
            `adapters.redis.uninterrupted`   work that a cancelled caller leaves to its end

Images      `adapters.images.pictures`       from a URL to bytes to upload
            `adapters.images.fetch`          from an address a stranger wrote, bounded
            `adapters.images.addresses`      which addresses are fetched from
            `adapters.images.resolver`       host names looked up apart from the service's own
            `adapters.images.formats`        what kind of file it is
            `adapters.images.encode`         colours, and a number of bytes
            `adapters.images.fit`            a still, upright picture of an accepted format
            `adapters.images.decoder`        a process for each image, so that none stops or spies on the service
            `adapters.images.worker`         what runs in it
            `adapters.images.confine`        what is taken from it before it reads the image

Set up      `entrypoints.console.doctor`     doctor: everything the service stands on, a line each
            `diagnostics.check_result`        one of these lines
            `diagnostics.kafka`          topics, how they are kept, rights
            `diagnostics.redis`          version, eviction, persistence, rights, clock
            `diagnostics.swoogo`         a token and an event for each organization
            `entrypoints.console.probe`      probe: which guesses about Swoogo hold
            `adapters.probing.probe`         all questions in order, and the cleaning up
            `adapters.probing.scratch`       the scratch event, and what was made there
            `adapters.probing.findings`      answers, and the settings that suit them
            `adapters.probing.records`       creating, updating, deleting
            `adapters.probing.texts`         what is stored of a text
            `adapters.probing.reading`       lists and single records
            `adapters.probing.speakers`      associations and pictures
            `adapters.probing.credits`       what costs a credit

Look and    `entrypoints.console.session`     the stores as the commands use them
ask         `entrypoints.console.output`     for people, or one JSON document
            `entrypoints.console.table`      tables that fit the terminal
            `entrypoints.console.ids`        ids, short and by their beginning
            `adapters.redis.glance`          event ids for the shell's completion
            `entrypoints.console.streams`    standard output and error, in ASCII or on a full disk too
            `entrypoints.console.plan_document`    plan: what a sync would do now
            `entrypoints.console.plan_view`        the same on a terminal
            `entrypoints.console.attention`  what needs a hand, at the end of status
            `entrypoints.console.status_document`  status: events, runs, issues
            `entrypoints.console.status_view`      the same on a terminal
            `entrypoints.console.runs`       runs and issues: past syncs, and what needs attention
            `entrypoints.console.completeness`    what there is to say during a rebuild, and after a loss
            `entrypoints.console.sync`       sync: ask for one and follow it
            `entrypoints.console.ledger`     ledger: what is known to be in Swoogo
            `entrypoints.console.orders`     ledger lift, adopt, forget: ask for something to be done to it
            `entrypoints.console.removals`   ledger remove: confirm many removals at once
            `entrypoints.console.voids`      pairs void: take back a pair that never synced anything
            `entrypoints.console.reconcile`  reconcile: ask for one and follow it
            `entrypoints.console.topics`     topics create: what is missing, with the right policies
            `entrypoints.console.dlq`        dlq: dead letters listed, put back, discarded
            `entrypoints.console.parked`     parked: refused changes listed, tried once more
            `entrypoints.console.replay`     replay: read a topic again
            `entrypoints.console.keys`       keys: make, show, seal
            `entrypoints.console.rotation`   keys: from one pair to the next
            `entrypoints.console.config`     config: settings in effect
            `entrypoints.console.cli_docs`   makes the page `cli.md` of the site
"""
