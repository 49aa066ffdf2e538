"""Heartbeats of connectors: every few seconds they say how they are and learn what is asked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hub.gateway.contexts import Context
from hub.gateway.principals import of_kind, rate_headers
from hub.gateway.problems import ProblemError
from hub.store import heartbeats

router = APIRouter()
_ITEMS = 64


class ItemBeat(BaseModel):
    """One item of a connector."""

    model_config = ConfigDict(extra="forbid")

    errors: int = Field(0, ge=0)
    error: str = Field("", max_length=80)
    sent: int = Field(0, ge=0)
    polls: int = Field(0, ge=0)
    rejected: int = Field(0, ge=0)


class Beat(BaseModel):
    """What a connector says."""

    model_config = ConfigDict(extra="forbid")

    instance: str = Field(max_length=120)
    paused: bool = False
    items: dict[str, ItemBeat] = Field(default_factory=dict, max_length=_ITEMS)
    obeyed: list[int] = Field(default_factory=list, max_length=_ITEMS)


@router.post("/connectors/{connector}/heartbeat")
async def heartbeat(
    connector: str, said: Annotated[Beat, Body()], request: Request, gateway: Context
) -> JSONResponse:
    """Note it; the answer holds the commands that wait: ``{"commands": [[7, "pause"]]}``."""
    await of_kind(request, gateway, "department", connector)
    if connector not in gateway.manifests:
        raise ProblemError(404)
    items: dict[str, Any] = {name: one.model_dump() for name, one in said.items.items()}
    waiting = await heartbeats.beat(
        gateway.pool,
        connector,
        instance=said.instance,
        paused=said.paused,
        items=items,
        obeyed=said.obeyed,
        now=gateway.now(),
    )
    return JSONResponse({"commands": waiting}, headers=rate_headers(request))
