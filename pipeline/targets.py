"""The `publish:` section of plant.yml: where else the published tables go."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pipeline.section import Section

PLAIN = r"^[A-Za-z0-9_-]+$"


class DatabaseTarget(Section):
    """A database that holds the current version of the published tables (docs/publishing.md)."""

    kind: Literal["database"]
    url: SecretStr
    """As SQLAlchemy writes it. It holds a password: no message, log or repr may show it."""
    schema_name: str | None = Field(default=None, alias="schema", pattern=PLAIN)
    """Default: `marts` in PostgreSQL, the URL's database in MySQL and MariaDB. SQLite has none."""
    reader: str | None = Field(default=None, pattern=PLAIN)
    """A role that may read what is written. It has to exist."""
    tables: list[str] | None = Field(default=None, min_length=1)
    """Default: everything that is published."""

    @field_validator("url")
    @classmethod
    def _usable(cls, url: SecretStr) -> SecretStr:
        from publish.databases.address import Address  # SQLAlchemy takes a moment; most plants need none

        Address(url.get_secret_value())
        return url
