"""Everything needed to try the service without Sessionboard, Swoogo, Kafka or Redis of one's own.

For development, tests and the demonstration only: nothing in `consumer` imports it, and every server
in it listens on 127.0.0.1.
"""
