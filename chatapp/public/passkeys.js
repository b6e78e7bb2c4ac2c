// Passkeys (WebAuthn): what the server asks of the browser, and what that answers. Both are JSON on the wire, with bytes as
// base64url. PublicKeyCredential.parseCreationOptionsFromJSON is younger than the oldest browsers that the page works in.

import { passkeys, signIn } from './calls.js';

const NO_ANSWER = 'The server does not answer. Try again in a moment.';
const GIVEN_UP = 'No passkey was chosen.';

/** Whether this browser has them, here. */
export const available = typeof PublicKeyCredential === 'function' && Boolean(navigator.credentials);

/** The passkeys of the person: {list, line}; `line` is '' or says what went wrong. */
export async function ownPasskeys() {
  return listed(await passkeys());
}

/** Make one more: {list, line}. */
export async function addPasskey() {
  const { status, data, error } = await passkeys({});
  if (status !== 200) return { list: null, line: error || NO_ANSWER };
  const publicKey = { ...data, challenge: bytes(data.challenge), user: { ...data.user, id: bytes(data.user.id) } };
  publicKey.excludeCredentials = (data.excludeCredentials ?? []).map(known);
  const { made, line } = await asked(() => navigator.credentials.create({ publicKey }));
  if (!made) return { list: null, line };
  const { clientDataJSON, attestationObject } = made.response;
  return listed(await passkeys({ credential: credential(made, { clientDataJSON, attestationObject }) }));
}

export async function removePasskey(id) {
  return listed(await passkeys({ remove: id }));
}

/** Sign in with one; returns '' or why that was not possible. */
export async function signInByPasskey() {
  const { status, data, error } = await signIn({});
  if (status !== 200) return error || NO_ANSWER;
  const publicKey = { ...data, challenge: bytes(data.challenge), allowCredentials: [] };
  const { made, line } = await asked(() => navigator.credentials.get({ publicKey }));
  if (!made) return line;
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  const answer = await signIn({ credential: credential(made, { clientDataJSON, authenticatorData, signature, userHandle }) });
  return answer.status === 200 ? '' : answer.error || NO_ANSWER;
}

function listed({ status, data, error }) {
  if (status === 200 && Array.isArray(data.passkeys)) return { list: data.passkeys, line: '' };
  return { list: null, line: error || NO_ANSWER };
}

async function asked(ask) {
  try {
    const made = await ask();
    return { made, line: made ? '' : GIVEN_UP };
  } catch (error) {
    const line = error.name === 'InvalidStateError' ? 'This device has a passkey of yours already.' : GIVEN_UP;
    return { made: null, line };
  }
}

function credential({ id, rawId, type }, response) {
  const parts = Object.entries(response).filter(([, value]) => value);
  return { id, rawId: text(rawId), type, response: Object.fromEntries(parts.map(([name, value]) => [name, text(value)])) };
}

function known({ id, type }) {
  return { id: bytes(id), type };
}

function bytes(base64url) {
  const base64 = base64url.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
