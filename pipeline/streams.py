"""Live sources of plant.yml: kafka, mqtt and opcua, and how a message becomes records (docs/streams.md)."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from pipeline.section import NAME, Section, Texts, Zone
from pipeline.topics import checked_topics

GAPS = "stream_gap"
"""The table of what live sources did not receive."""

NODE = re.compile(r"(?:ns=\d+;)?(?:i=\d+|[sgb]=.+)|(?:/(?:\d+:)?[^/]+)+")


class Payload(Section):
    """How the records of a message are found; see `ingest.stream.payload`."""

    format: Literal["json", "value"] = "json"
    """value: the whole message is one plain value, such as 21.5."""
    topics: list[str] = []
    """Patterns such as plant/{plant_name}/lane/{lane_number}: each name is a level, and a field of the message."""
    each: str | None = Field(default=None, min_length=1)
    """Dotted path of an array with a record in each element; fields beside it belong to all."""
    values: list[str] = []
    """Dotted paths of values that are a record each, with the fields name and value; `sensors.*` is all there."""

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        return checked_topics(topics)


class StreamSource(Section):
    """Messages that come by themselves, each with one record of a table or several."""

    name: str = Field(pattern=NAME)
    table: str = "sensor_reading"
    payload: Payload = Payload()
    columns: dict[str, str] = {}
    """contract column: the dotted path of its field, or a text with such paths in braces: {plant_name}/{lane_number}.
    Only where names differ by more than case and _."""
    timezone: Zone | None = None
    """Zone of times that carry none; default the plant's."""
    timestamp_format: Texts | None = None
    """strptime formats of times, the first that fits; default ISO 8601, or numbers since 1970."""
    repeated_hour: Literal["first", "second"] = "first"
    """Which of the two a local time in the repeated hour of a clock change means."""


class KafkaSource(StreamSource):
    """Topics of a Kafka cluster. Consumers of one group share their partitions."""

    kind: Literal["kafka"]
    brokers: str = Field(min_length=1)
    """host:port, separated by commas."""
    topics: list[str] = Field(min_length=1)
    """Names; one that begins with ^ is a regular expression."""
    group: str | None = Field(default=None, min_length=1)
    """Default firstpass-<plant>. Two data directories need two groups, or each gets a part of the messages."""
    settings: dict[str, SecretStr] = {}
    """Further settings by librdkafka's own names, such as security.protocol, sasl.username, ssl.ca.location."""

    @field_validator("settings", mode="before")
    @classmethod
    def _as_text(cls, settings: object) -> object:
        if not isinstance(settings, dict):
            return settings
        return {key: str(it).lower() if isinstance(it, bool | int | float) else it for key, it in settings.items()}


class Tls(Section):
    """Files in PEM, relative to the plant's folder."""

    ca: str | None = None
    """Who signed the broker's certificate; default the authorities that the system trusts."""
    certificate: str | None = None
    """Ours, for brokers that ask for one."""
    key: str | None = None


class MqttSource(StreamSource):
    """Topics of an MQTT 5 broker, which keeps what is sent at QoS 1 while we are away."""

    kind: Literal["mqtt"]
    broker: str
    """host or host:port; default 1883, with TLS 8883."""
    topics: list[str] = Field(min_length=1)
    """Filters, such as plant/+/temperature or plant/{plant_name}/#: a level in braces is a field of the message, too.
    $share/group/filter shares the messages among consumers."""
    qos: Literal[0, 1] = 1
    client: str | None = Field(default=None, min_length=1)
    """By which the broker knows us again; default firstpass-<plant>-<source>. No two consumers may have the same."""
    session_days: float = Field(default=7, gt=0, le=365)
    """How long the broker is asked to keep what we miss."""
    user: str | None = None
    password: SecretStr | None = None
    tls: Tls | None = None

    @field_validator("broker")
    @classmethod
    def _is_host(cls, broker: str) -> str:
        found = re.fullmatch(r"(?:[^\s/:@]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?", broker)
        if not found or not 0 < int(found[1] or 1883) < 65_536:
            raise ValueError("expected a host, or host:port")
        return broker

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        return checked_topics(topics)

    @model_validator(mode="after")
    def _reads_its_topics(self) -> "MqttSource":
        """A session may bring what is no longer asked for."""
        self.payload = self.payload.model_copy(update={"topics": self.payload.topics or self.topics})
        return self

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.broker.rpartition(":") if re.search(r":\d+$", self.broker) else (self.broker, "", "")
        return host.strip("[]"), int(port or (8883 if self.tls else 1883))


class Security(Section):
    """How messages to and from an OPC UA server are signed and encrypted. Files are relative to the plant's folder."""

    policy: Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = "Basic256Sha256"
    mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
    certificate: str
    """Ours, DER or PEM; the server has to trust it."""
    key: str
    server_certificate: str | None = None
    """The one that the server must have; default any."""


class OpcuaSource(StreamSource):
    """Variables of an OPC UA server, by subscription."""

    kind: Literal["opcua"]
    url: str
    nodes: dict[str, str] = Field(min_length=1)
    """sensor_id: node id such as ns=2;s=Line1.Temperature, or browse path from Objects such as /2:Line1/2:Temperature.
    A list of nodes: each is its sensor_id."""
    period_s: float = Field(default=0.5, gt=0)
    """How often the server sends what has changed."""
    sampling_s: float = Field(default=0, ge=0)
    """How often the server looks for a change; 0 is as often as it can."""
    queue: int = Field(default=1000, ge=1)
    """Changes of a node that the server keeps until it sends."""
    history: bool = True
    """Whether what was missed is read from the server's history."""
    user: str | None = None
    password: SecretStr | None = None
    security: Security | None = None

    @field_validator("nodes", mode="before")
    @classmethod
    def _named(cls, nodes: object) -> object:
        if isinstance(nodes, list) and all(isinstance(node, str) for node in nodes):
            return {node: node for node in nodes}
        return nodes

    @field_validator("nodes")
    @classmethod
    def _are_nodes(cls, nodes: dict[str, str]) -> dict[str, str]:
        if wrong := [node for node in nodes.values() if not NODE.fullmatch(node)]:
            raise ValueError(f"{wrong[0]!r}: expected such as ns=2;s=Line1.Temperature, or a path: /2:Line1/2:T")
        return nodes

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not re.fullmatch(r"opc\.tcp://[^\s@?#]+", url):
            raise ValueError("expected a URL without user and password, such as opc.tcp://press-4:4840")
        return url
