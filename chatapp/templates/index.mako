<!DOCTYPE html>
<html lang="en" data-link="connecting" data-base="${c.base}" data-version="${c.version}" data-limits="${c.limits}" data-nick="${c.nick}" data-sender="${c.sender}" data-known="${'yes' if c.is_known else ''}" data-named="${c.named}" data-passkeys="${'yes' if c.passkeys else ''}" data-door="${'own' if c.has_door else ''}">
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
        <div id="room-choice" hidden>
          <ul id="room-offers" aria-label="Rooms to choose from"></ul>
          <p id="room-offered" class="hint" role="status"></p>
          <button type="button" id="room-make"><span class="glyph lock" aria-hidden="true"></span> New private room</button>
          <button type="button" id="direct-make"><span class="glyph person" aria-hidden="true"></span> Message somebody</button>
        </div>
      </form>
      <ul id="room-list"></ul>
    </nav>
    <button type="button" id="deeds-open" hidden>What was done</button>
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
      <button type="button" id="room-about" class="glyph about" aria-label="About this room" title="About this room" hidden></button>
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
      <p id="silence" role="status" hidden></p>
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
      <div id="devices" hidden>
        <h3>Where you are signed in</h3>
        <ul id="device-list" class="persons"></ul>
        <p id="devices-error" class="error" role="alert"></p>
      </div>
      <div class="buttons">
        <button class="primary" id="nick-choose">Come in</button>
        <button type="button" id="nick-cancel">Cancel</button>
      </div>
    </form>
  </dialog>

  <div id="notice" hidden><span id="notice-line" role="status"></span> <button type="button" id="notice-undo">Undo</button></div>

  <dialog id="ask-dialog" aria-labelledby="ask-title">
    <form id="ask-form" autocomplete="off">
      <h2 id="ask-title"></h2>
      <p id="ask-help" class="help-line"></p>
      <label id="ask-label" for="ask-field"></label>
      <input id="ask-field" dir="auto" aria-describedby="ask-help ask-error">
      <label id="ask-option"><input type="checkbox" id="ask-choice"> <span id="ask-offer"></span></label>
      <p id="ask-error" class="error" role="alert"></p>
      <div class="buttons">
        <button class="primary" id="ask-do"></button>
        <button type="button" id="ask-cancel">Cancel</button>
      </div>
    </form>
  </dialog>

  <dialog id="make-dialog" aria-labelledby="make-title">
    <form id="make-form" autocomplete="off">
      <h2 id="make-title">New private room</h2>
      <p id="make-help" class="help-line"></p>
      <div id="make-named">
        <label for="make-name">What it is called</label>
        <input id="make-name" maxlength="64" dir="auto">
      </div>
      <label for="make-people">Who</label>
      <input id="make-people" list="make-known" placeholder="Names, commas between" spellcheck="false" aria-describedby="make-help make-error">
      <datalist id="make-known"></datalist>
      <p id="make-error" class="error" role="alert"></p>
      <div class="buttons">
        <button class="primary" id="make-do">Make it</button>
        <button type="button" id="make-cancel">Cancel</button>
      </div>
    </form>
  </dialog>

  <dialog id="about-dialog" aria-labelledby="about-title">
    <h2 id="about-title" dir="auto"></h2>
    <p id="about-kind" class="help-line"></p>
    <h3 id="about-heading"></h3>
    <ul id="about-members" class="persons"></ul>
    <form id="about-form" autocomplete="off">
      <label for="about-invite">Invite</label>
      <div class="row">
        <input id="about-invite" list="about-known" maxlength="32" placeholder="Name" spellcheck="false" aria-describedby="about-error">
        <button>Invite</button>
      </div>
      <datalist id="about-known"></datalist>
    </form>
    <p id="about-error" class="error" role="alert"></p>
    <div id="about-acts" class="buttons"></div>
    <div class="buttons"><button type="button" class="primary" id="about-close">Close</button></div>
  </dialog>

  <dialog id="deeds-dialog" aria-labelledby="deeds-title">
    <h2 id="deeds-title">What was done</h2>
    <ol id="deeds-list"></ol>
    <p id="deeds-error" class="error" role="alert"></p>
    <div class="buttons">
      <button type="button" class="primary" id="deeds-close">Close</button>
      <button type="button" id="deeds-more" hidden>Older</button>
    </div>
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
