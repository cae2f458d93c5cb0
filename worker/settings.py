"""Settings, from `TIEWATCH_*` variables; a secret may come from a file named by `*_FILE`.

Each variable that is not set has its embedded default on its own: SQLite and Valkey under
`./.tiewatch/`, alerts on the console.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL

PREFIX = "TIEWATCH_"


class SettingsError(Exception):
    """A variable cannot be used; the message names it, never its value."""


class Settings(BaseSettings):
    """What can be set, with its embedded default. Times are UTC unless a zone is named."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    home: Path = Path(".tiewatch")
    database_url: SecretStr | None = None
    broker_url: SecretStr | None = None
    rules_dir: Path | None = None
    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_base_url: str = "https://slack.com/api/"
    slack_seconds_apart: Annotated[float, Field(ge=0, le=60)] = 1.0
    slack_channel: str | None = None
    slack_admin_channel: str | None = None
    sweep_hour: Annotated[int, Field(ge=0, le=23)] = 6
    sweep_timezone: str = "UTC"
    worker_processes: Annotated[int, Field(ge=1, le=64)] = 2
    api_keys: SecretStr | None = None
    rate_limit: str = "500/second"
    spool_megabytes: Annotated[int, Field(ge=0, le=100_000)] = 100
    waiting_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    gateway_processes: Annotated[int, Field(ge=1, le=64)] = 1
    public_url: str | None = None
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then the files that variables name."""
        return env_settings, _Files(settings_cls)

    @property
    def database(self) -> str | URL:
        """The database's URL."""
        if self.database_url is None:
            return URL.create("sqlite", database=str((self.home / "tiewatch.db").absolute()))
        return self.database_url.get_secret_value()

    @property
    def broker(self) -> str | None:
        """The broker's URL; None stands for the embedded one."""
        return self.broker_url.get_secret_value() if self.broker_url else None


class _Files(PydanticBaseSettingsSource):
    """Values from files: `TIEWATCH_SLACK_BOT_TOKEN_FILE=/run/secrets/token`."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return _in_file(f"{PREFIX}{field_name.upper()}_FILE"), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(f, name)[0]
            for name, f in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: for a value that cannot be used; empty variables count as not set.
    """
    for name, value in list(os.environ.items()):
        if name.startswith(PREFIX) and not value.strip():
            del os.environ[name]
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = f"{PREFIX}{str(first['loc'][0]).upper()}"
        raise SettingsError(f"{variable} cannot be used: {first['msg']}") from None


def hook_secret(name: str) -> str | None:
    """The secret of a webhook: `TIEWATCH_HOOK_SECRET_HUBSPOT`, or a file that `..._FILE` names.

    Raises:
        SettingsError: the file cannot be read.
    """
    return _secret(f"{PREFIX}HOOK_SECRET_{_in_capitals(name)}")


def webhook_secret(name: str) -> str | None:
    """The secret with which what is sent to a webhook is signed: the variable that
    `webhook_variable` names, or a file that the same with `_FILE` names.

    Raises:
        SettingsError: the file cannot be read.
    """
    return _secret(webhook_variable(name))


def webhook_variable(name: str) -> str:
    """The variable of a webhook's secret: `TIEWATCH_WEBHOOK_SECRET_CRM`."""
    return f"{PREFIX}WEBHOOK_SECRET_{_in_capitals(name)}"


def _in_capitals(name: str) -> str:
    return name.upper().replace("-", "_")


def _secret(variable: str) -> str | None:
    return os.environ.get(variable, "").strip() or _in_file(f"{variable}_FILE")


def _in_file(variable: str) -> str | None:
    """What stands in the file that a variable names, None if it names none."""
    path = os.environ.get(variable)
    if not path:
        return None
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names {path}, which cannot be read: {error}") from error
