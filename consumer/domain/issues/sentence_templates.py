"""The two sentences of every issue code, one for event admins and one for operators; `sentences` fills them in (N2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumer.domain.issues.issue import Code


@dataclass(frozen=True, slots=True)
class Sentences:
    """The two sentences of a code.

    Both may use `{record}` (`{Record}` at the start), `{what}` (the part of it that was sent), `{field}`, `{detail}`
    and `{out}` ("is not in Swoogo"); that for operators also `{key}`, `{event}`, `{name}` (of the field in the
    contract) and `{hint}`.
    """

    admin: str
    operator: str


_AGAIN: Final = (
    "It is tried again when it changes, and at the next comparison with Swoogo (without continuous sync: at the next "
    "sync that somebody starts)."
)
_PARKED: Final = (
    "It is parked: sent again when it changes, at the next reconcile, or after `swoogo-sync parked retry {event} "
    "{key}`."
)
_ASK: Final = "the people who run the sync"

SENTENCES: Final[dict[Code, Sentences]] = {
    Code.MISSING_FIELD: Sentences(
        "{Record} {out}: {it} has no {field}. Add one in Sessionboard.",
        "{Record} is left out: the required field {name} is not set. Its admin sets it in Sessionboard; it syncs by "
        "itself then.",
    ),
    Code.UNREADABLE_FIELD: Sentences(
        "The {field} of {record} cannot be read and counts as empty. Enter it again in Sessionboard; if that does not "
        f"help, show this sentence to {_ASK}.",
        "{Record}: the field {name} does not fit the contract and counts as not set. If it stays so after it is "
        "entered again, the publisher breaks the contract: `swoogo-sync publish --check FILE` says how.",
    ),
    Code.UNREADABLE_ENTRY: Sentences(
        "An entry of the {field} of {record} cannot be read and is left out. Enter it again in Sessionboard; if that "
        f"does not help, show this sentence to {_ASK}.",
        "{Record}: an entry of {name} does not fit the contract and is left out. If it stays so after it is entered "
        "again, the publisher breaks the contract: `swoogo-sync publish --check FILE` says how.",
    ),
    Code.INVALID_TIME_RANGE: Sentences(
        "{Record} {out}: it does not end after it starts. Correct its times in Sessionboard.",
        "{Record} is left out: ends_at is not after starts_at. Its admin corrects the times in Sessionboard.",
    ),
    Code.UNKNOWN_STATUS: Sentences(
        "{Record} {out}: the category of its status is not known. In Sessionboard, give it a status of the category "
        "accepted to sync it, or of another one (accept queue, pending, decline queue, declined) to leave it out.",
        "{Record} is left out: its status is none of accepted, accept_queue, pending, decline_queue, declined. If "
        "Sessionboard has a new category, a later version of the service has to know it.",
    ),
    Code.DUPLICATE_EMAIL: Sentences(
        "{Record} {out}: {other} has the same e-mail address. Merge the two in Sessionboard, or correct one address.",
        "{Record} is left out: {other} has the same e-mail address and comes first. Their admin merges the two in "
        "Sessionboard, or corrects one address.",
    ),
    Code.AMBIGUOUS_MATCH: Sentences(
        "{Record} may be in Swoogo already: Swoogo did not answer when it was created, and these of its records may "
        f"be it: {{detail}}. Delete those that are too many in Swoogo, or tell {_ASK} which is the right one.",
        "{Record}: a create got no answer, and these records of Swoogo may be its result: {detail}. Nothing is created "
        "before a person decides: `swoogo-sync ledger adopt {event} {key} SWOOGO_ID` takes the right one, "
        "`swoogo-sync ledger forget {event} {key}` says that it is none of them; or delete the extra ones in Swoogo.",
    ),
    Code.NOT_ADOPTED: Sentences(
        f"{{Record}} is being looked for in Swoogo by {_ASK}; there is nothing for you to do.",
        "{Record} was not adopted as you asked: {detail} `swoogo-sync ledger show {event} {key}` shows what is known "
        "of it; then ask again.",
    ),
    Code.FIELD_NOT_APPLIED: Sentences(
        "Swoogo took the change of {record}, but does not show its {field} as it was sent. See in Swoogo whether the "
        "field can be edited, and set it there; it is sent again when it changes in Sessionboard.",
        "{Record}: Swoogo answered with success and did not keep {name} as it was sent. It is sent again when it "
        "changes in Sessionboard.",
    ),
    Code.TEXT_TOO_LONG: Sentences(
        "The {field} of {record} is not in Swoogo: it is too long ({detail}). Shorten it in Sessionboard.",
        "{Record}: {name} is left out, because it is too long ({detail}); SWOOGO_SYNC_SWOOGO__MAX_TEXT is the limit.",
    ),
    Code.CONTENT_REMOVED: Sentences(
        "{Record} is in Swoogo, but of its {field} this is left out: {detail}. It could run code or show foreign "
        "pages. Put a link in its place in Sessionboard, or add it in Swoogo yourself.",
        "{Record}: removed from the HTML of {name}: {detail}.",
    ),
    Code.IMAGE_UNUSABLE: Sentences(
        "{Record} is in Swoogo without its {field}: {detail} If that stays so, put another one in Sessionboard.",
        "{Record} is synced without {name}: {detail}{hint} It is tried again when its address changes.",
    ),
    Code.IMAGE_WAITING: Sentences(
        "{Record} is in Swoogo; its {field} follows when the server that has it sends it. There is nothing to do.",
        "{Record} is synced; {name} has not arrived from its server yet and is uploaded when it does.",
    ),
    Code.REFUSED: Sentences(
        f"Swoogo did not take {{what}}: {{detail}} Correct it in Sessionboard, or remove in Swoogo what is in its way. "
        f"{_AGAIN}",
        f"{{Record}}: Swoogo refused {{sent}}: {{detail}}{{hint}} {_PARKED}",
    ),
    Code.NO_PERMISSION: Sentences(
        "Swoogo does not let the sync write {what}. Ask the owner of the Swoogo account to give the user of the API "
        "key access to this event.",
        f"{{Record}}: the user of the API key may not write {{sent}} in Swoogo.{{hint}} The owner of the Swoogo "
        f"account has to allow it. {_PARKED}",
    ),
    Code.GONE_IN_SWOOGO: Sentences(
        "{Record} was deleted in Swoogo, so it is not synced any more. If that was a mistake, ask "
        f"{_ASK} to create it again.",
        "{Record} was deleted in Swoogo and is not synced any more. `swoogo-sync ledger lift {event} {key}` creates "
        "it again.",
    ),
    Code.MULTI_DAY_CLAMPED: Sentences(
        "{Record} runs over several dates; Swoogo shows it on its first date only. To show the others, make a session "
        "for each in Sessionboard.",
        "{Record} runs over several dates and is placed on the first; its end is cut there.",
    ),
    Code.CLOCKS_SET_BACK: Sentences(
        "Clocks are set back while {record} runs. Swoogo shows it with its real length, until {detail} by the clock it "
        "started with. There is nothing to do, unless it can be moved out of that hour.",
        "{Record} runs while clocks are set back; its end is written as {detail}, which keeps its length.",
    ),
    Code.RENAMED_AFTER_SYNC: Sentences(
        "{Record} was renamed in Sessionboard after it was synced; Swoogo keeps the name {detail}. Rename it in "
        "Swoogo too (this line stays), or make a new one in Sessionboard and assign it to the sessions.",
        "{Record} was renamed in Sessionboard after its first sync; names of rooms and tracks are frozen, so Swoogo "
        "keeps {detail}.",
    ),
    Code.NAME_SHORTENED: Sentences(
        "The {field} of {record} is longer than Swoogo takes and was cut to {detail}. Shorten it in Sessionboard if "
        "the cut is in the wrong place.",
        "{Record}: {name} was cut to {detail}; SWOOGO_SYNC_SWOOGO__MAX_NAME is the limit.",
    ),
    Code.HAS_REGISTRANTS: Sentences(
        "{Record} is deleted or no longer accepted in Sessionboard and was to be deleted in Swoogo, but Swoogo keeps "
        "it: {detail} Move its registrants in Swoogo and it is deleted at the next comparison, or delete it there "
        "yourself.",
        f"{{Record}}: Swoogo refused to delete it: {{detail}}{{hint}} {_PARKED}",
    ),
    Code.TOO_MANY_REMOVALS: Sentences(
        "{Record} would lose {detail} {field} in Swoogo at once, which looks like a mistake, so none of them was "
        f"deleted. Check them in Sessionboard; if they should go, ask {_ASK} to confirm it.",
        "{Record} would lose {detail} {field} in Swoogo at once, so none was deleted. `swoogo-sync ledger remove "
        "{event}` lists them and confirms them.",
    ),
    Code.EDITED_IN_SWOOGO: Sentences(
        "The {field} of {record} was edited in Swoogo. It stays as it is there until it changes in Sessionboard; to "
        "undo the edit, edit it back in Swoogo.",
        "{Record}: {name} was edited in Swoogo and is not overwritten before it changes in Sessionboard.",
    ),
    Code.MANY_MISSING: Sentences(
        "{Record}: {detail} {field} are missing in Swoogo at once, which looks like a mistake, so none counts as "
        f"deleted. Restore them in Swoogo; if they were deleted on purpose, ask {_ASK} to confirm it.",
        "{Record}: {detail} {field} are missing in Swoogo at once, so none counts as deleted; perhaps the API key sees "
        "less than before. If they were deleted on purpose, `swoogo-sync reconcile {event} --confirm-deletions` "
        "confirms it.",
    ),
    Code.TIMEZONE_MISMATCH: Sentences(
        "The time zones of {record} differ: {detail}. The schedule is right all the same, because every session is "
        "written with its own time zone; set the same zone on both sides to end this.",
        "{Record}: the time zones differ ({detail}), so every session is written with its own.",
    ),
    Code.OLDER_THAN_PUSHED: Sentences(
        "{Record} stays in Swoogo as it is: what was last published of it is older than what Swoogo has. Save it "
        "again in Sessionboard.",
        "{Record} is left as it is: Kafka now holds an older version than the one that was pushed. Saving it again in "
        "Sessionboard publishes the newest one.",
    ),
    Code.OLDER_PUBLISHED_LATER: Sentences(
        "An older state of {record} was published after a newer one; the newer one counts. If Swoogo does not show "
        "what Sessionboard shows, save it again in Sessionboard.",
        "{Record}: an earlier version with another content was published after a later one; the later one counts.",
    ),
    Code.FIELD_MAP_INVALID: Sentences(
        "{Record}: a pair of the field map is off ({field}). {detail} Everything else is synced. Correct the pair in "
        "the settings of the mapping.",
        "{Record}: the pair of the field map with the source {name} is off: {detail} Publish the mapping with a pair "
        "that fits; `swoogo-sync fields {event}` lists both sides.",
    ),
    Code.FIELD_CHANGED: Sentences(
        "{Record}: a pair of the field map is off ({field}). {detail} Everything else is synced. Look at the field in "
        "Swoogo, and save the settings of the mapping again.",
        "{Record}: the pair of the field map with the source {name} is off: {detail} Publish the mapping again when "
        "the field is what the pair means; `swoogo-sync fields {event}` lists both sides.",
    ),
    Code.UNKNOWN_CHOICE: Sentences(
        "The {field} of {record} is not all in Swoogo: its field there has no choice for {detail}. Add the choice "
        "in Swoogo, name another one in the field map, or correct it in Sessionboard.",
        "{Record}: Swoogo has no choice for {name}: {detail}. `values` of the pair names another, `add_choices` adds "
        "it.",
    ),
    Code.VALUE_NOT_FITTING: Sentences(
        "The {field} of {record} is not in Swoogo: the field there does not take it ({detail}). Correct it in "
        "Sessionboard.",
        "{Record}: {name} is left out, because its value does not fit its target ({detail}).",
    ),
    Code.OVERWRITTEN_IN_SWOOGO: Sentences(
        "The {field} of {record} was edited in Swoogo and is overwritten with what Sessionboard has, as the field map "
        "says. Edit it in Sessionboard.",
        "{Record}: {name} was edited in Swoogo and is overwritten: the policy of its pair is `always`.",
    ),
    Code.HELD_BACK: Sentences(
        "{Record} {out}: it is held back by the settings of the mapping ({detail}).",
        "{Record} is held back by `publish` or `embargo_until` of its mapping: {name} ({detail}).",
    ),
    Code.PLAN_CHANGED: Sentences(
        "Nothing of {record} was sent: the plan that was approved is not what would be sent any more ({detail}). Look "
        "at the plan and approve the new one.",
        "{Record}: the approved plan was refused ({detail}). `swoogo-sync plan {event}` shows the new one, and "
        "`swoogo-sync approve` approves it.",
    ),
}

REFUSED_WITHOUT_REASON: Final = (
    "Swoogo did not take {what}, and gave no reason. Compare it with what Swoogo's own form asks for (required fields, "
    f"lengths, choices) and correct it in Sessionboard. {_AGAIN}"
)
ADDRESS_TAKEN: Final = (
    " {Other} still has that e-mail address in Swoogo. If that contact is deleted in Sessionboard, delete the speaker "
    "in Swoogo. If the two swap theirs, give one of the two another address in Swoogo, and both are resolved by "
    "themselves at the next comparisons."
)
