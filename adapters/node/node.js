#!/usr/bin/env -S node --no-memory-reducer --v8-pool-size=1
/* The adapter for the tls module of Node.js, from 12 on.
 *
 *	open            net.connect, or a connection of net.createServer({pauseOnConnect}); both with the defaults (no allowHalfOpen)
 *	handshake       tls.connect({socket}), or 'connection' emitted on a tls.Server; done at 'secureConnect' or 'secureConnection',
 *	                failed at 'error' or 'tlsClientError'
 *	read            read(n) of the paused stream, when 'readable' says so; 'end' is `closed`; 'error' is told by the call that
 *	                waits or by the next read, and by each later one until an 'end' comes behind it
 *	write           write(data, callback)
 *	shutdown write  end(callback): "Half-closes the socket"; the same call closes the write side of the transport
 *	close           destroySoon(): "Destroys the socket after all data is written"; "implicitly calls socket.end()"
 *	abandon         destroy()
 *
 * All is done by events: that is the mode `nonblocking`, and a call that waits says `again` once.
 *
 * No promises: the manual says "'end' Emitted when the other end of the socket signals the end of transmission", and nothing on
 * how the other end did it.
 *
 * What the API cannot do: shutdown both, key_update, the transport without TLS once there is TLS on it. */
"use strict";

const fs = require("fs");
const net = require("net");
const tls = require("tls");

const READ_MAX = 16384;
const PATTERN = "abcdefghijklmnopqrstuvw";
const VERSIONS = { "tls1.2": "TLSv1.2", "tls1.3": "TLSv1.3" };

/* ---- Lines ---- */

const NAMES = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"' };
const BYTES = { n: "\n", r: "\r", t: "\t", "\\": "\\", '"': '"' };

