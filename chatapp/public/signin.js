// The page that says to sign in: by a passkey, where the browser has them.

import { available, signInByPasskey } from './passkeys.js';

const button = document.getElementById('passkey');
const error = document.getElementById('passkey-error');

button.hidden = !available;
button.addEventListener('click', async () => {
  button.disabled = true;
  error.textContent = await signInByPasskey();
  button.disabled = false;
  if (!error.textContent) location.reload();
});
