// Writes what the screens are typed by, from files that are one a room: the API's shapes
// (../openapi/*.json; those of everyone in ../openapi/public) and the words (src/rooms/*/words/*.json). Its results are not committed.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  // An equal file keeps its time: builds look at it.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

function description(...inside) {
  const folder = join(web, "..", "openapi", ...inside);
  const whole = read(join(folder, "_common.json"));
  whole.paths = {};
  for (const name of readdirSync(folder).sort()) {
    if (name === "_common.json" || !name.endsWith(".json")) continue;
    const part = read(join(folder, name));
    Object.assign(whole.paths, part.paths);
    Object.assign(whole.components.schemas, part.components.schemas);
  }
  return whole;
}

function words() {
  const folder = join(web, "src", "rooms");
  const rooms = existsSync(folder) ? readdirSync(folder).filter((room) => existsSync(join(folder, room, "words", "fr.json"))).sort() : [];
  const imports = rooms.flatMap((room) => ["en", "fr"].map((language) => `import ${room}_${language} from "../../rooms/${room}/words/${language}.json";`));
  const list = (language) => `export const ${language} = [${rooms.map((room) => `${room}_${language}`).join(", ")}] as const;`;
  const types = rooms.length ? rooms.map((room) => `typeof ${room}_fr`).join(" & ") : "object";
  return [
    "/** The words of every room. Written by scripts/generate.mjs. */",
    ...imports, list("en"), list("fr"), `export type RoomWords = ${types};`, "",
  ].join("\n");
}

write(join(web, "src/shared/api/schema.ts"), "/** The API's shapes. Written by scripts/generate.mjs. */\n" + astToString(await openapiTS(description())));
write(join(web, "src/portal/schema.ts"), "/** The public API's shapes. Written by scripts/generate.mjs. */\n" + astToString(await openapiTS(description("public"))));
write(join(web, "src/shared/i18n/rooms.ts"), words());
