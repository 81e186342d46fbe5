"""The warehouse's own models, run on a file: the SQL of models/ is rendered and built in a DuckDB of its own.

So a chart of a spreadsheet and a chart of the nightly run come from one text. Of dbt only what these models use is
here: `ref`, `var`, `config`, the macros, and that nothing is incremental.
"""

from functools import cached_property
from pathlib import Path

import duckdb
import jinja2
import yaml

from pipeline.paths import PROJECT


class Models:
    """Builds models in `connection`. Tables of the names in `given` are there already: the models' inputs."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, given: set[str], engine: str = "duckdb") -> None:
        self.connection = connection
        self.engine = engine
        self.built = set(given)
        self._referred: list[str] = []

    def build(self, name: str) -> None:
        """Builds a model and all that it reads and is not there yet."""
        if name not in self.built:
            self.create(name, self.rendered(self._files[name].read_text(encoding="utf-8")))
            self.built.add(name)

    def rendered(self, text: str) -> str:
        """SQL of a model's text; what it refers to is built."""
        self._referred = []
        query = self._environment.from_string(text).render()
        for referred in self._referred:
            self.build(referred)
        return query

    def create(self, name: str, query: str) -> None:
        self.connection.execute(f'create table "{name}" as {query}')

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {file.stem: file for file in (PROJECT / "models").rglob("*.sql")}

    @cached_property
    def _environment(self) -> jinja2.Environment:
        variables = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
        environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # SQL without any user's text
        environment.globals |= {
            "config": lambda **_: "",
            "ref": self._refer,
            "var": variables.__getitem__,
            "is_incremental": lambda: False,
            "target": {"type": self.engine},
        }
        macros = "\n".join(file.read_text(encoding="utf-8") for file in sorted((PROJECT / "macros").glob("*.sql")))
        module = environment.from_string(macros).module
        environment.globals |= {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
        return environment

    def _refer(self, name: str) -> str:
        self._referred.append(name)
        return name
