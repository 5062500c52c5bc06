"""`PUT` and `GET /image/{image_type}/{image_id}/{field_id}` (`swoogo-api.md` 9.3)."""

from __future__ import annotations

from sandbox.swoogo.answers import Answer, invalid, refusal
from sandbox.swoogo.backend import Backend, Call, accessible
from sandbox.swoogo.images import TARGETS, uploaded_file
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.store import Record


def put_image(backend: Backend, call: Call) -> Answer:
    """Keep the part named `file` and show its address on the target; 415 for anything but multipart."""
    target, number, field, record = _place(backend, call)
    if call.content_type != "multipart/form-data":
        raise refusal(415, "Send the image as multipart/form-data.")
    upload = uploaded_file(call.body, call.headers["content-type"])
    if record is not None and not _takes_image(backend, record, field):
        raise invalid(("field_id", f"There is no image field {field}."))
    image = backend.images.keep(target, number, field, upload)
    if record is not None:
        address = image.bare_url if field == "logo_id" else image.url
        backend.store.change(record, {field: address, "updated_at": backend.stamp()})
    answer = {
        "message": "File Uploaded Successfully",
        "status": 200,
        "type": target,
        # The id is text here (`swoogo-api.md` 9.3).
        "id": str(number),
        "field": field,
        "url": image.url,
    }
    return Answer(200, answer)


def get_image(backend: Backend, call: Call) -> Answer:
    """The address of the image there, null when there is none. The shape is a guess from the upload's."""
    target, number, field, _ = _place(backend, call)
    image = backend.images.get(target, number, field)
    url = None if image is None else image.url
    return Answer(200, {"type": target, "id": str(number), "field": field, "url": url})


def _place(backend: Backend, call: Call) -> tuple[str, int, str, Record | None]:
    target, field = call.words
    number = call.numbers[0]
    if target not in TARGETS:
        raise refusal(400, f"image_type is one of {', '.join(TARGETS)}.")
    if target == "registrant":
        session_id = backend.store.session_of_registrant(number)
        if session_id is None:
            raise refusal(404, f"Registrant not found: {number}")
        accessible(backend, call, "sessions", session_id)
        return target, number, field, None
    kind: Kind = "contacts" if target == "contact" else "sponsors"
    return target, number, field, accessible(backend, call, kind, number)


def _takes_image(backend: Backend, record: Record, field: str) -> bool:
    if field == ("logo_id" if record.kind == "sponsors" else "profile_picture"):
        return field in RESOURCES[record.kind].attributes
    definition = backend.definitions.of(record.account, record.kind).get(field)
    return definition is not None and definition.is_custom
