"""Why a decision was taken: a key and its facts, put in words only when somebody reads it."""

from msgspec import Struct

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "stage.done": "stage {stage} ends: its queues are served, the others now cost more",
        "stage.hold": "stage {stage} holds: it still serves the most people (about {seconds} s)",
        "stage.limit": "stage {stage} ends: its maximum green is reached",
        "refused": "the checker refused the proposal ({why}); the plan goes on",
        "bus.extend": (
            "green of stage {stage} extended by {seconds} s for bus {bus}, due in {arrival} s: "
            "saves it {gain} s, costs the others {cost} person-seconds"
        ),
        "bus.truncate": (
            "stage {stage} ends {seconds} s sooner for bus {bus}, due in {arrival} s, {ahead} veh. "
            "ahead of it: saves it {gain} s, costs the others {cost} person-seconds"
        ),
        "bus.skip": (
            "a stage is skipped after {stage} for bus {bus}, due in {arrival} s: saves it "
            "{gain} s, costs the others {cost} person-seconds"
        ),
        "bus.insert": (
            "the next stages are retimed for bus {bus}, due in {arrival} s: saves it {gain} s, "
            "costs the others {cost} person-seconds"
        ),
        "bus.passes": "bus {bus}, due in {arrival} s, passes without help",
        "bus.waits": (
            "bus {bus}, due in {arrival} s, {ahead} veh. ahead of it, waits: nothing allowed now "
            "would help it more than it costs the others"
        ),
        "bus.vague": (
            "bus {bus}, due in {early} to {late} s, waits: nothing allowed now would surely help "
            "it more than it costs the others, its arrival is too uncertain"
        ),
        "bus.blind": (
            "bus {bus}, due in {arrival} s, waits (dead loops here: {dead} of {loops}): by the "
            "flows the plan was made for, helping it would cost the others more"
        ),
        "bus.rival": "bus {bus} gives way to bus {rival}, which weighs as much or more",
        "bus.twice": "bus {bus} is served first at the nearer of its two stop lines here",
        "bus.unhelped": "bus {bus}, {ahead} veh. ahead of it, is served as ordinary traffic",
        "bus.locked": (
            "bus {bus} is not helped: priority has just cost the others {debt} person-seconds "
            "here, they are repaid first"
        ),
        "bus.unknown": "bus {bus} cannot be served here: the crossing has no lane {lane}",
        "bus.no_green": "bus {bus} cannot be served here: no stage lets lane {lane} go",
        "bus.given_up": (
            "bus {bus} has not passed in {seconds} s: nothing waits for it here any more"
        ),
        "bus.anew": "bus {bus} begins another run",
        "bus.crowd": "bus {bus} waits: {count} nearer buses are weighed first",
        "bus.overstay": "bus {bus} has been present for {seconds} s: served as ordinary traffic",
        "bus.passed": "bus {bus} has passed the stop line after {seconds} s",
        "bus.turned": "bus {bus} has a new way that does not come here",
        "bus.lost": "bus {bus} is no longer heard: nothing waits for it any more",
        "bus.opened": "bus {bus} asks for priority, due in {arrival} s ({early} to {late} s)",
    },
    "fr": {
        "stage.done": "la phase {stage} finit : ses files sont écoulées, les autres coûtent plus",
        "stage.hold": "la phase {stage} dure : elle sert le plus de monde (environ {seconds} s)",
        "stage.limit": "la phase {stage} finit : son vert maximal est atteint",
        "refused": "le vérificateur a refusé la proposition ({why}) ; le plan continue",
        "bus.extend": (
            "vert de la phase {stage} prolongé de {seconds} s pour le bus {bus}, attendu dans "
            "{arrival} s : il gagne {gain} s, les autres perdent {cost} personnes-secondes"
        ),
        "bus.truncate": (
            "la phase {stage} finit {seconds} s plus tôt pour le bus {bus}, attendu dans "
            "{arrival} s, {ahead} véh. devant lui : il gagne {gain} s, les autres perdent "
            "{cost} personnes-secondes"
        ),
        "bus.skip": (
            "une phase est sautée après {stage} pour le bus {bus}, attendu dans {arrival} s : il "
            "gagne {gain} s, les autres perdent {cost} personnes-secondes"
        ),
        "bus.insert": (
            "les phases suivantes sont redécoupées pour le bus {bus}, attendu dans {arrival} s : "
            "il gagne {gain} s, les autres perdent {cost} personnes-secondes"
        ),
        "bus.passes": "le bus {bus}, attendu dans {arrival} s, passe sans aide",
        "bus.waits": (
            "le bus {bus}, attendu dans {arrival} s, {ahead} véh. devant lui, attend : rien de "
            "permis ne l'aiderait plus que cela ne coûterait aux autres"
        ),
        "bus.vague": (
            "le bus {bus}, attendu dans {early} à {late} s, attend : rien de permis ne l'aiderait "
            "sûrement plus que cela ne coûterait aux autres, son arrivée est trop incertaine"
        ),
        "bus.blind": (
            "le bus {bus}, attendu dans {arrival} s, attend (boucles muettes ici : {dead} sur "
            "{loops}) : selon les débits du plan, l'aider coûterait plus aux autres"
        ),
        "bus.rival": "le bus {bus} cède au bus {rival}, qui pèse autant ou plus",
        "bus.twice": "le bus {bus} est servi d'abord à sa ligne d'arrêt la plus proche ici",
        "bus.unhelped": "le bus {bus}, {ahead} véh. devant lui, est servi comme le trafic",
        "bus.locked": (
            "le bus {bus} n'est pas aidé : la priorité vient de coûter {debt} "
            "personnes-secondes aux autres, ils sont servis d'abord"
        ),
        "bus.unknown": "le bus {bus} ne peut être servi : le carrefour n'a pas de voie {lane}",
        "bus.no_green": "le bus {bus} ne peut être servi : aucune phase n'ouvre la voie {lane}",
        "bus.given_up": "le bus {bus} n'a pas passé en {seconds} s : plus rien ne l'attend ici",
        "bus.anew": "le bus {bus} commence une autre course",
        "bus.crowd": "le bus {bus} attend : {count} bus plus proches sont pesés d'abord",
        "bus.overstay": "le bus {bus} est là depuis {seconds} s : il est servi comme le trafic",
        "bus.passed": "le bus {bus} a passé la ligne d'arrêt après {seconds} s",
        "bus.turned": "le bus {bus} a un nouvel itinéraire qui ne passe pas ici",
        "bus.lost": "le bus {bus} n'est plus entendu : rien ne l'attend plus",
        "bus.opened": (
            "le bus {bus} demande la priorité, attendu dans {arrival} s ({early} à {late} s)"
        ),
    },
}

WAITING = frozenset(("bus.waits", "bus.vague", "bus.blind", "bus.crowd"))
"""Nothing that is allowed would help, and why."""
RIVALRY = frozenset(("bus.rival", "bus.twice"))
"""Another request is stronger."""


def rival(bus: str, other: str) -> "Reason":
    """Why `bus` gives way to `other`; the same bus may ask at two stop lines of a crossing."""
    if bus == other:
        return Reason("bus.twice", {"bus": bus})
    return Reason("bus.rival", {"bus": bus, "rival": other})


class Reason(Struct, frozen=True):
    """A message key and its parameters."""

    key: str
    facts: dict[str, str | int]

    def words(self, language: str = "en") -> str:
        """The reason as a sentence."""
        return WORDS[language][self.key].format(**self.facts)
