"""Settings, from the environment; `.env.example` lists them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """What the trainer is told by its environment. A wrong value ends the start with the name of the variable."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    trainer_addr: Annotated[str, Field(pattern=r"^[^:]*:\d{1,5}$")] = "127.0.0.1:8090"
    trainer_token: str = ""
    trainer_runs_dir: Path = REPOSITORY / "ml" / "models" / "runs"
    trainer_queue_limit: Annotated[int, Field(ge=0, le=100)] = 4
    trainer_stop_grace_ms: Annotated[int, Field(ge=50, le=60_000)] = 500

    trainer_warm: bool = True
    server_url: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    server_token: str = ""
    mlflow_tracking_uri: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""

    @property
    def host(self) -> str:
        """Interface to listen on; empty means all of them."""
        return self.trainer_addr.rpartition(":")[0] or "0.0.0.0"

    @property
    def port(self) -> int:
        """Port to listen on."""
        return int(self.trainer_addr.rpartition(":")[2])
