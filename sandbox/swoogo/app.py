"""The Starlette application: the vendor's routes, images to fetch below `/_media`, and `/_control` to drive it all.

`/_control` takes and gives JSON, wants no credentials and costs no credits. A request it cannot carry out is
a 400 with `{"error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sandbox.media import media_routes
from sandbox.swoogo.answers import ControlError
from sandbox.swoogo.server import SandboxSwoogo

_Handler = Callable[[Request], Awaitable[Response]]


def create_app(sandbox: SandboxSwoogo) -> Starlette:
    """The whole application over one sandbox."""
    return Starlette(
        routes=[
            Mount("/_control", routes=_control_routes(sandbox)),
            Mount("/_media", routes=media_routes()),
            Mount("/", app=sandbox.api),
        ]
    )


def _control_routes(sandbox: SandboxSwoogo) -> list[Route]:
    def state(request: Request, _: Any) -> Any:
        event_id = request.query_params.get("event_id")
        return sandbox.state(None if event_id is None else int(event_id))

    def delete(_: Request, body: Any) -> None:
        sandbox.delete(body["kind"], body["id"])

    def settings(_: Request, body: Any) -> Any:
        sizes = dict(body)
        return sandbox.configure(switches=sizes.pop("switches", None), **sizes)

    def faults(_: Request, body: Any) -> Any:
        return sandbox.add_faults(body if isinstance(body, list) else [body])

    operations: list[tuple[str, str, Callable[[Request, Any], Any]]] = [
        ("GET", "/state", state),
        ("GET", "/stats", lambda _, __: sandbox.stats()),
        ("GET", "/journal", lambda request, _: sandbox.journal(int(request.query_params.get("since", 0)))),
        ("GET", "/settings", lambda _, __: sandbox.settings),
        ("GET", "/faults", lambda _, __: sandbox.faults()),
        ("GET", "/webhooks", lambda _, __: sandbox.webhooks.state()),
        ("POST", "/settings", settings),
        ("POST", "/faults", faults),
        ("DELETE", "/faults", lambda _, __: sandbox.clear_faults()),
        ("POST", "/seed", lambda _, body: sandbox.seed(body)),
        ("POST", "/fields", lambda _, body: sandbox.alter_field(**body)),
        ("POST", "/create", lambda _, body: sandbox.create(body["kind"], body["values"])),
        ("POST", "/edit", lambda _, body: sandbox.edit(body["kind"], body["id"], body["values"])),
        ("POST", "/delete", delete),
        ("POST", "/link", lambda _, body: sandbox.link(body["speaker_id"], body["session_ids"])),
        ("POST", "/unlink", lambda _, body: sandbox.unlink(body["speaker_id"], body["session_ids"])),
        ("POST", "/register", lambda _, body: sandbox.register(body["session_id"], body.get("count", 1))),
        ("POST", "/expire-tokens", lambda _, __: sandbox.expire_tokens()),
        ("POST", "/reset", lambda _, __: sandbox.reset()),
    ]
    return [Route(path, _json(operation), methods=[method]) for method, path, operation in operations]


def _json(operation: Callable[[Request, Any], Any]) -> _Handler:
    async def handle(request: Request) -> Response:
        raw = await request.body()
        try:
            body = msgspec.json.decode(raw) if raw else {}
            result = operation(request, body)
        except ControlError as error:
            return _answer({"error": str(error)}, 400)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _answer({"error": f"the request is not understood: {error!r}"}, 400)
        return _answer({"ok": True} if result is None else result, 200)

    return handle


def _answer(value: Any, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
