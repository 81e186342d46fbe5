"""A section of plant.yml: a pydantic model that knows all its keys; and what several sections have."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Asia/Singapore") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


def _as_list(written: object) -> object:
    if not isinstance(written, str | list):
        raise PydanticCustomError("string_type", "")
    return [written] if isinstance(written, str) else written


Texts = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_as_list), Field(min_length=1)]
