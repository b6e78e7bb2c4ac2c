<!DOCTYPE html>
<html lang="en" data-link="connecting" data-base="${c.base}" data-version="${c.version}" data-limits="${c.limits}" data-nick="${c.nick}" data-known="${'yes' if c.is_known else ''}" data-named="${c.named}" data-passkeys="${'yes' if c.passkeys else ''}" data-door="${'own' if c.has_door else ''}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
  <meta name="color-scheme" content="light dark">
  <meta name="theme-color" content="#fbf9f4" media="(prefers-color-scheme: light)">
  <meta name="theme-color" content="#161a19" media="(prefers-color-scheme: dark)">
  <title>${c.title}</title>
  <link rel="icon" href="${c.static('icon.svg')}" type="image/svg+xml" id="favicon">
  <link rel="stylesheet" href="${c.static('chat.css')}">
  <script type="module" src="${c.static('page.js')}"></script>
  <script defer src="${c.static('floor.js')}"></script>
</head>
<body>
  <button type="button" class="skip">Skip to the message box</button>

  <aside id="rooms" class="panel" aria-label="Rooms">
    <div class="panel-head">
      <p class="brand"><img src="${c.static('icon.svg')}" alt="" width="30" height="30"> ${c.title}</p>
      <button type="button" class="glyph close" aria-label="Close"></button>
    </div>
    <nav aria-labelledby="rooms-title">
      <form id="room-form" autocomplete="off">
        <div class="rooms-head">
          <h2 id="rooms-title">Rooms</h2>
          <label class="glyph plus" for="room-name" title="Join or open a room"><span class="hidden">Join or open a room</span></label>
          <div class="field">
            <input id="room-name" name="room" maxlength="65" placeholder="Name of a room" aria-describedby="room-error">
            <button class="glyph join" aria-label="Join"></button>
          </div>
        </div>
        <p id="room-error" class="error" role="alert"></p>
      </form>
      <ul id="room-list"></ul>
    </nav>
    <button type="button" id="nick-change">
      <span id="me-nick" dir="auto"></span> <span class="hint">Change name</span>
    </button>
  </aside>

  <main>
    <header>
      <button type="button" class="glyph menu" aria-controls="rooms" aria-expanded="false" aria-label="Rooms"></button>
      <div class="where">
        <h1 id="room-title" dir="auto">lobby</h1>
        <p class="state"><span class="beacon" aria-hidden="true"></span> <span id="link-word" role="status">Connecting…</span></p>
      </div>
      <button type="button" id="room-leave" hidden><span class="glyph leave" aria-hidden="true"></span><span class="words">Leave this room</span></button>
      <button type="button" class="people-button" aria-controls="people" aria-expanded="false">
        <span class="glyph people" aria-hidden="true"></span>
        <span class="people-count">0</span> <span class="hidden">people here</span>
      </button>
    </header>
    <div id="link">
      <div class="words"><span id="link-line" role="status"></span> <span id="link-countdown" aria-hidden="true"></span></div>
      % if c.login:
      <a id="link-login" href="${c.login}" hidden>Sign in</a>
      % endif
      <button type="button" id="link-retry">Try now</button>
    </div>
    <div id="log" role="log" aria-live="polite" aria-label="Messages" tabindex="0"><div id="log-rows"></div></div>
    <div class="foot">
      <button type="button" id="jump" hidden>Newest messages</button>
      <form id="composer" autocomplete="off">
        <label class="hidden" for="composer-text">Message</label>
        <textarea id="composer-text" rows="1" dir="auto" aria-describedby="composer-left composer-help" enterkeyhint="send"></textarea>
        <span id="composer-left" role="status" hidden></span>
        <button id="composer-send" class="glyph send" aria-label="Send" disabled></button>
      </form>
      <div class="below">
        <p id="news" role="status"></p>
        <p id="composer-help" class="help"><kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line</p>
      </div>
    </div>
  </main>

  <aside id="people" class="panel" aria-label="People">
    <div class="panel-head">
      <h2>Here now <span class="people-count">0</span></h2>
      <button type="button" class="glyph close" aria-label="Close"></button>
    </div>
    <ul id="people-list"></ul>
  </aside>

  <div id="shade" hidden></div>

  <dialog id="nick-dialog" aria-labelledby="nick-title">
    <form id="nick-form" autocomplete="off">
      <img src="${c.static('icon.svg')}" alt="" width="44" height="44">
      <h2 id="nick-title">What shall we call you?</h2>
      <p id="nick-help">${'' if c.is_known else 'A name is all it takes. '}You can change it any time.</p>
      <label for="nick-field">Name</label>
      <input id="nick-field" name="nick" maxlength="32" required spellcheck="false" autocomplete="nickname"
             aria-describedby="nick-error nick-help" autofocus>
      <p id="nick-error" class="error" role="alert"></p>
      <div id="device" hidden>
        <button type="button" id="device-make" class="plain">Open on another device</button>
        <div id="device-given" hidden>
          <label for="device-link">Open this link on the other device within ten minutes. It works once.</label>
          <input id="device-link" readonly spellcheck="false">
          <svg id="device-qr" role="img" aria-label="The link as a QR code" shape-rendering="crispEdges"><path/></svg>
        </div>
        <p id="device-error" class="error" role="alert"></p>
      </div>
      <div id="passkeys" hidden>
        <ul id="passkey-list" aria-label="Passkeys"></ul>
        <button type="button" id="passkey-add" class="plain">Add a passkey</button>
        <p id="passkey-error" class="error" role="alert"></p>
      </div>
      <div class="buttons">
        <button class="primary" id="nick-choose">Come in</button>
        <button type="button" id="nick-cancel">Cancel</button>
      </div>
    </form>
  </dialog>

  <noscript>
    <div class="noscript"><div>
      <img src="${c.static('icon.svg')}" alt="" width="44" height="44">
      <h1>This page needs JavaScript</h1>
      <p>It is switched off here. From a terminal the chat works without:</p>
      <pre>curl -b jar -c jar --data-raw 'hello' ${c.url}/chat/push
curl -b jar -c jar ${c.url}/chat/pull</pre>
    </div></div>
  </noscript>
</body>
</html>
