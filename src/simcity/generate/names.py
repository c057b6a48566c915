"""Plausible French street names that name no real street in particular."""

import numpy as np

from simcity.generate.layout import AVENUE, ROAD

TREES = (
    "des Tilleuls|des Érables|des Platanes|du Vieux Chêne|des Acacias|des Noisetiers|"
    "des Marronniers|des Peupliers|des Saules|des Cerisiers|des Ormes|des Charmes|des Frênes|"
    "des Bouleaux|des Cèdres|des Mélèzes|des Pins|des Sapins|des Hêtres|des Aulnes|des Noyers|"
    "des Poiriers|des Pommiers|des Pruniers|des Cognassiers|des Sorbiers|des Alisiers|"
    "des Sureaux|des Houx|des Ifs|du Gui|des Mûriers|des Figuiers|des Amandiers|des Magnolias|"
    "des Catalpas|des Genévriers|des Cormiers"
)
FLOWERS = (
    "des Iris|des Lilas|des Glycines|des Pivoines|des Bleuets|des Coquelicots|des Jonquilles|"
    "des Violettes|des Primevères|des Anémones|des Aubépines|des Bruyères|des Capucines|"
    "des Dahlias|des Églantiers|des Genêts|des Jacinthes|des Jasmins|des Lavandes|du Muguet|"
    "des Myosotis|des Narcisses|des Œillets|des Pâquerettes|des Pervenches|des Roses|"
    "des Tulipes|du Trèfle|du Thym|de la Sauge|des Fougères|des Joncs|de la Mélisse|"
    "des Orchidées|du Chèvrefeuille"
)
RIVERS = (
    "de l'Ouche|du Suzon|de la Saône|de la Tille|de la Vouge|de la Loire|de la Seine|"
    "de l'Yonne|de l'Armançon|du Doubs|de l'Ognon|de la Bèze|de la Vingeanne|de la Marne|"
    "de l'Aube|de la Meuse|de la Moselle|du Rhône|de l'Ain|de l'Isère|de la Drôme|de l'Ardèche|"
    "du Gard|de l'Allier|du Cher|de la Creuse|de la Vienne|de la Charente|de la Dordogne|"
    "du Lot|du Tarn|de l'Aveyron|de la Garonne|de l'Adour|de l'Aude|de l'Orb|de la Durance|"
    "du Verdon|de la Somme|de l'Oise|de l'Eure|de la Sarthe"
)
TRADES = (
    "des Forgerons|des Tanneurs|des Boulangers|des Tisserands|des Charpentiers|des Maçons|"
    "des Potiers|des Verriers|des Vignerons|des Tonneliers|des Meuniers|des Bergers|"
    "des Jardiniers|des Imprimeurs|des Relieurs|des Luthiers|des Horlogers|des Cordiers|"
    "des Couteliers|des Drapiers|des Teinturiers|des Chapeliers|des Cordonniers|des Selliers|"
    "des Charrons|des Bateliers|des Pêcheurs|des Cheminots|des Mariniers|des Carriers|"
    "des Tuiliers|des Moutardiers|des Épiciers|des Herboristes|des Facteurs|des Allumeurs|"
    "des Lanterniers|des Ferblantiers|des Chaudronniers|des Graveurs|des Doreurs"
)
VIRTUES = (
    "de la Liberté|de l'Égalité|de la Fraternité|de la Concorde|de la Paix|de la Justice|"
    "de la Constance|de la Clémence|de l'Espérance|de la Bonté|de la Prudence|de la Patience|"
    "de la Vaillance|de la Sagesse|de l'Amitié|de la Joie|du Courage|de l'Harmonie|"
    "de la Loyauté|du Progrès|du Travail|de l'Avenir|de la Mémoire|de la Solidarité|de l'Union|"
    "de la République"
)
BIRDS = (
    "des Alouettes|des Hirondelles|des Mésanges|des Rossignols|des Merles|des Pinsons|"
    "des Fauvettes|des Bergeronnettes|des Cigognes|des Hérons|des Grives|des Loriots|"
    "des Martinets|des Tourterelles|des Palombes|des Perdrix|du Coucou|de la Huppe|du Roitelet|"
    "de la Chouette|du Faucon|des Huppes|des Écureuils|du Hérisson|de la Loutre|du Cerf|"
    "des Chevreuils|du Lièvre|des Abeilles|du Grillon"
)
PLACES = (
    "du Moulin|du Four|du Puits|de la Fontaine|du Lavoir|de l'Église|de la Mairie|de l'École|"
    "du Château|de la Gare|du Pont|du Marché|de la Halle|du Rempart|de la Tour|du Parc|"
    "du Stade|des Vergers|des Vignes|des Champs|du Lac|de la Source|du Ruisseau|de la Combe|"
    "du Coteau|de la Plaine|du Bois"
)
LANDS = (
    "du Clos|du Pré|du Champ|du Bois|du Val|du Puits|du Four|du Moulin|du Jardin|du Verger|"
    "du Pont|du Hameau|du Coteau|du Sentier|du Parc|du Gué|du Mas|du Lavoir|du Domaine|"
    "du Plateau|du Quai"
)
SIDES = ("Nord", "Sud", "Est", "Ouest", "Haut", "Bas", "Neuf", "Vieux")
THEMES = [theme.split("|") for theme in (TREES, FLOWERS, RIVERS, TRADES, VIRTUES, BIRDS, PLACES)]

