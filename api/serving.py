"""The server: it ends live streams before it waits for what is still being answered."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.deps import State

#: Seconds that answers have to finish after somebody said stop.
GRACE_S = 5


class Server(uvicorn.Server):
    """Serves the application until somebody says stop."""

    def __init__(self, app: FastAPI, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._state: State = app.state.groundswell
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                ws="none",
                **options,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, which never end by themselves, then stop."""
        self._state.live.close()
        await super().shutdown(sockets)
