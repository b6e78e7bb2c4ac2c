<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${c.title}</title>
  <link rel="icon" href="${c.static('icon.svg')}" type="image/svg+xml">
  <link rel="stylesheet" href="${c.static('error.css')}">
</head>
<body>
  <main>
    <img src="${c.static('icon.svg')}" alt="" width="44" height="44">
    % if c.invited:
    <h1>You are invited. What shall we call you?</h1>
    <p class="hint">The link works once, and the name stays yours.</p>
    <form method="post">
      <label for="name">Name</label>
      <input id="name" name="name" maxlength="${c.most}" required spellcheck="false" autocomplete="nickname" autofocus>
      <button class="go">Come in</button>
    </form>
    % else:
    % if c.nick:
    <h1>Go on as <bdi>${c.nick}</bdi> on this device?</h1>
    % else:
    <h1>Go on in the chat on this device?</h1>
    % endif
    <p class="hint">The link works once. Use it only if you made it yourself.</p>
    <form method="post"><button class="go">Open the chat</button></form>
    % endif
  </main>
</body>
</html>
