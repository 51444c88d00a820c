"""Every setting of every process: environment variables with the prefix `YIWANG_`.

Each may come from a file instead, as Docker and Kubernetes hand secrets over: `YIWANG_…_FILE` names
it. The table in README.md is generated from this class (`python -m shared.settings`).
"""

import os
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "YIWANG_"


class FromFiles(PydanticBaseSettingsSource):
    """`YIWANG_X_FILE`: the setting `X` is what this file holds. ValueError: there is no such file,
    or `X` is set as well."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """(value or None, name, False)."""
        variable = f"{PREFIX}{field_name}".upper()
        path = os.environ.get(f"{variable}_FILE")
        if path is None or f"{field_name}_file" in self.settings_cls.model_fields:
            return None, field_name, False
        if variable in os.environ:
            raise ValueError(f"{variable} and {variable}_FILE are both set: one is needed")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{variable}_FILE: {error}") from error

    def __call__(self) -> dict[str, Any]:
        """What files say."""
        fields = self.settings_cls.model_fields.items()
        said = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in said.items() if value is not None}


class Settings(BaseSettings):
    """Read once by a composition root and handed down; nothing else reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on")
    data_dir: Path = Field(Path(".data"), description="Where everything that must last is kept")
    tls_cert_file: Path | None = Field(
        None, description="Certificate (and chain): serve HTTPS; empty: HTTP"
    )
    tls_key_file: Path | None = Field(None, description="Its private key")
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks of reverse proxies whose `X-Forwarded-…` is believed",
    )
    database_url: str | None = Field(
        None, description="`postgresql://…` of a server to use instead of the embedded one"
    )
    database_roles_dir: Path | None = Field(
        None, description="Setup makes a database role for each service, its address in a file here"
    )
    kafka_bootstrap: str | None = Field(
        None, description="`host:port,…` of a Kafka to use instead of the embedded event log"
    )
    kafka_security: Literal["plaintext", "tls", "sasl_tls"] = Field(
        "plaintext", description="How to connect to Kafka"
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How to log in to Kafka (`sasl_tls`)"
    )
    kafka_username: str = Field("", description="Who logs in")
    kafka_password: SecretStr = Field(SecretStr(""), description="The password")
    kafka_ca_file: Path | None = Field(
        None, description="Certificates to trust Kafka by; empty: those of the system"
    )
    kafka_cert_file: Path | None = Field(None, description="The client's own certificate")
    kafka_cert_key_file: Path | None = Field(None, description="Its private key")
    city: int = Field(441200, description="Adcode of the city (441200 = 肇庆 Zhaoqing)")
    simulator: Literal["on", "off"] = Field("on", description="`off` leaves the simulated city out")
    watch: Literal["on", "off"] = Field(
        "on", description="`off`: the platform posts no readings about itself"
    )
    simulator_speed: float = Field(
        1.0, gt=0, description="How much faster than real the simulated day runs"
    )
    rules_dir: Path = Field(Path("rules"), description="Folder of the rules (`*.yaml`)")
    disclosure_file: Path | None = Field(
        None, description="The city's own levels of data (YAML, `docs/disclosure.md`)"
    )
    duties_dir: Path = Field(
        Path("rules/duties"), description="Folder of deadlines, categories and first departments"
    )
    operators_on_duty: int = Field(
        1, ge=1, description="Operators who share the alarms: a flood is so many times 10 in 10 min"
    )
    webhook_allow_cidrs: str = Field(
        "", description="Comma-separated networks that webhooks may reach although private"
    )
    public_url: str = Field(
        "", description="Where people reach the platform, for links in messages; empty: no links"
    )
    heartbeat_url: str = Field(
        "", description="Told by POST each minute while every incident has a next step"
    )
    cap_level: Literal["red", "orange", "yellow", "blue", "off"] = Field(
        "orange", description="Mildest colour of public warnings in `/v1/cap`; `off`: no feed"
    )
    cap_sender: str = Field(
        "yiwang@localhost", pattern=r"^[^\s,<&]+$", description="Sender of public warnings"
    )
    cap_sender_code: str = Field(
        "", pattern=r"^([0-9]{14})?$",
        description="Division and organisation, 14 digits (GB/T 35965.1); empty: the city's",
    )  # fmt: skip
    smtp_url: str = Field(
        "", description="Mail server: `smtp[s]://[user:password@]host[:port]`; empty: no e-mail"
    )
    mail_from: str = Field("", description="Sender's address of e-mail")
    max_body_bytes: int = Field(8 * 1024 * 1024, description="Largest body of a POST, in bytes")
    max_batch_items: int = Field(10_000, description="Most readings in one POST")
    quota_readings_per_second: float = Field(
        200_000, ge=0, description="Quota of a key that has none of its own; 0: unlimited"
    )
    quota_bytes_per_second: float = Field(
        64 * 1024 * 1024, ge=0, description="The same for bytes of request bodies"
    )
    quota_burst_seconds: float = Field(
        10.0, gt=0, description="Seconds of its quota that a key may use at once after a pause"
    )
    quarantine_max_rows: int = Field(
        100_000, ge=1, description="Quarantine: most items kept per source"
    )
    quarantine_max_days: int = Field(
        90, ge=1, description="Quarantine: days after which an item is dropped, whatever its state"
    )
    backlog_max_records: int = Field(
        400_000,
        ge=0,
        description="Records the writer may be behind before readings are refused; 0: any number",
    )
    backlog_max_seconds: float = Field(
        6 * 3600.0, ge=0, description="The same for the age of the oldest of them"
    )
    tick_seconds: float = Field(
        5.0,
        gt=0,
        description="Seconds between two clock ticks in the log, by which silence is seen",
    )
    mqtt_url: str | None = Field(
        None, description="`mqtt://user:password@host:1883` or `mqtts://…` of a broker to read from"
    )
    mqtt_key: str | None = Field(
        None, description="API key whose rights and quota hold for what comes over MQTT"
    )
    mqtt_topics: str = Field(
        "city/{sensor}/{metric}", description="Comma-separated topics, with `+`, `#` and names"
    )
    mqtt_group: str = Field(
        "", description="Name of a shared subscription, for several subscribers (MQTT 5)"
    )
    mqtt_client_id: str = Field(
        "yiwang", description="Client id of the subscriber's session; each replica needs its own"
    )
    mqtt_version: Literal["5", "3.1.1"] = Field("5", description="Version of MQTT")
    mqtt_in_flight: int = Field(
        500, ge=1, le=65535, description="Most messages taken and not yet acknowledged"
    )
    mqtt_ca_file: Path | None = Field(None, description="Certificates to trust the broker by")
    mqtt_cert_file: Path | None = Field(None, description="The subscriber's own certificate")
    mqtt_cert_key_file: Path | None = Field(None, description="Its private key")
    oidc_issuer: str = Field(
        "", description="OpenID Connect provider that people may log in at; empty: none"
    )
    oidc_client_id: str = Field("yiwang", description="Client id that the provider knows us by")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret")
    oidc_groups_claim: str = Field("groups", description="Claim of the ID token with the groups")
    oidc_roles: str = Field("", description="What groups may do: `group=role[@area][/domain],…`")
    traces_url: str = Field(
        "", description="OpenTelemetry collector, `http://host:4318/v1/traces`; empty: no traces"
    )
    traces_ratio: float = Field(
        0.01, ge=0, le=1, description="How many of the requests are traced: 1 is every one"
    )
    log_level: str = Field("INFO", description="Least severe level that is logged")
    log_max_records: int = Field(
        500_000, description="Embedded event log: most records kept per topic before it refuses"
    )
    log_max_bytes: int = Field(
        2 * 1024**3, description="Embedded event log: most bytes kept per topic before it refuses"
    )
    pool_size: int = Field(8, description="Database connections of one process's pool")

    @cached_property
    def webhook_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`webhook_allow_cidrs`, parsed. ValueError names the wrong one."""
        parts = (part.strip() for part in self.webhook_allow_cidrs.split(","))
        return tuple(ip_network(part) for part in parts if part)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_named(cls, value: str) -> str:
        """Nobody trusts everybody by mistake."""
        for part in filter(None, (part.strip() for part in value.split(","))):
            ip_network(part)
        return value

    @property
    def scheme(self) -> str:
        """How this process is reached directly."""
        return "https" if self.tls_cert_file is not None else "http"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, and the files that it names."""
        return init_settings, env_settings, FromFiles(settings_cls)

    @property
    def address(self) -> str:
        """Where this process is reached from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def layers_dir(self) -> Path:
        """Where an operator drops further map layers."""
        return self.data_dir / "layers"

    @property
    def credentials_path(self) -> Path:
        """Where the first start keeps the first key, screen token and admin login."""
        return self.data_dir / "credentials.json"


def load() -> Settings:
    """The settings of this process; a wrong one ends it with a line that names it."""
    try:
        return Settings()
    except ValueError as error:
        raise SystemExit(f"yiwang: {error}") from None


def table() -> str:
    """The settings as a Markdown table: variable, default, meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
