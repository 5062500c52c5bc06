"""Who goes on with the speaker of a contact that was deleted: one imported again under the same e-mail address (P2).

Sessionboard gives a contact that is deleted and made again another id. Swoogo keeps the speaker (D1), so the newcomer
is that speaker, and not a second one with the address of somebody who is gone.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.plan import removal_key
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind, id_of, key_of
from consumer.domain.records.ledger import Entry, Ledger, entries_of
from consumer.domain.records.snapshot import Contact, Snapshot
from consumer.domain.records.text import natural_email


def reassign_deleted_contacts(
    snapshot: Snapshot,
    ledger: Ledger,
    settings: MappingSettings,
    refused: AbstractSet[str] = frozenset(),
    digests: Digests = PLAIN,
) -> dict[str, Entry | None]:
    """Ledger entries to write before a plan is made: the heir's, and None for the former contact's.

    There is no heir while another contact that is not deleted was synced with the address, or was synced and has it
    now, as the survivor of a merge does; of several newcomers the smallest id is it. Where deleted speakers are removed
    from Swoogo (D4), the newcomer is created after that; a speaker who stays there all the same, because people made it
    or Swoogo refuses the deletion (`refused`: issue keys), is inherited.
    """

    def stays(key: str, entry: Entry) -> bool:
        return not settings.remove_deleted_speakers or not entry.op_id or removal_key(key) in refused

    def address_of(contact: Contact) -> str:
        return digests.natural(natural_email(contact.profile.email or ""))

    former: dict[str, str] = {}
    taken: set[str] = set()
    for key, entry in entries_of(ledger, Kind.SPEAKER):
        contact = snapshot.contacts.get(id_of(key))
        if contact and contact.deleted and entry.live:
            if stays(key, entry):
                former[entry.natural] = key
        else:
            taken.add(entry.natural)
            if contact and entry.live and not contact.deleted:
                taken.add(address_of(contact))
    changes: dict[str, Entry | None] = {}
    for contact in sorted(snapshot.contacts.values(), key=lambda each: each.id) if former else ():
        address, key = address_of(contact), key_of(Kind.SPEAKER, contact.id)
        if contact.deleted or not address or address in taken or address not in former or key in ledger:
            continue
        changes[key], changes[former[address]] = ledger[former[address]], None
        taken.add(address)
    return changes
