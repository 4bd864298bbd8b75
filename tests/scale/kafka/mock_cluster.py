"""librdkafka's mock of a Kafka cluster, in the process of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scale.kafka.simulated_topic import Topic

QUIET = {"log_level": 0}


@pytest.fixture(scope="module", name="brokers")
def mock_cluster() -> Iterator[str]:
    """Run the cluster, and return its address."""
    kafka = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed (dependency group loops)")
    producer = kafka.Producer({"test.mock.num.brokers": 1, **QUIET})
    found = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{one.host}:{one.port}" for one in found)
    del producer


def publish(brokers: str, name: str, topic: Topic) -> None:
    """Send the messages of *topic*, by partition, to the topic *name* of the cluster."""
    import confluent_kafka  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - an extra

    producer: Any = confluent_kafka.Producer({"bootstrap.servers": brokers, **QUIET})
    for partition, messages in topic.messages.items():
        for message in messages:
            producer.produce(name, message.value, message.key, partition, timestamp=message.timestamp_ms)
    assert producer.flush(10) == 0
