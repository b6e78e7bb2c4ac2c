<!DOCTYPE html>
<html lang="en" data-base="${c.base}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${c.code} · ${c.message}</title>
  <link rel="icon" href="${c.static('icon.svg')}" type="image/svg+xml">
  <link rel="stylesheet" href="${c.static('error.css')}">
</head>
<body>
  <main>
    <img src="${c.static('icon.svg')}" alt="" width="44" height="44">
    <p class="code">${c.code}</p>
    <h1>${c.message}</h1>
    % if c.code == 404:
    <p class="hint">The address may be mistyped. A room has its name after a #, as in #lobby.</p>
    % endif
    % if c.passkeys:
    <button type="button" class="go" id="passkey" hidden>Sign in with a passkey</button>
    <p id="passkey-error" class="hint" role="alert"></p>
    <script type="module" src="${c.static('signin.js')}"></script>
    % endif
    % if c.login:
    <a href="${c.login}">Sign in</a>
    % else:
    <a href="${c.base}/">Back to the chat</a>
    % endif
  </main>
</body>
</html>
