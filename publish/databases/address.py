"""Where a database is. The URL is a secret; `name` and `scrubbed` are what messages may show."""

from urllib.parse import quote, quote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXPECTED = "expected a database URL such as postgresql://user:password@host/name or sqlite:////path/to/file.db"
LONGEST_REASON = 400
"""Characters of a server's message that are shown."""

ALIASES = {"postgres": "postgresql"}
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""By the kind of database; of others the URL names the driver."""
NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite"}


class Address:
    """Raises ValueError where `url` is none; the message does not show it."""

    def __init__(self, url: str):
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise ValueError(EXPECTED) from None
        self.backend = ALIASES.get(parsed.get_backend_name(), parsed.get_backend_name())
        if self.backend == "sqlite" and not (parsed.database or "").startswith("/"):  # or it depends on who asks, where
            raise ValueError(EXPECTED)
        self.url: URL = parsed.set(drivername=DRIVERS.get(self.backend, parsed.drivername))

    @property
    def name(self) -> str:
        """Such as `PostgreSQL at host:5432/plant`: no user, no password, no options."""
        kind = NAMES.get(self.backend, self.backend)
        if not self.url.host:
            return f"{kind} {self.url.database}"
        port = f":{self.url.port}" if self.url.port else ""
        return f"{kind} at {self.url.host}{port}/{self.url.database or ''}"

    def scrubbed(self, text: object) -> str:
        """One line of `text`, a driver's or server's words, without what the URL holds secret."""
        line = " ".join(str(text).split())
        secrets = [self.url.render_as_string(hide_password=False), str(self.url.password or "")]
        for value in self.url.query.values():
            secrets += [value] if isinstance(value, str) else value
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            for spelling in (secret, quote(secret, safe=""), quote(secret, safe=" +"), quote_plus(secret)):
                line = line.replace(spelling, "***")
        return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + "..."
