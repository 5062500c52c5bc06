"""`topics create`: what is missing of the service's topics, with the right policies."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import InvalidReplicationFactorError, KafkaError

from consumer.adapters.kafka.security import client_options, explain_connection_error
from consumer.adapters.kafka.topics import create_topics, policies
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.cli.arguments import AsJson
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import out, print_json
from consumer.settings import KafkaSettings, load_settings


def create(
    *,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Partitions of a new topic.")] = 24,
    replication: Annotated[
        int | None, typer.Option(min=1, max=10, help="Copies of each partition; 3, or one a broker if there are fewer.")
    ] = None,
    as_json: AsJson = False,
) -> Exit:
    """Create the topics that are missing, each kept as the service needs it. Those that exist stay as they are."""
    settings = load_settings()
    created = asyncio.run(_create(settings.kafka, partitions, replication))
    there = tuple(sorted(set(policies(settings.kafka.topics)) - set(created)))
    if as_json:
        print_json({"created": created, "there": there})
        return Exit.OK
    for name in created:
        out().print(f"created  {name}", highlight=False)
    for name in there:
        out().print(f"there    {name}", highlight=False)
    return Exit.OK


async def _create(settings: KafkaSettings, partitions: int, replication: int | None) -> tuple[str, ...]:
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
