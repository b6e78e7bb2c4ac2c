// Node's http module: node benchmarks/chats/node_chat.js PORT
'use strict';
const http = require('node:http');

const POLL_MILLISECONDS = 1000 * Number(process.env.POLL_SECONDS || '10');
const HISTORY = 1000;
const messages = [];
let seq = 0;
let newest = '';
let waiting = new Set();

function answerOf(count) {
  return `{"messages":[${messages.slice(-count).join(',')}],"cursor":"${seq}"}`;
}

function after(since) {
  if (since >= seq) return null;
  return since === seq - 1 ? newest : answerOf(seq - since);
}

const nothing = () => `{"messages":[],"cursor":"${seq}"}`;

function send(response, body) {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

function pull(request, response) {
  const since = new URLSearchParams(request.url.slice(request.url.indexOf('?') + 1)).get('since');
  const answer = since === null ? nothing() : after(Number(since));
  if (answer !== null) return send(response, answer);
  const poll = { response, timer: null };
  poll.timer = setTimeout(() => {
    waiting.delete(poll);
    send(response, nothing());
  }, POLL_MILLISECONDS);
  waiting.add(poll);
}

function push(body, response) {
  seq += 1;
  const text = JSON.parse(body).text;
  const at = Date.now() / 1000;
  messages.push(JSON.stringify({ room: 'lobby', seq, nick: 'guest-0001', text, at }));
  if (messages.length > HISTORY) messages.shift();
  newest = answerOf(1);
  const woken = waiting;
  waiting = new Set();
  for (const poll of woken) {
    clearTimeout(poll.timer);
    send(poll.response, newest);
  }
  send(response, `{"room":"lobby","seq":${seq}}`);
}

const server = http.createServer((request, response) => {
  if (request.url.startsWith('/chat/pull/')) return pull(request, response);
  if (!request.url.startsWith('/chat/push/')) return send(response, '{"probe":"ok"}');
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => push(Buffer.concat(parts).toString(), response));
});
server.keepAliveTimeout = 75000;
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 2048 });
