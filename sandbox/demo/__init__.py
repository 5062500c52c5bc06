"""The main job, played for real: a conference on Kafka, the service in a process of its own, a sandbox Swoogo.

`world` starts everything; `play` publishes and waits; `watch` knows when the service has nothing left to do;
`verify` holds the sandbox against the independent oracle; `ideal` says what it should have cost; `show` tells people.
"""
