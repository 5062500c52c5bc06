"""`topics create`: what is missing of the service's topics, with the right policies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiokafka.errors import InvalidReplicationFactorError, KafkaError

from consumer.adapters.kafka.security import client_options, explain_connection_error
from consumer.adapters.kafka.topics import create_topics, policies
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.console.exit_codes import Exit
from consumer.entrypoints.console.output import out, print_json
from consumer.settings import KafkaSettings, Settings


@dataclass(frozen=True, slots=True)
class TopicsDocument:
    """What `topics create --json` prints: those made now, and those that were there."""

    created: tuple[str, ...]
    there: tuple[str, ...]


def create(settings: Settings, partitions: int, replication: int, *, as_json: bool) -> Exit:
    """Create what is missing.

    Raises:
        ConfigurationError: there are fewer brokers than copies, or they do not let us in.
        UnavailableError: no broker answers.
    """
    created = asyncio.run(_create(settings.kafka, partitions, replication))
    there = tuple(sorted(set(policies(settings.kafka.topics)) - set(created)))
    if as_json:
        print_json(TopicsDocument(created, there))
        return Exit.OK
    for name in created:
        out().print(f"created  {name}", highlight=False)
    for name in there:
        out().print(f"there    {name}", highlight=False)
    return Exit.OK


async def _create(settings: KafkaSettings, partitions: int, replication: int) -> tuple[str, ...]:
    options = client_options(settings)
    try:
        return await create_topics(
            options.pop("bootstrap_servers"),
            policies(settings.topics),
            partitions=partitions,
            replication=replication,
            **options,
        )
    except InvalidReplicationFactorError:
        raise ConfigurationError(
            f"Kafka has fewer brokers than the {replication} copies asked for; give a smaller --replication."
        ) from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise await explain_connection_error(settings, error) from error