_BY_WIDTH = {
    AVENUE: (("Avenue", 0.62), ("Boulevard", 0.3), ("Cours", 0.08)),
    ROAD: (("Route", 1.0),),
}
_TOWN = (("Rue", 0.86), ("Allée", 0.06), ("Passage", 0.04), ("Place", 0.04))
_VILLAGE = (("Rue", 0.68), ("Chemin", 0.22), ("Place", 0.04), ("Ruelle", 0.06))
_SHORT = (("Impasse", 0.45), ("Allée", 0.3), ("Place", 0.25))


class Namer:
    """Hands out names, never the same twice in a municipality."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        simple = [name for theme in THEMES for name in theme]
        combined = [f"{land} {name}" for land in LANDS.split("|") for name in simple]
        self._simple, self._combined = simple, combined
        self._left: dict[str, list[str]] = {}
        self._rounds: dict[str, int] = {}
        self._roads: set[tuple[str, str]] = set()

    def name(self, insee: str, kind: int, length: float, town: bool) -> str:
        if kind in _BY_WIDTH:
            types = _BY_WIDTH[kind]
        elif length < 110:
            types = _SHORT
        else:
            types = _TOWN if town else _VILLAGE
        return f"{self._pick(types)} {self._complement(insee)}"

    def road(self, insee: str, towards: str) -> str | None:
        """The road to a neighbour: named after it once, None when that name is taken."""
        article = "d'" if towards[0] in "AEIOUYÉHaeiouy" else "de "
        name = f"Route {article}{towards}"
        if (insee, name) in self._roads:
            return None
        self._roads.add((insee, name))
        return name

    def _pick(self, types: tuple[tuple[str, float], ...]) -> str:
        draw = self._rng.random()
        for name, weight in types:
            draw -= weight
            if draw < 0:
                return name
        return types[0][0]

    def _complement(self, insee: str) -> str:
        left = self._left.get(insee)
        if not left:
            left = self._left[insee] = self._draw_pool(self._rounds.get(insee, 0))
            self._rounds[insee] = self._rounds.get(insee, 0) + 1
        return left.pop()

    def _draw_pool(self, number: int) -> list[str]:
        """All complements, shuffled, the simplest last (taken first); later rounds say where."""
        side = "" if number == 0 else f" {SIDES[(number - 1) % len(SIDES)]}"
        if number > len(SIDES):
            side += f" {number}"
        pools = (self._combined, self._simple)
        return [pool[i] + side for pool in pools for i in self._rng.permutation(len(pool))]
