"""The open questions about Swoogo's API, one field each, with the likeliest guess as the default.

A switch exists where public material is silent or contradicts itself (`swoogo-api.md` 11.1, 11.3), so that a
wrong guess costs one setting. Nothing here describes a documented behaviour: those have no switch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, Self, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One guess per field; the comment names it and where it comes from in `swoogo-api.md`."""

    # Path of a deletion: /{resource}/delete/{id} as create and update are spelt, or plain REST (2.1, 5).
    delete_path: Literal["action", "rest"] = "action"
    # Status of a deletion and of an unlink: 204 is what a deleted CFS contact answers (5, TRUTO).
    delete_status: Literal[204, 200] = 204
    # How a session is taken off a speaker: a path per session, or a JSON body of ids (5, rows 19 to 21).
    unlink: Literal["path", "body"] = "path"
    # Status of a create: 201 is documented for reg-types only (5, RT-C).
    create_status: Literal[201, 200] = 201
    # A page beyond the last one: Yii2 repeats the last page (2.4).
    page_overflow: Literal["last_page", "empty"] = "last_page"
    # Largest per-page: endpoint pages say 200, the introduction 1000 without expand (2.4, 11.1 nr 2).
    per_page_cap: Literal[200, 1000] = 200
    # Whether session.json adds to the speaker's sessions or replaces them: the word is "add" (8.4).
    link_mode: Literal["additive", "replace"] = "additive"
    # Linking a session that is linked already (8.4).
    link_duplicate: Literal["ok", "refused"] = "ok"
    # Linking a session that is not there, with others that are: one wrong id refuses the whole call (8.4 is silent).
    link_unknown_status: Literal[422, 404] = 422
    # Whether a link or an unlink moves the speaker's updated_at (8.4 is silent).
    link_updates_timestamp: bool = False
    # profile_picture in a speaker write: dropped, or taken as a URL (9.3).
    profile_picture_write: Literal["ignored", "url"] = "ignored"
    # Whether a contact's uploaded picture shows as its speakers' profile_picture (9.3).
    contact_picture_on_speaker: bool = True
    # A second speaker with the same email in one event (8.3).
    speaker_email_unique: Literal["allowed", "refused"] = "allowed"
    # A second track, location or sponsor with the same name in one event (7.6, 11.3 nr 12).
    names_unique: Literal["allowed", "refused"] = "allowed"
    # What counts the credits: a window that starts with its first call, or Yii2's refilling bucket (3).
    limiter: Literal["fixed_window", "leaky_bucket"] = "fixed_window"
    # Whether a token call costs a credit (3).
    token_costs_credit: bool = False
    # Whether an answer of 4xx costs its credits (3).
    refused_costs_credit: bool = True
    # The three X-Rate-Limit headers; documented as always there (3), a proxy may still eat them.
    rate_headers: Literal["always", "never"] = "always"
    # A record that exists and belongs to an event of somebody else (4, 11.2).
    not_found_status: Literal[404, 403] = 404
    # What GET /events/{id}?expand=... puts under sessions, speakers and sponsors (11.3 nr 15).
    event_expand: Literal["complete", "truncated", "absent"] = "complete"
    # Whether an update that changes nothing moves updated_at; Yii2 leaves a clean record alone (11.3 nr 13).
    noop_updates_timestamp: bool = False
    # What clears a field in a form; the other spelling is ignored without a word (2.2, 11.3 nr 7).
    clear_with: Literal["empty", "null"] = "empty"
    # Tags in a description or a biography (11.3 nr 10).
    html: Literal["kept", "stripped", "escaped"] = "kept"
    # What is stored of a name, an e-mail address or another one-line text; no document says (11.3 nr 10).
    text_unicode: Literal["kept", "nfc"] = "kept"
    text_spaces: Literal["kept", "folded"] = "kept"
    text_tags: Literal["kept", "stripped"] = "kept"
    text_ampersand: Literal["kept", "escaped"] = "kept"
    text_format: Literal["kept", "dropped"] = "kept"
    text_astral: Literal["kept", "dropped"] = "kept"
    text_length: Literal["kept", "cut"] = "kept"
    # What a create answers (11.3 nr 6).
    create_answer: Literal["full", "id_only"] = "full"
    # Whether asking for a token ends the one before it (1).
    new_token_revokes_old: bool = False
    # Whether a list with ids= still wants event_id (2.7).
    ids_needs_event: bool = False
    # A per-event list without event_id; Yii2 says 400 (4).
    missing_event_status: Literal[400, 422] = 400
    # Whether %26 joins search conditions as a bare & does (2.7).
    encoded_ampersand: bool = False
    # Whether a session needs a date: prose says so, the schema and 2016 do not (7.3, 11.1 nr 4).
    session_date_required: bool = False
    # Whether a session update wants event_id and name although it is partial (7.4, 11.1 nr 5).
    session_update_needs_name: bool = False
    # The words of a webhook's action: "insert" was seen once, the others never (10).
    webhook_words: Literal["plain", "past"] = "plain"
    # What a webhook carries of a record: all fields were seen once (10).
    webhook_payload: Literal["full", "id_only"] = "full"
    # What it carries of a deleted one: all of it, its id under its name, or its id beside the action (10).
    webhook_delete_payload: Literal["full", "id_only", "flat"] = "full"
    # How often a delivery is repeated until a 2xx (10).
    webhook_retries: Literal[5, 1, 0] = 5
    # Whether a delivery waits for the one before it (10).
    webhook_order: Literal["any", "kept"] = "any"
    # Whether calls of the API are delivered although their origin is off (10).
    webhook_echo: bool = False
    # Whether deliveries are signed: no document says so (10).
    webhook_signature: Literal["none", "sha256"] = "none"

    # Whether the list of fields shows choices with expand=choices; it has the parameter, no document has values (9.2).
    fields_choices: Literal["expanded", "absent"] = "expanded"
    # Where the fields of speakers are: by the pattern, or only those of contacts, which one public client reads (5).
    speaker_fields: Literal["speakers", "contacts"] = "speakers"
    # An address in the list of fields: a row for each part, as V2's maps show them, or one row (13).
    address_fields: Literal["parts", "whole"] = "parts"
    # Which spelling of a custom field a form takes (7.3, 11.3 nr 7).
    custom_form: Literal["both", "top", "nested"] = "both"
    # Which spelling of a part of an attribute a form takes: PHP's brackets (2.2), or V2's dots (13).
    nested_form: Literal["brackets", "dots"] = "brackets"
    # How several choices are written in a form (11.3 nr 7).
    choices_form: Literal["brackets", "comma", "objects"] = "brackets"
    # Whether a record that comes with its event has its custom fields (2.6 is silent).
    expand_custom: bool = True

    def with_values(self, values: Mapping[str, object]) -> Self:
        """These switches with some changed; text is accepted for every value, as a command line gives it.

        Raises ValueError for an unknown name or a value the switch does not have.
        """
        changes: dict[str, object] = {}
        for name, given in values.items():
            allowed = _choices().get(name)
            if allowed is None:
                raise ValueError(f"there is no switch {name!r}")
            wanted = str(given).lower()
            chosen = [value for value in allowed if str(value).lower() == wanted]
            if not chosen:
                raise ValueError(f"switch {name} is one of {', '.join(map(str, allowed))}, not {given!r}")
            changes[name] = chosen[0]
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


@cache
def _choices() -> dict[str, tuple[object, ...]]:
    hints = get_type_hints(Switches)
    return {name: (True, False) if hint is bool else get_args(hint) for name, hint in hints.items()}
