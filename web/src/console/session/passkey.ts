/** The browser's side of a passkey: WebAuthn speaks in bytes, the server in base64url. */
import type { PasskeyAnswer } from "../../shared/api/types";

export const passkeysHere = (): boolean => typeof PublicKeyCredential !== "undefined" && window.isSecureContext;

/** The person closed the browser's dialogue, or no key answered. */
export class NoPasskey extends Error {}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const raw = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

interface Described {
  id: string;
  type: "public-key";
}

const described = (list: Described[] | undefined) => (list ?? []).map(({ id, type }) => ({ id: bytes(id), type }));

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let found: Credential | null = null;
  try {
    found = await ask();
  } catch (cause) {
    throw new NoPasskey(cause instanceof Error ? cause.message : "", { cause });
  }
  if (!(found instanceof PublicKeyCredential)) throw new NoPasskey();
  return found;
}

const answer = (credential: PublicKeyCredential, response: PasskeyAnswer["response"]): PasskeyAnswer =>
  ({ id: credential.id, rawId: text(credential.rawId), type: "public-key", response });

/** Make a passkey from the server's options. */
export async function makePasskey(options: object): Promise<PasskeyAnswer> {
  const told = options as Omit<PublicKeyCredentialCreationOptions, "challenge" | "excludeCredentials" | "user"> & {
    challenge: string; excludeCredentials?: Described[]; user: { id: string; name: string; displayName: string };
  };
  const publicKey: PublicKeyCredentialCreationOptions = {
    ...told, challenge: bytes(told.challenge), excludeCredentials: described(told.excludeCredentials), user: { ...told.user, id: bytes(told.user.id) },
  };
  const made = await asked(() => navigator.credentials.create({ publicKey }));
  const response = made.response as AuthenticatorAttestationResponse;
  return answer(made, { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) });
}

/** Have a passkey answer the server's challenge. */
export async function answerPasskey(options: object): Promise<PasskeyAnswer> {
  const told = options as Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> & { challenge: string; allowCredentials?: Described[] };
  const publicKey: PublicKeyCredentialRequestOptions = { ...told, challenge: bytes(told.challenge), allowCredentials: described(told.allowCredentials) };
  const found = await asked(() => navigator.credentials.get({ publicKey }));
  const response = found.response as AuthenticatorAssertionResponse;
  return answer(found, {
    clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : "",
  });
}

/** "Chrome · Linux" of a browser's long name for itself; empty when it says nothing known. */
export function deviceName(agent: string): string {
  const browser = ([["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]] as const)
    .find(([mark]) => agent.includes(mark))?.[1];
  const system = ([["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "Mac"], ["Linux", "Linux"]] as const)
    .find(([mark]) => agent.includes(mark))?.[1];
  return [browser, system].filter(Boolean).join(" · ");
}
