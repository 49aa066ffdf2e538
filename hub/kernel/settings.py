"""Settings: every environment variable the hub reads, each with its meaning.

``hub config explain`` prints this table with the values in force.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Values from the environment (prefix ``HUB_``) or their defaults."""

    model_config = SettingsConfigDict(env_prefix="HUB_", extra="ignore", frozen=True)

    kafka: str = Field("", description="Kafka bootstrap servers; empty: embedded broker")
    database: str = Field("", description="PostgreSQL address (DSN); empty: embedded database")
    data_dir: Path = Field(Path(".hub"), description="Folder of embedded services and cursors")
    lang: str = Field("", description="zh or en; empty: from the locale, else zh")
    clock: str = Field(
        "system", description="'system'; test clocks: 'file:PATH' an instant, 'offset:PATH' seconds"
    )
    synthetic_people: bool = Field(
        default=False, description="Accept invented people (ID prefix 99) and test clocks"
    )
    profile: str = Field("rugao", description="Jurisdiction profile, a folder in hub/profiles")
    profiles_dir: Path | None = Field(None, description="A folder of further profiles")
    connectors: str = Field("", description="Folders of further connectors, ':' between")
    secrets_dir: Path | None = Field(
        None, description="Keys and passwords; empty: data_dir/secrets"
    )
    partitions: int = Field(4, description="Partitions of in.* and event.* topics when created")
    replication: int = Field(1, description="Replication factor of topics when created")
    topic_prefix: str = Field(
        "", description="Before every topic and group name; several hubs on one cluster"
    )
    worker_slot: int | None = Field(None, description="Fixed worker slot; empty: leased")
    lanes: int = Field(
        1,
        description="Decide lanes of one worker, a connection each; more help only where the"
        " database is far away, as lanes wait for each other's households",
    )
    batch: int = Field(500, description="Records of one decide transaction at most")
    gateway_host: str = Field("127.0.0.1", description="Address the gateway listens on")
    gateway_port: int = Field(8600, description="Port of the gateway; 0: any free one")
    gateway_public: bool = Field(
        default=False, description="Allow the gateway to listen on other than loopback addresses"
    )
    gateway_rate: int = Field(
        200, description="Requests per second that one key may send in the long run"
    )
    console_host: str = Field("127.0.0.1", description="Address the console listens on")
    console_port: int = Field(8610, description="Port of the console; 0: any free one")
    console_public: bool = Field(
        default=False, description="Allow the console to listen on other than loopback addresses"
    )
    console_idle_minutes: int = Field(30, description="A console session ends after so long unused")
    console_oidc_issuer: str = Field(
        "", description="OpenID Connect issuer for console sign-in; empty: local accounts only"
    )
    console_oidc_client: str = Field("", description="Client id at that issuer")
    sampler_database: str = Field(
        "",
        description="Address of the database for 'hub sampler', as a role of its own that "
        "'hub sampler --grants' describes; empty: HUB_DATABASE",
    )
    sampler_host: str = Field("127.0.0.1", description="Address of the sampler's /metrics")
    sampler_port: int = Field(8620, description="Port of the sampler's /metrics; 0: any free one")
    sampler_public: bool = Field(
        default=False, description="Allow /metrics on other than loopback addresses"
    )
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector, e.g. http://collector:4318; empty: none"
    )
    alive_url: str = Field(
        "", description="Told once a minute that alerting works (dead-man's switch); empty: nobody"
    )
    console_oidc_secret: Path | None = Field(
        None, description="File with the client's secret; empty: a public client, PKCE alone"
    )
    console_url: str = Field(
        "", description="Address of the console as browsers see it; empty: as they ask for it"
    )
    console_lookup: str = Field(
        "", description="Gateway that answers person look-ups; empty: no person search"
    )
    console_lookup_key: str = Field("", description="Key of operator:console at that gateway")
    gateway_lookups: bool = Field(
        default=False, description="Let this gateway answer person look-ups; it needs K_uid then"
    )
    connector_gateway: str = Field(
        "", description="Gateway that 'hub connectors run' sends its heartbeat to; empty: none"
    )
    connector_key: str = Field("", description="The department's key for that heartbeat")
    working_days: str = Field(
        "", description="File of holidays and working weekends; empty: the one shipped"
    )
    gateway_records: int = Field(
        1000, description="Records per second that one key may send in the long run, in batches"
    )
    gateway_in_flight: int = Field(
        64_000_000, description="Bytes that may wait for the broker before the gateway answers 503"
    )
    webhook_private: bool = Field(
        default=False, description="Allow webhooks to private or loopback addresses"
    )
    max_body: int = Field(1_000_000, description="Largest record accepted at the edge, bytes")
    maven_mirror: str = Field("", description="Maven repository used instead of Central")
    bundle: Path | None = Field(None, description="Folder with the Kafka jars, for use offline")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(default=False, description="Log lines as JSON")

    @property
    def secrets(self) -> Path:
        """The folder of keys."""
        return self.secrets_dir or self.data_dir / "secrets"

    def wire(self, name: str) -> str:
        """The name of a topic or group on the cluster: the prefix and the declared name."""
        return self.topic_prefix + name

    def plain(self, wire: str) -> str:
        """The declared name of a topic on the cluster."""
        return wire.removeprefix(self.topic_prefix)


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()  # type: ignore[call-arg]