function quote(bytes) {
	const escape = (c) => NAMES[c] || "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0");
	return '"' + Buffer.from(bytes).toString("latin1").replace(/[^ !#-[\]-~]/g, escape) + '"';
}

function unquote(text) {
	const byte = (_, c, hex) => (hex ? String.fromCharCode(parseInt(hex, 16)) : BYTES[c]);
	return Buffer.from(text.slice(1, -1).replace(/\\(x([0-9a-f]{2})|.)/gi, byte), "latin1");
}

function payload(arg) {
	return arg.startsWith('"') ? unquote(arg) : Buffer.alloc(Number(arg), PATTERN);
}

function say(...words) {
	fs.writeSync(1, words.filter(Boolean).join(" ") + "\n");
}

/* ---- What the library said ---- */

const OUTCOMES = {
	ECONNRESET: "reset", EPIPE: "pipe", ERR_SSL_UNEXPECTED_EOF_WHILE_READING: "truncated",
	ERR_STREAM_WRITE_AFTER_END: "refused", ERR_STREAM_DESTROYED: "refused", ERR_STREAM_ALREADY_FINISHED: "refused",
};

/* ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR */
function alertOf(code) {
	const m = /^ERR_SSL_(?:(?:SSLV3|TLSV1|TLSV13)_ALERT|TLSV1)_(.*)$/.exec(code);
	return m && m[1].toLowerCase().replace("user_cancelled", "user_canceled");
}

function words(call, error) {
	const code = error.code || "no-code";
	const alert = alertOf(code);
	return [alert ? "alert " + alert : OUTCOMES[code] || "error", `${call}=${error.name} ${code} ${quote(error.message)}`];
}

/* ---- The connection: raw is the transport, sock what is used (the TLSSocket once there is one) ---- */

let listener, conn, session;
const arrived = [], wanted = [], servers = {};

function server(version) {
	const pem = fs.readFileSync(process.env.CLOSEDRILL_CERT);
	return (servers[version] = servers[version] || tls.createServer({ cert: pem, key: pem, minVersion: VERSIONS[version], maxVersion: VERSIONS[version] }));
}

/* Calls that wait: the current one is answered when it ends; an interrupted one keeps its answer until it is awaited. */
let current;
const held = [];

function begin(name, poll) {
	current = { name, poll, answer: null };
	return current;
}

function finish(call, answer) {
	call.answer = call.answer || answer;
	if (call !== current)
		return;
	current = null;
	say(...call.answer);
}

function interrupt() {
	if (current)
		held.push(current);
	current = null;
}

function poll() {
	const answer = current && current.poll && current.poll();
	if (answer)
		finish(current, answer);
}

function start(call) {
	poll();
	if (current === call)
		say("again", call.name);
}

function watch(c, sock) {
	c.sock = sock;
	sock.on("readable", poll);
	sock.on("end", () => { c.ended = true; c.error = c.told ? null : c.error; poll(); });
	sock.on("error", (e) => { c.error = c.error || e; poll(); });
	sock.on("close", () => { c.closed = true; poll(); });
}

/* No answer while it waits. */
function read(c, n) {
	const got = c.sock.read(Math.min(n, c.sock.readableLength) || undefined);
	if (got)
		return ["data " + quote(got), `read=${got.length}`];
	c.told = c.told || Boolean(c.error);
	if (c.error)
		return words("read", c.error);
	if (c.ended)
		return ["closed", "read=null end"];
	return c.sock.destroyed ? ["error", "read=null destroyed"] : null;
}

function handshake(c) {
	const call = begin("handshake", () => c.error ? words("handshake", c.error) : c.sock.destroyed ? ["error", "handshake=destroyed"] : null);
	const done = () => finish(call, c.sock.isSessionReused() ? ["resumed", "isSessionReused=true"] : ["ok", "isSessionReused=false"]);

	if (c.server) {
		const s = server(c.version);
		s.removeAllListeners("secureConnection").once("secureConnection", (sock) => { watch(c, sock); done(); });
		s.removeAllListeners("tlsClientError").once("tlsClientError", (e) => { c.error = c.error || e; poll(); });
		s.emit("connection", c.raw);
	} else {
		watch(c, tls.connect({
			socket: c.raw, servername: "localhost", rejectUnauthorized: false, session,
			minVersion: VERSIONS[c.version], maxVersion: VERSIONS[c.version],
		}));
		c.sock.on("secureConnect", done);
		c.sock.on("session", (s) => { session = s; });
	}
	start(call);
}

/* A callback that gets an error, or none. */
function callback(name, run, outcome) {
	const call = begin(name);
	run((e) => finish(call, e ? words(name, e) : [outcome, name + "=callback"]));
	start(call);
}

/* Done when 'close' says so. */
function gone(name, run) {
	const c = conn;
	const call = begin(name, () => c.closed ? ["ok", name + "=close"] : null);
	run();
	conn = null;
	held.length = 0;
	start(call);
}

const CALLS = {
	"handshake": (c) => handshake(c),
	"read": (c, arg) => start(begin("read=null", () => read(c, Math.min(Number(arg), READ_MAX)))),
	"write": (c, arg) => callback("write", (done) => c.sock.write(payload(arg), done), "ok"),
	"shutdown write": (c) => callback("end", (done) => c.sock.end(done), "sent"),
	"close": (c) => gone("destroySoon", () => c.sock.destroySoon()),
	"abandon": (c) => gone("destroy", () => c.sock.destroy()),
};

/* ---- Commands ---- */

function opened(raw, server, version) {
	conn = { raw, sock: raw, server, version };
	raw.setNoDelay(true);
	const c = conn;
	raw.on("error", (e) => { c.error = c.error || e; poll(); });
	raw.on("close", () => { c.closed = c.closed || c.sock === raw; poll(); });      /* the property `closed` is of Node 18 */
	say("ok", server ? `127.0.0.1:${raw.remotePort}` : `127.0.0.1:${raw.localPort}`);
}

function open([role, version, io, ...rest]) {
	const address = role === "client" ? rest.shift() : "";
	if (!["client", "server"].includes(role) || !VERSIONS[version] || io !== "nonblocking" || rest.some((w) => w !== "resume"))
		return say("unsupported");
	if (!rest.length)
		session = undefined;
	if (role === "server") {
		wanted.push((raw) => opened(raw, true, version));
		return accept();
	}
	const [host, port] = address.split(":");
	const raw = net.connect({ host, port: Number(port) }).pause();  /* it would read before there is TLS */
	const failed = (e) => say(...words("connect", e));
	raw.once("error", failed);
	raw.once("connect", () => { raw.removeListener("error", failed); opened(raw, false, version); });
}

function accept() {
	while (arrived.length && wanted.length)
		wanted.shift()(arrived.shift());
}

function listen() {
	const answer = () => say("ok", `127.0.0.1:${listener.address().port}`);
	if (listener)
		return answer();
	listener = net.createServer({ pauseOnConnect: true }, (raw) => { arrived.push(raw); accept(); });
	listener.listen(0, "127.0.0.1", answer);
}

function drop(then) {
	const c = conn;
	conn = null;
	held.length = 0;
	if (!c || c.closed)
		return then();
	c.sock.removeAllListeners();
	c.sock.on("error", () => {});
	c.sock.once("close", then);
	c.sock.destroy();
}

function line(text) {
	const name = Object.keys(CALLS).find((n) => text === n || text.startsWith(n + " "));
	interrupt();
	if (name === "abandon" && !conn)
		return say("ok");
	if (name)
		return conn ? CALLS[name](conn, text.slice(name.length + 1)) : say("error", '"there is no connection"');
	if (text.startsWith("open "))
		return drop(() => open(text.split(" ").slice(1)));
	if (text === "listen")
		return listen();
	if (text === "end")
		return drop(() => say("ok"));
	if (text !== "await")
		return say("unsupported");
	if (!held.length)
		return say("error", '"no call is outstanding"');
	current = held.pop();
	if (current.answer)
		return finish(current);
	start(current);
}

let input = "";
process.stdin.setEncoding("latin1");
process.stdin.on("data", (chunk) => {
	const lines = (input + chunk).split("\n");
	input = lines.pop();
	lines.forEach(line);
});
process.stdin.on("end", () => process.exit(0));
say("library Node.js", process.versions.node, "tls (OpenSSL", process.versions.openssl + ")");
say("api node");
say("can client server tls1.2 tls1.3 nonblocking");
say("can shutdown-write close abandon resumption");
say("ready");
