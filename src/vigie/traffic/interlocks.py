"""What a junction is never ordered to do from afar."""

from vigie.control import Facts, Interlock, Refusal

# The controller promises its mode every minute: after three nobody knows what it does.
RECENT_S = 180.0


def signals_safe(facts: Facts) -> Refusal | None:
    """A mode is only set where the controller reports and nobody works at its cabinet; normal
    running only where every group has its lamps."""
    controller = facts.asset
    if controller.value("mode") is None or controller.value("doorOpen") is None:
        return Refusal("evidence_missing")
    if not facts.is_recent(controller, RECENT_S):
        return Refusal("evidence_old")
    if controller.value("doorOpen"):
        return Refusal("cabinet_open")
    if controller.value("supplyLoss"):
        return Refusal("supply_lost")
    if facts.params.get("mode") != "normal":
        return None
    dark = [group.id for group in facts.near if group.value("lampFault")]
    if controller.value("lampFault") or dark:
        return Refusal("lamps_faulty", {"groups": dark})
    return None


INTERLOCKS = (Interlock("signals_safe", signals_safe, near=("children",)),)
