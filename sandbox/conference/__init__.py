"""Conferences to publish: a reader of real schedules, an invented one, and what Swoogo must hold in the end.

`pentabarf` and `sample` make a `model.Conference`; `sessionboard` spells it as Sessionboard does; `diff`
finds what a revision changed; `publisher` puts it on Kafka; `expected` is the oracle.
"""
