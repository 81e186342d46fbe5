"""A Kafka cluster on loopback: librdkafka's own mock brokers, which speak the protocol over TCP, in this process.

confluent_kafka ships the library but does not show these functions; they are called through ctypes.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import confluent_kafka

PRODUCER = 0
FOLDER = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")


class KafkaCluster:
    """`brokers` is what clients are told. Records are in memory; the mock keeps the newest 5 MB of a partition."""

    def __init__(self, broker_count: int = 1):
        confluent_kafka.Producer({"bootstrap.servers": "-"})  # loads the library with what it needs
        self.library = ctypes.CDLL(str(next(FOLDER.glob("librdkafka-*.so*"))))
        new, make = self.library.rd_kafka_new, self.library.rd_kafka_mock_cluster_new
        names = self.library.rd_kafka_mock_cluster_bootstraps
        new.restype = make.restype = ctypes.c_void_p
        names.restype = ctypes.c_char_p
        self.client = ctypes.c_void_p(new(PRODUCER, None, None, ctypes.c_size_t(0)))
        self.cluster = ctypes.c_void_p(make(self.client, broker_count))
        self.ids = range(1, broker_count + 1)
        self.brokers = names(self.cluster).decode()

    def create(self, topic: str, partitions: int = 1) -> None:
        self._call("topic_create", topic.encode(), partitions, 1)

    def down(self) -> None:
        """Brokers close their connections and refuse new ones; what they hold stays."""
        for broker in self.ids:
            self._call("broker_set_down", broker)

    def up(self) -> None:
        for broker in self.ids:
            self._call("broker_set_up", broker)

    def refuse(self, request: int, *errors: int) -> None:
        """The next requests of a kind get these errors, by Kafka's own numbers."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._call("push_request_errors_array", ctypes.c_int16(request), ctypes.c_size_t(len(errors)), array)

    def close(self) -> None:
        self.library.rd_kafka_mock_cluster_destroy(self.cluster)
        self.library.rd_kafka_destroy(self.client)

    def _call(self, name: str, *arguments: object) -> None:
        getattr(self.library, f"rd_kafka_mock_{name}")(self.cluster, *arguments)


@contextmanager
def kafka_cluster(broker_count: int = 1) -> Iterator[KafkaCluster]:
    cluster = KafkaCluster(broker_count)
    try:
        yield cluster
    finally:
        cluster.close()
