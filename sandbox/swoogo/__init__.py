"""A stateful imitation of the Swoogo REST API, to develop and test against.

What is documented is imitated as documented, what is not is a switch (`Switches`). The facts are those of
`swoogo-api.md`, whose sections the modules name.

    sandbox = SandboxSwoogo(credentials=[Credential("key", "secret")])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(sandbox)), base_url="http://swoogo")
"""

from __future__ import annotations

from sandbox.swoogo.accounts import Credential
from sandbox.swoogo.answers import ConnectionDropped, ControlError
from sandbox.swoogo.app import create_app
from sandbox.swoogo.backend import Settings
from sandbox.swoogo.server import SandboxSwoogo
from sandbox.swoogo.switches import Switches

__all__ = [
    "ConnectionDropped",
    "ControlError",
    "Credential",
    "SandboxSwoogo",
    "Settings",
    "Switches",
    "create_app",
]
