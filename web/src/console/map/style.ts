/** The base map: ground, municipalities, streets and their names. No tile or glyph server: text is drawn locally. */
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Territory } from "../../shared/api/types";
import type { Palette } from "../../shared/tokens";

const font = ["Inter Variable"];
const strong = ["Vigie Semibold"];
export const streetLine = "street-found";

const layersOf = (colour: Palette): LayerSpecification[] => [
  { id: "ground", type: "background", paint: { "background-color": colour.void } },
  { id: "land", type: "fill", source: "contours", paint: { "fill-color": colour.land } },
  {
    id: "contours", type: "line", source: "contours",
    paint: { "line-color": colour.landLine, "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.8, 14, 1.6], "line-dasharray": [4, 2] },
  },
  {
    id: "streets", type: "line", source: "streets",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": ["interpolate", ["linear"], ["zoom"], 11, colour.street, 15, colour.streetMain],
      "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, 0.4, 13, 1.2, 16, 5, 19, 22],
    },
  },
  // The street that was looked for; which one is said as a filter, none at first.
  {
    id: streetLine, type: "line", source: "streets", filter: ["==", ["get", "name"], ""],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": colour.focus, "line-opacity": 0.55,
      "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, 2, 13, 4, 16, 9, 19, 26],
    },
  },
];

/** Drawn above the lights. */
const labelsOf = (colour: Palette): LayerSpecification[] => [
  {
    id: "street-names", type: "symbol", source: "streets", minzoom: 14.2,
    layout: {
      "symbol-placement": "line", "text-field": ["get", "name"], "text-font": font,
      "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10.5, 18, 14], "text-padding": 12, "symbol-spacing": 380,
    },
    paint: { "text-color": colour.streetName, "text-halo-color": colour.void, "text-halo-width": 1.6 },
  },
  {
    id: "municipality-names", type: "symbol", source: "municipalities", maxzoom: 15,
    layout: {
      "text-field": ["get", "name"], "text-font": strong, "text-letter-spacing": 0.02,
      "text-size": ["interpolate", ["linear"], ["get", "population"], 500, 12, 20_000, 14, 150_000, 19],
      "symbol-sort-key": ["-", 0, ["get", "population"]], "text-padding": 4, "text-anchor": "bottom", "text-offset": [0, -0.7],
    },
    paint: { "text-color": colour.placeName, "text-halo-color": colour.void, "text-halo-width": 2.4, "text-halo-blur": 0.4 },
  },
];

export const firstLabel = "street-names";

export function mapStyle(territory: Territory, palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      contours: { type: "geojson", data: "/api/v1/territory/municipalities.geojson" },
      streets: { type: "geojson", data: "/api/v1/territory/streets.geojson", tolerance: 0.4, attribution: territory.attribution },
      municipalities: {
        type: "geojson",
        data: {
          type: "FeatureCollection",
          features: territory.municipalities.map((place) => ({
            type: "Feature",
            geometry: { type: "Point", coordinates: place.centroid },
            properties: { name: place.name, population: place.population },
          })),
        },
      },
    },
    layers: [...layersOf(palette), ...labelsOf(palette)],
  };
}
