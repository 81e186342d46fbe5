"""Live sources of plant.yml: kafka, mqtt and opcua, and how a message becomes records (docs/streams.md)."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pipeline.section import NAME, Section, Zone


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


class StreamSource(Section):
    """Messages that come by themselves, each with one record of a table or several."""

    name: str = Field(pattern=NAME)
    table: str = "sensor_reading"
    payload: Payload = Payload()
    columns: dict[str, str] = {}
    """contract column: the dotted path of its field; only where names differ by more than case and _."""
    timezone: Zone | None = None
    """Zone of times that carry none; default the plant's."""
    timestamp_format: str | None = None
    """strptime format of times; default ISO 8601, or numbers since 1970."""
    repeated_hour: Literal["first", "second"] = "first"
    """Which of the two a local time in the repeated hour of a clock change means."""


class KafkaSource(StreamSource):
    """Topics of a Kafka cluster. Consumers of one group share their partitions."""

    kind: Literal["kafka"]
    brokers: str = Field(min_length=1)
    """host:port, separated by commas."""
    topics: list[str] = Field(min_length=1)
    """Names; one that begins with ^ is a regular expression."""
    group: str = Field(default="firstpass", min_length=1)
    settings: dict[str, SecretStr] = {}
    """Further settings by librdkafka's own names, such as security.protocol, sasl.username, ssl.ca.location."""

    @field_validator("settings", mode="before")
    @classmethod
    def _as_text(cls, settings: object) -> object:
        if not isinstance(settings, dict):
            return settings
        return {key: str(it).lower() if isinstance(it, bool) else str(it) for key, it in settings.items()}


class MqttSource(StreamSource):
    """Topics of an MQTT 5 broker."""

    kind: Literal["mqtt"]
    broker: str = Field(min_length=1)
    """host or host:port."""
    topics: list[str] = Field(min_length=1)
    """Filters, such as plant/+/temperature; $share/group/filter shares the messages among consumers."""


class OpcuaSource(StreamSource):
    """Variables of an OPC UA server."""

    kind: Literal["opcua"]
    url: str = Field(pattern=r"^opc\.tcp://[^@]+$")
    nodes: list[str] = Field(min_length=1)
    """Node ids, such as ns=2;s=Line1.Temperature."""
