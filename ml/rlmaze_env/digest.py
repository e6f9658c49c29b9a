"""The digest by which a resumed episode proves that its actions are the same."""

_OFFSET = 0xCBF29CE484222325
_PRIME = 0x100000001B3


def actions_digest(actions: bytes) -> int:
    """Returns the 64-bit FNV-1a hash of actions, one byte 0–3 each; of none it is 0xcbf29ce484222325.

    Source: Fowler, Noll, Vo: FNV hash (IETF draft-eastlake-fnv).
    """
    value = _OFFSET
    for action in actions:
        value = ((value ^ action) * _PRIME) & 0xFFFFFFFFFFFFFFFF
    return value
