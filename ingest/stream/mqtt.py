"""MQTT 5: messages of QoS 1 that the broker keeps for our session until they are acknowledged.

All runs in the thread that polls: while messages land, nothing is read, and the broker holds back what comes. A message
is acknowledged on the connection that brought it and on no other, where its packet id may be another message's.
"""

import ssl
import time
from collections import deque
from datetime import UTC, datetime

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.source import Unreachable
from ingest.stream.absences import Absences, lost_since
from ingest.stream.connector import Gap, Landed, Message
from pipeline.plant import Plant
from pipeline.streams import MqttSource
from pipeline.topics import topic_filter

MOST = 10_000
"""Messages that one poll returns, and that the broker sends before the first is acknowledged."""
KEEPALIVE_S = 10
TIMEOUT_S = 5.0
PATIENCE_S = (0.5, 30.0)
"""Between two attempts to connect: at first, and at most."""
FOR_GOOD = {
    "Bad user name or password",
    "Bad authentication method",
    "Banned",
    "Client identifier not valid",
    "Not authorized",
    "Session taken over",
    "Unsupported protocol version",
}
"""What brokers say that waiting does not mend."""


def connect(plant: Plant, source: MqttSource, landed: Landed) -> "Mqtt":
    return Mqtt(plant, source, landed.received_until())


class Mqtt:
    """See `ingest.stream.connector.Connector`."""

    def __init__(self, plant: Plant, source: MqttSource, received_until: datetime | None):
        self.source = source
        self.name = source.client or f"firstpass-{plant.name}-{source.name}"
        self.filters = [topic_filter(topic) for topic in source.topics]
        self.came: deque[tuple[Message, int, int]] = deque()
        """Not polled yet: the message, the number of the connection that brought it, its packet id; 0 at QoS 0."""
        self.polled: list[tuple[int, int]] = []
        """Connection and packet id of what is about to land."""
        self.connection = 0
        self.is_open = self.is_whole = self.has_session = False
        self.trouble: str | None = "not connected yet"
        self.problem: str | None = None
        self.patience_s, self.retry_at, self.opened_at = PATIENCE_S[0], 0.0, 0.0
        self.heard_at = datetime.now(UTC)
        self.absences = Absences()
        self.client = self._client(plant)
        if received_until is not None:
            self.absences.begin(self.filters, received_until, "not running")

    def poll(self, seconds: float) -> list[Message]:
        until = time.monotonic() + seconds
        while not self.came and (left := until - time.monotonic()) > 0:
            if self.problem:
                raise Unreachable(self.source.broker, self.problem)
            if self.is_open:
                self._listen(left)
            else:
                self._connect(left)
        known = -1
        while self.is_open and known < len(self.came) < MOST:
            known = len(self.came)
            self.client.loop_read()
        taken = [self.came.popleft() for _ in range(min(MOST, len(self.came)))]
        self.polled += [(connection, packet) for _, connection, packet in taken]
        return [message for message, _, _ in taken]

    def landed(self) -> None:
        for connection, packet in self.polled:
            if packet and self.is_open and connection == self.connection:
                self.client.ack(packet, 1)
        self.polled.clear()

    def gaps(self) -> list[Gap]:
        return self.absences.taken()

    def backlog(self) -> int | None:
        return None

    def close(self) -> None:
        """The session stays: the broker keeps what comes until the next `connect`."""
        self.client.disconnect()

    def _client(self, plant: Plant) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, self.name, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
        client.connect_timeout = TIMEOUT_S
        if self.source.user is not None:
            client.username_pw_set(self.source.user, self.source.password and self.source.password.get_secret_value())
        if (tls := self.source.tls) is not None:
            files = [str(plant.folder / file) if file else None for file in (tls.ca, tls.certificate, tls.key)]
            try:
                client.tls_set(*files)
            except (OSError, ValueError) as error:
                raise Unreachable(self.source.broker, f"the files of tls can't be used: {error}") from None
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message, client.on_disconnect = self._on_message, self._on_disconnect
        return client

    def _connect(self, seconds: float) -> None:
        """One attempt, when it is time for it."""
        if (wait := self.retry_at - time.monotonic()) > 0:
            time.sleep(min(wait, seconds))
            return
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = int(self.source.session_days * 86_400)
        session.ReceiveMaximum = MOST
        try:
            self.client.connect(*self.source.address, KEEPALIVE_S, clean_start=False, properties=session)
        except ssl.SSLCertVerificationError as error:
            self.problem = f"its certificate is not trusted: {error.verify_message}; see tls.ca in plant.yml"
        except OSError as error:
            self._lost(f"can't be reached: {error}")
        else:
            self.connection += 1
            self.is_open, self.opened_at = True, time.monotonic()

    def _listen(self, seconds: float) -> None:
        if self.client.loop(min(seconds, 1.0)) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost("connection lost")

    def _lost(self, reason: str) -> None:
        self.retry_at = time.monotonic() + self.patience_s
        # Not anew after a short connection: two consumers of one name end each other's
        held = self.is_open and time.monotonic() - self.opened_at > PATIENCE_S[1]
        self.patience_s = PATIENCE_S[0] if held else min(2 * self.patience_s, PATIENCE_S[1])
        since = lost_since(self.heard_at, 2 * KEEPALIVE_S) if self.is_whole else datetime.now(UTC)
        self.absences.begin(self.filters, since, reason)
        self.is_open = self.is_whole = False
        self.trouble = reason

    def _on_connect(self, client: Client, _: object, flags: ConnectFlags, reason: ReasonCode, __: object) -> None:
        self.has_session = flags.session_present
        if not reason.is_failure:
            # What is retained comes with the first subscription of a session, not with each connection
            options = SubscribeOptions(self.source.qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(topic, options) for topic in self.filters])
        elif str(reason) in FOR_GOOD:
            self.problem = f"refused by the broker: {reason}; check user, password and client in plant.yml"

    def _on_subscribe(self, _: Client, __: object, ___: int, granted: list[ReasonCode], ____: object) -> None:
        for topic, code in zip(self.filters, granted, strict=True):
            if code.is_failure:
                self.problem = f"the topic {topic} is refused: {code}; check topics in plant.yml, and the user's rights"
        for topic, code in zip(self.filters, granted, strict=True):
            lacks = "" if self.has_session else "the broker had no session of ours"
            self.absences.end(topic, lacks if code.value else "nothing is kept at QoS 0")
        self.heard_at, self.is_whole, self.trouble = datetime.now(UTC), True, None

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        now = time.time_ns() // 1000
        self.heard_at = datetime.fromtimestamp(now / 1e6, UTC)
        topic = message.topic
        again = message.dup or message.retain
        packet = 0 if message.retain else message.mid  # what is retained comes anew with each session
        received = Message(topic, None, topic, message.payload, arrived_at=now, redelivered=again, packet=packet)
        self.came.append((received, self.connection, message.mid))

    def _on_disconnect(self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: object) -> None:
        if str(reason) in FOR_GOOD:
            self.problem = f"refused by the broker: {reason}; each consumer needs a client of its own in plant.yml"
