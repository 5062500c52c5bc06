"""The commands behind `swoogo-sync`, each loaded only when it is called.

A command that shows something is two modules or functions: one reads and makes a document (plain dataclasses,
what `--json` prints), one renders that document for people. So both say the same.

serve        run the service until it is told to stop
plan         what a sync would do now (N3): `plan_document`, `plan_view`
sync         ask for a manual sync and follow it (C5)
status       events, runs, issues: `status_document`, `status_view`
ledger       what is known to be in Swoogo
keys, config key pairs and sealed credentials; effective settings
opened       the stores in Redis, read-only
output       consoles, JSON, masking
exits        what each error means as an exit code, in one place
"""
