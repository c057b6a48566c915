// A certified OpenID provider on loopback for tests: `node provider.mjs '{"port": …}'`.
// Whoever types a login of `accounts` and any password is in; the package comes from web/.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const found = createRequire(join(root, "web", "package.json")).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found));
const { port, client_id, client_secret, redirect_uris, accounts } = JSON.parse(process.argv[2]);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id, client_secret, redirect_uris, grant_types: ["authorization_code"], response_types: ["code"] }],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  scopes: ["openid", "profile", "email", "groups"],
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  cookies: { keys: ["only for tests"] },
  pkce: { required: () => true },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
