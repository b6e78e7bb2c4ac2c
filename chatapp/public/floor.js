// Says so if the page cannot start here. A classic script in the words of old browsers: chat.js is a module, and where
// its syntax or a function is not known, nothing of it runs.

(function () {
  'use strict';

  var FLOOR = 'Chrome or Edge 109, Firefox 115, Safari 16';
  var needs = {
    'modules': 'noModule' in document.createElement('script'),
    'dialogs': typeof HTMLDialogElement === 'function' && 'showModal' in HTMLDialogElement.prototype,
    'Array.at': 'at' in Array.prototype,
    'ResizeObserver': typeof ResizeObserver === 'function',
    'Intl.ListFormat': typeof Intl === 'object' && 'ListFormat' in Intl,
    'random numbers': typeof crypto === 'object' && 'getRandomValues' in crypto
  };

  function lacking() {
    var names = [];
    for (var name in needs) if (!needs[name]) names.push(name);
    return names.join(', ');
  }

  function say(text) {
    var line = document.createElement('p');
    line.id = 'floor';
    line.className = 'noscript';
    line.setAttribute('role', 'alert');
    line.appendChild(document.createTextNode(text));
    document.body.insertBefore(line, document.body.firstChild);
  }

  // Modules have run by then, or never will.
  addEventListener('load', function () {
    var names = lacking();
    if (!names && document.documentElement.getAttribute('data-started')) return;
    if (names) say('This browser is too old for this page: it lacks ' + names + '. It needs ' + FLOOR + ' or a newer one.');
    else say('The page could not start: a part of it did not arrive, or this browser is older than ' + FLOOR + '. Load it again.');
  });
})();
