/** A made-up Dijon for the mock: places at their true centroids, invented streets and lights. */
type LonLat = [number, number];

export interface MockLight {
  id: number;
  insee: string;
  street: string;
  lon: number;
  lat: number;
  at: number | null;
  level: number;
  desired: number;
  power: number;
  rated: number;
  flags: number;
}

export interface MockCity {
  municipalities: { insee: string; name: string; population: number; centroid: LonLat }[];
  streets: { id: number; name: string; insee: string; line: LonLat[] }[];
  lights: MockLight[];
}

const places: [string, string, number, number, number][] = [
  ["21231", "Dijon", 159941, 5.03748, 47.32286], ["21166", "Chenôve", 14299, 5.00492, 47.2926],
  ["21617", "Talant", 12055, 4.99812, 47.33912], ["21171", "Chevigny-Saint-Sauveur", 10895, 5.13658, 47.29987],
  ["21515", "Quetigny", 8897, 5.11512, 47.31942], ["21278", "Fontaine-lès-Dijon", 9032, 5.02456, 47.34737],
  ["21355", "Longvic", 8787, 5.0529, 47.28566], ["21540", "Saint-Apollinaire", 7517, 5.0896, 47.3334],
  ["21390", "Marsannay-la-Côte", 5440, 4.9845, 47.27916], ["21485", "Plombières-lès-Dijon", 2508, 4.95098, 47.33836],
];
const kinds = ["Rue", "Avenue", "Allée", "Impasse", "Boulevard", "Place"];
const names = ["de la Liberté", "Monge", "Berbisey", "des Godrans", "Jean Jaurès", "du Drapeau", "Victor Hugo", "de la Préfecture", "du Bourg", "de Mirande", "Chabot-Charny", "du Faubourg Raines", "d’Auxonne", "des Marmuzots", "Saint-Philibert", "du Petit Cîteaux"];

export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

export function makeCity(count: number): MockCity {
  const chance = random(7);
  const municipalities = places.map(([insee, name, population, lon, lat]) => ({ insee, name, population, centroid: [lon, lat] as LonLat }));
  const people = municipalities.reduce((sum, { population }) => sum + population, 0);
  const city: MockCity = { municipalities, streets: [], lights: [] };
  const now = Date.now() / 1000;
  for (const place of municipalities) {
    const lights = Math.round((count * place.population) / people);
    const streets = Math.max(4, Math.round(lights / 24));
    const spread = 0.0075 * Math.sqrt(streets / 120);
    for (let s = 0; s < streets; s++) {
      const turn = chance() * Math.PI;
      const away = Math.sqrt(chance()) * spread * 2.2;
      const angle = chance() * 2 * Math.PI;
      const x = place.centroid[0] + Math.cos(angle) * away * 1.4;
      const y = place.centroid[1] + Math.sin(angle) * away;
      const half = 0.0022 + chance() * 0.0028;
      const bend = (chance() - 0.5) * 0.5;
      const line: LonLat[] = [-1, -0.4, 0.2, 0.7, 1].map((k) => [
        x + Math.cos(turn + bend * k) * half * k * 1.4, y + Math.sin(turn + bend * k) * half * k,
      ]);
      const name = `${kinds[Math.floor(chance() * kinds.length)]} ${names[Math.floor(chance() * names.length)]}`;
      city.streets.push({ id: city.streets.length + 1, name, insee: place.insee, line });
      const here = Math.round(lights / streets);
      for (let i = 0; i < here; i++) {
        const k = (i / Math.max(1, here - 1)) * (line.length - 1.001);
        const a = line[Math.floor(k)] as LonLat;
        const b = line[Math.floor(k) + 1] as LonLat;
        const part = k - Math.floor(k);
        const rated = 40 + Math.round(chance() * 80);
        const draw = chance();
        const flags = draw < 0.004 ? 1 : draw < 0.0055 ? 2 : draw < 0.0065 ? 8 : draw < 0.007 ? 4 : 0;
        const level = flags & 3 ? 0 : [100, 80, 70, 50][Math.floor(chance() * 4)] ?? 70;
        city.lights.push({
          id: city.lights.length + 1, insee: place.insee, street: name,
          lon: a[0] + (b[0] - a[0]) * part + (i % 2 ? 0.00005 : -0.00005), lat: a[1] + (b[1] - a[1]) * part,
          at: chance() < 0.01 ? now - 4000 : now - chance() * 60, level, desired: level, power: (level / 100) * rated, rated, flags,
        });
      }
    }
  }
  return city;
}
