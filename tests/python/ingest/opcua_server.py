"""A real OPC UA server in a process of its own, which a test tells what to write, kills and starts again.

Run as a program it reads what to write as a JSON document per line, and answers each.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Node, Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.history import HistoryDict
from asyncua.server.user_managers import UserManager
from mosquitto import free_port

PASSWORD = "s3cret"


@dataclass
class Machine:
    """The server's process, with an object Line1 (ns=2) that a variable is added to when it is first written."""

    port: int = field(default_factory=free_port)
    certificate: Path | None = None
    key: Path | None = None
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/plant/"

    def start(self) -> "Machine":
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        files = [str(file) for file in (self.certificate, self.key) if file]
        self.process = subprocess.Popen([sys.executable, __file__, self.url, *files], **pipes)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def write(self, name: str, value: object, **more: object) -> None:
        """Returns when the server has it. `at`: the source's timestamp, default now; `status`: a code or its name;
        `keeps`: from here on with history; `is_dated`: with the server's timestamp."""
        self.process.stdin.write(json.dumps({"name": name, "value": value} | more) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


class Users(UserManager):
    """Anyone, and `reader` by a password."""

    def get_user(self, iserver, username=None, password=None, certificate=None):
        return User(role=UserRole.User) if username is None or password == PASSWORD else None


class History(HistoryDict):
    """As servers do that keep no history, which asyncua's would answer with an empty one, and as servers do that keep
    all: asyncua's fills it by a subscription with a queue of one, which loses all but the last of several values."""

    async def save_node_value(self, node_id, datavalue):
        """What the subscription brings is kept already."""

    async def keep(self, node_id: ua.NodeId, value: ua.DataValue) -> None:
        if node_id in self._datachanges:
            await super().save_node_value(node_id, value)

    async def read_node_history(self, node_id, *how):
        if node_id not in self._datachanges:
            raise ServiceError(ua.StatusCodes.BadHistoryOperationUnsupported)
        return await super().read_node_history(node_id, *how)


async def serve(url: str, *files: str) -> None:
    server = Server(user_manager=Users())
    await server.init()
    history = History()
    server.iserver.history_manager.set_storage(history)
    server.set_endpoint(url)
    policies = [ua.SecurityPolicyType.NoSecurity]
    if files:
        await server.load_certificate(files[0])
        await server.load_private_key(files[1], format="pem")
        policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
    server.set_security_policy(policies)
    space = await server.register_namespace("urn:plant")
    line = await server.nodes.objects.add_object(space, "Line1")
    nodes: dict[str, Node] = {}
    async with server:
        print("ready", flush=True)
        while command := await asyncio.to_thread(sys.stdin.readline):
            told = json.loads(command)
            name, keeps = told.pop("name"), told.pop("keeps", False)
            if name not in nodes:
                nodes[name] = await line.add_variable(ua.NodeId(name, space), f"{space}:{name}", 0.0)
            if keeps:
                await server.historize_node_data_change(nodes[name], period=None, count=1000)
            value = data_value(**told)
            await server.write_attribute_value(nodes[name].nodeid, value)
            await history.keep(nodes[name].nodeid, value)
            print("done", flush=True)


def data_value(value: float | None, status: str | int = "Good", at: str | None = "now", is_dated: bool = True):
    now = datetime.now(UTC)
    return ua.DataValue(
        None if value is None else ua.Variant(value, ua.VariantType.Double),
        StatusCode=ua.StatusCode(status),
        SourceTimestamp=now if at == "now" else at and datetime.fromisoformat(at),
        ServerTimestamp=now if is_dated else None,
    )


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
