"""The peers of the pages: Litestar's hello world, and a POST that writes one row in a bare transaction, through the
same database driver and as durably as ours.

Served by `uvicorn benchmarks.hello:app`; the database is the one NEWSLETTER_DATABASE_URL names.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, get, post
from litestar.params import JSONBody
from msgspec import Struct
from sqlalchemy import Column, MetaData, String, Table, insert

from newsletter.database import Database, sync_engine
from newsletter.settings import PREFIX
from newsletter.tokens import new_id

_METADATA = MetaData()
_ASKED = Table("bare_signup", _METADATA, Column("id", String(26), primary_key=True), Column("email", String(254)))


class Asked(Struct):
    """What is posted."""

    email: str
    agreed: bool


@get("/")
async def hello() -> dict[str, str]:
    """Greet."""
    return {"hello": "world"}


@post("/", status_code=202)
async def take(data: JSONBody[Asked]) -> dict[str, str]:
    """Write one row in a transaction of its own."""
    database: Database = app.state.database
    async with database.write() as session:
        await session.execute(insert(_ASKED).values(id=new_id(), email=data.email))
    return {}


@asynccontextmanager
async def _running(app: Litestar) -> AsyncIterator[None]:
    url = os.environ[f"{PREFIX}DATABASE_URL"]
    engine = sync_engine(url)
    _METADATA.create_all(engine)
    engine.dispose()
    app.state.database = Database(url)
    try:
        yield
    finally:
        await app.state.database.close()


app = Litestar([hello, take], lifespan=[_running], openapi_config=None, logging_config=None)
