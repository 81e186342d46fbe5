"""A connection to an OPC UA server with a subscription to variables; once it is lost, another one takes its place."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from asyncua import Client, Node, ua
from asyncua.common.subscription import DataChangeNotif, Subscription, SubscriptionItemData
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509

from ingest.source import Unreachable
from pipeline.plant import Plant
from pipeline.streams import OpcuaSource

TIMEOUT_S = 5.0
CHECK_S = 5.0
"""Between two looks at whether the server is alive; how often it says so where nothing changes."""
LIFETIME_S = 300
"""How long the server keeps a subscription whose client is silent."""
PER_CALL = 500
"""Variables in one request."""
AHEAD = timedelta(days=1)
"""How far clocks of devices may be ahead of ours for their values to be found in the history."""
FOR_GOOD = (
    ua.uaerrors.BadUserAccessDenied,
    ua.uaerrors.BadIdentityTokenInvalid,
    ua.uaerrors.BadIdentityTokenRejected,
    ua.uaerrors.BadSecurityPolicyRejected,
    ua.uaerrors.BadSecurityChecksFailed,
    ua.uaerrors.BadCertificateInvalid,
    ua.uaerrors.BadCertificateUntrusted,
    ua.uaerrors.BadCertificateUriInvalid,
)
"""What servers say that waiting does not mend."""
PASSING = (OSError, TimeoutError, ua.UaError)

logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what goes wrong is said by gaps and by `trouble`


class Session:
    """What the server notified us of waits in `notified`, in order; `why_lost` says that nothing more will come."""

    def __init__(self, plant: Plant, source: OpcuaSource):
        self.plant = plant
        self.source = source
        self.client = Client(source.url, timeout=TIMEOUT_S, watchdog_intervall=CHECK_S)
        self.client.connection_lost_callback = self._connection_lost
        self.nodes: dict[str, Node] = {}
        self.names: dict[int, str] = {}
        """By the server's handle of what it monitors."""
        self.clients: dict[int, str] = {}
        """By our own handle, which stays when the library subscribes anew."""
        self.notified: deque[tuple[SubscriptionItemData, ua.DataValue]] = deque()
        self.stirred = asyncio.Event()
        self.why_lost: str | None = None
        self.heard_at = datetime.now(UTC)
        self.opened_at = self.asked_at = 0.0
        self.subscription: Subscription | None = None
        self.subscription_id: int | None = None

    async def open(self) -> None:
        """Raises what FOR_GOOD and PASSING name, and Unreachable for files that can't be used."""
        await self._secure()
        await self.client.connect()
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = 1000 * self.source.period_s
        parameters.RequestedMaxKeepAliveCount = max(1, round(CHECK_S / self.source.period_s))
        parameters.RequestedLifetimeCount = max(3, round(LIFETIME_S / self.source.period_s))
        self.subscription = await self.client.create_subscription(parameters, self)
        self.subscription_id = self.subscription.subscription_id
        self.opened_at = asyncio.get_running_loop().time()

    async def close(self) -> None:
        with suppress(*PASSING):
            await asyncio.wait_for(self.client.disconnect(), TIMEOUT_S)

    def lacks(self, nodes: Mapping[str, str]) -> bool:
        return len(self.nodes) < len(nodes)

    async def subscribe(self, nodes: Mapping[str, str]) -> dict[str, str | None]:
        """To those of `nodes` that are not subscribed to: by name what is wrong, None where nothing is."""
        self.asked_at = asyncio.get_running_loop().time()
        results: dict[str, str | None] = {}
        for name in nodes:
            if name not in self.nodes:
                try:
                    node = await self._node(nodes[name])
                except ua.UaStatusCodeError as error:
                    results[name] = said(error)
                else:
                    self.nodes[name], results[name] = node, None
        asked = [name for name, problem in results.items() if not problem]
        for start in range(0, len(asked), PER_CALL):
            part = asked[start : start + PER_CALL]
            found = await self.subscription.subscribe_data_change(
                [self.nodes[name] for name in part],
                queuesize=self.source.queue,
                sampling_interval=1000 * self.source.sampling_s,
            )
            for name, result in zip(part, found, strict=True):
                if isinstance(result, ua.StatusCode):
                    results[name] = result.name
                    del self.nodes[name]
                else:
                    self.names[result] = name
        return results

    def taken(self) -> Iterator[tuple[str, ua.DataValue]]:
        """What came since the last call, by name."""
        self.stirred.clear()
        while self.notified:
            item, value = self.notified.popleft()
            name = self.clients.get(item.client_handle) or self.names.get(item.server_handle)
            if name:
                self.clients[item.client_handle] = name
                yield name, value
        if self.subscription and self.subscription.subscription_id != self.subscription_id:
            self.end("the server was silent")  # the library has subscribed anew by itself

    async def history(self, name: str, start: datetime, most: int) -> list[ua.DataValue]:
        """Values from `start` on, oldest first; none where the server has none for us. More than `most` are cut off."""
        asked = ua.ReadRawModifiedDetails(StartTime=start, EndTime=datetime.now(UTC) + AHEAD, ReturnBounds=False)
        found: list[ua.DataValue] = []
        following = None
        with suppress(ua.UaStatusCodeError):
            while len(found) <= most:
                result = await self.nodes[name].history_read(asked, following)
                result.StatusCode.check()
                found += result.HistoryData.DataValues
                before, following = following, result.ContinuationPoint
                if following in (None, before):
                    break
        return sorted(found, key=lambda value: value.SourceTimestamp or start)

    def end(self, reason: str) -> None:
        self.why_lost = self.why_lost or reason
        self.stirred.set()

    def datachange_notification(self, _: Node, __: object, data: DataChangeNotif) -> None:
        self.heard_at = datetime.now(UTC)
        self.notified.append((data.subscription_data, data.monitored_item.Value))
        self.stirred.set()

    def status_change_notification(self, status: ua.StatusChangeNotification) -> None:
        self.end(f"the subscription ended: {status.Status.name}")

    async def _connection_lost(self, error: Exception) -> None:
        self.end(f"connection lost: {said(error)}")

    async def _node(self, text: str) -> Node:
        """Raises UaStatusCodeError where a path leads nowhere."""
        if text.startswith("/"):
            return await self.client.nodes.objects.get_child(text.strip("/").split("/"))
        return self.client.get_node(text)

    async def _secure(self) -> None:
        if self.source.user is not None:
            self.client.set_user(self.source.user)
        if self.source.password is not None:
            self.client.set_password(self.source.password.get_secret_value())
        if (security := self.source.security) is None:
            return
        try:
            certificate, key = self._file(security.certificate), self._file(security.key)
            theirs = security.server_certificate and self._file(security.server_certificate)
            await uacrypto.load_private_key(key.path_or_content, extension=key.extension)
            for file in filter(None, (theirs, certificate)):
                loaded = await uacrypto.load_certificate(file.path_or_content, file.extension)
        except (OSError, ValueError, TypeError) as error:
            raise Unreachable(self.source.url, f"the files of security can't be used: {said(error)}") from None
        self.client.application_uri = _application_of(loaded) or self.client.application_uri
        policy = getattr(security_policies, f"SecurityPolicy{security.policy}")
        mode = ua.MessageSecurityMode[security.mode]
        await self.client.set_security(policy, certificate, key, server_certificate=theirs, mode=mode)

    def _file(self, name: str) -> uacrypto.CertProperties:
        """Raises OSError."""
        content = (self.plant.folder / name).read_bytes()
        return uacrypto.CertProperties(content, "pem" if content.startswith(b"-----BEGIN") else "der")


def _application_of(certificate: x509.Certificate) -> str | None:
    """The name that a certificate gives its holder, which servers compare with what a client says."""
    with suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), None)


def said(error: BaseException) -> str:
    """One line; codes of OPC UA by their name."""
    return " ".join(str(error).split()) or type(error).__name__
