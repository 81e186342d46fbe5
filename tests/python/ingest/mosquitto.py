"""A real MQTT broker of its own on a free port, which a test starts, kills and starts again."""

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PROGRAM = "/usr/sbin/mosquitto"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Broker:
    """`settings`: further lines of its configuration."""

    folder: Path
    settings: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> "Broker":
        self.folder.mkdir(exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "user root",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_queued_messages 0",
            f"log_dest file {self.folder}/log",
            *(self.settings or ["allow_anonymous true"]),
        ]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen([PROGRAM, "-c", config], stderr=subprocess.DEVNULL)
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise RuntimeError(self.folder.joinpath("log").read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def forget(self) -> None:
        """As a broker without persistence after it fell."""
        self.kill()
        self.folder.joinpath("mosquitto.db").unlink(missing_ok=True)

    def publish(self, *messages: tuple[str, bytes], qos: int = 1, retain: bool = False) -> None:
        """Returns when the broker has them."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.max_queued_messages_set(0)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        sent = [client.publish(topic, payload, qos, retain) for topic, payload in messages]
        for it in sent:
            it.wait_for_publish(20)
        client.disconnect()
        client.loop_stop()


def expire(broker: Broker, client_id: str) -> None:
    """Ends the session of a client, as its expiry would."""
    ended = Properties(PacketTypes.CONNECT)
    ended.SessionExpiryInterval = 0
    client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
    client.connect("127.0.0.1", broker.port, clean_start=True, properties=ended)
    client.loop(1)
    client.disconnect()
