"""The rules, as pure functions over frozen data: no await, no clock, no randomness, no third party.

Times are integer milliseconds since the epoch (UTC); ids are the vendors' own. In text fields `None` means
"not known, leave alone" and the empty string means "known to be empty, clear it" (rules R4, P5).
"""
