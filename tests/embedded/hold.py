"""Hold the embedded services of a folder until a signal comes; prints one line of addresses."""

import asyncio
import json
import sys
from pathlib import Path

from hub.embedded.services import embedded


async def hold(folder: Path) -> None:
    async with embedded(folder) as found:
        said = {
            "kafka": found.kafka,
            "database": found.database,
            "java": found.broker.pid,
            "postmaster": found.server.pid,
        }
        print(json.dumps(said), flush=True)
        await asyncio.Event().wait()


asyncio.run(hold(Path(sys.argv[1])))
