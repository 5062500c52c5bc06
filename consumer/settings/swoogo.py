"""The API of Swoogo."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, HttpUrl

from consumer.domain.pacing.pace import LATENCY, Pace
from consumer.settings.group import Group

READ_SECONDS: Final = 20.0
"""Without a byte of an answer; then the call has failed."""


class SwoogoSettings(Group):
    """The API, its budget, and the guesses about what its documentation leaves open (swoogo-api.md 11.3)."""

    base_url: HttpUrl = Field(HttpUrl("https://api.swoogo.com/api/v1"), description="Where the API is.")
    credit_limit: int = Field(2000, ge=20, le=1_000_000, description="Credits of one window and credential.")
    credit_window: float = Field(600.0, ge=1, le=86_400, description="Length of the window, seconds.")
    credit_reserve: int = Field(
        20, ge=0, le=1_000_000, description="Credits of a window never touched, for other users of the credential."
    )
    deadline: float = Field(30.0, ge=0.5, le=600, description="Seconds for one call in all.")
    max_answer_bytes: int = Field(33_554_432, ge=100_000, le=1_073_741_824, description="A larger answer is an error.")
    max_name: int = Field(255, ge=10, le=10_000, description="Characters of a name; a longer one is cut. Guess.")
    max_text: int = Field(60_000, ge=100, le=10_000_000, description="Characters of a text; longer is left out. Guess.")
    page_size: int = Field(200, ge=1, le=1000, description="Rows per list page. 200 is safe, 1000 is claimed once.")
    delete_path: Literal["action", "rest"] = Field(
        "action", description="DELETE /sessions/delete/{id} (action) or /sessions/{id} (rest). Guess."
    )
    unlink: Literal["path", "body"] = Field(
        "path",
        description="Remove an association by DELETE /speakers/{id}/session/{session_id} (path) or with a "
        "JSON body of session_ids (body). Guess.",
    )
    link_mode: Literal["additive", "replace"] = Field(
        "additive", description="Whether the sessions sent for a speaker are added or replace those there. Guess."
    )
    clear_with: Literal["empty", "null"] = Field(
        "empty", description="What clears a field in a form: an empty string or the word null. Guess."
    )
    custom_fields: Literal["top", "nested"] = Field(
        "top", description="A custom field in a form: c_1 (top) or custom_fields[c_1] (nested). Guess."
    )
    nested_fields: Literal["brackets", "dots"] = Field(
        "brackets", description="A part of an attribute in a form: workAddress[line_2] or workAddress.line_2. Guess."
    )
    multiple_choices: Literal["brackets", "comma", "objects"] = Field(
        "brackets", description="Several choices in a form: c_1[] for each, c_1=1,2, or c_1[0][id]. Guess."
    )
    speaker_picture: Literal["contact_image", "profile_picture"] = Field(
        "contact_image", description="Route of headshots: the image of the contact, or a URL in the field. Guess."
    )
    sponsor_logo_field: str = Field("logo_id", min_length=1, description="Field id of a sponsor's logo. Guess.")
    circuit_failures: int = Field(
        5, ge=1, le=1000, description="Failures in a row after which calls with a credential pause."
    )
    circuit_first: float = Field(5.0, ge=0.05, le=3600, description="Seconds until Swoogo is tried again after that.")
    circuit_max: float = Field(
        300.0, ge=0.05, le=86_400, description="Seconds between two such tries at most; the pause doubles up to this."
    )
    token_costs_credit: bool = Field(default=True, description="Count the token call as one credit. Safe guess.")
    refused_costs_credit: bool = Field(default=True, description="Count refused calls as credits. Safe guess.")

    def pace(self, concurrency: int, latency: float = LATENCY) -> Pace:
        """What bounds a push of so many calls side by side, when Swoogo answers in `latency` seconds."""
        return Pace(concurrency, self.credit_limit - self.credit_reserve, self.credit_window, latency)
