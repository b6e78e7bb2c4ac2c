BEGIN TRANSACTION;
CREATE TABLE gone (slot text primary key, seq integer not null) without rowid;
CREATE TABLE heads (
    room text primary key, seq integer not null,
    start integer not null default 0, at real not null default 0) without rowid;
INSERT INTO "heads" VALUES('lobby',2,0,1795775519.888);
CREATE TABLE messages (id integer primary key, room text not null, seq integer not null, nick text not null, text text not null, at real not null, kind text not null default 'said', sender text not null default '', nonce text);
INSERT INTO "messages" VALUES(1,'lobby',1,'Ann','from Ann',1795775519.886,'said','vt-hS1mUhJ_6',NULL);
INSERT INTO "messages" VALUES(2,'lobby',2,'Bob','from Bob',1795775519.888,'said','q5lgg_ygv25c',NULL);
CREATE TABLE meta (key text primary key, value text not null) without rowid;
INSERT INTO "meta" VALUES('clock','6aae0faf-34e1-47f0-8ac3-b3b7d3ad273f 1795775519.8875399 2948.79593579');
INSERT INTO "meta" VALUES('epoch','4s78EzdO');
INSERT INTO "meta" VALUES('stored','2');
CREATE TABLE nonces (
    id integer primary key, room text not null, session text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
CREATE TABLE records (
    key text primary key, text text not null, expires real) without rowid;
INSERT INTO "records" VALUES('gone','{"_Z-1jL0ojvUTeuaI":"q5lgg_ygv25c"}',NULL);
INSERT INTO "records" VALUES('member:q5lgg_ygv25c','{"name":"Bob","role":"member","devices":[]}',NULL);
INSERT INTO "records" VALUES('member:vt-hS1mUhJ_6','{"name":"Ann","role":"owner","devices":["TS1XUby-J5U300SG","ZZEwmWu5VOgI2NZ_"]}',NULL);
INSERT INTO "records" VALUES('name:Ann','{"nick":"Ann","owner":"vt-hS1mUhJ_6","address":null}',4.94937551552545547482e+09);
INSERT INTO "records" VALUES('name:Bob','{"nick":"Bob","owner":"q5lgg_ygv25c","address":null}',4.94937551988144302378e+09);
INSERT INTO "records" VALUES('name:ann','{"nick":"Ann","owner":"vt-hS1mUhJ_6","address":null}',4.94937551552545547482e+09);
INSERT INTO "records" VALUES('name:bob','{"nick":"Bob","owner":"q5lgg_ygv25c","address":null}',4.94937551988144302378e+09);
CREATE TABLE steps (
    id integer primary key, messages integer not null, nonces integer not null,
    seconds real not null);
CREATE UNIQUE INDEX messages_by_seq on messages (room, seq);
CREATE UNIQUE INDEX nonces_by_name on nonces (room, session, nonce);
CREATE INDEX records_by_end on records (expires) where expires is not null;
COMMIT;
pragma user_version = 4;
