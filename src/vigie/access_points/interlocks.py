"""What a bollard is never ordered to do. One that rises under a vehicle lifts it: unknown and old
evidence refuse as well."""

from vigie.control import Facts, Interlock, Refusal

# It reports every three minutes, and each change at once: after two missed reports nobody knows.
RECENT_S = 360.0


def bollard_presence(facts: Facts) -> Refusal | None:
    """Not raised while something stands on it, nor while nobody knows whether."""
    if facts.params.get("mode") == "forced_open":
        return None
    bollard = facts.asset
    presence = bollard.value("presence")
    if presence is None:
        return Refusal("evidence_missing")
    if not facts.is_recent(bollard, RECENT_S):
        return Refusal("evidence_old")
    return Refusal("vehicle_present") if presence else None


def bollard_moving(facts: Facts) -> Refusal | None:
    """Not turned back in the middle of a movement. Unknown passes: lowering lets help through."""
    if facts.asset.value("barrier") == "moving" and facts.is_recent(facts.asset, RECENT_S):
        return Refusal("still_moving")
    return None


INTERLOCKS = (
    Interlock("bollard_presence", bollard_presence),
    Interlock("bollard_moving", bollard_moving),
)
