//! The adapter for rustls, 0.20 or 0.23.
//!
//!	open            a TcpStream; ClientConnection::new or ServerConnection::new
//!	handshake       blocking: complete_io until !is_handshaking() and !wants_write(); otherwise write_tls, read_tls and
//!	                process_new_packets until then
//!	read, write     blocking: Stream::read; Stream::write until all is taken, then flush. Otherwise Reader::read, and before it as above
//!	                what is missing; Writer::write, then write_tls until !wants_write()
//!	shutdown write  send_close_notify, then write_tls
//!	close           the same unless it was called already or process_new_packets failed ("fatal to the connection"); drop
//!	abandon         drop
//!	key_update      refresh_traffic_keys (0.23), which always asks the peer to follow: `key_update requested` alone
//!	early read      ServerConnection::early_data; the library does not say when they are over: it goes on until the handshake is.
//!	                Without it handshake calls reject_early_data
//!	early write     ClientConnection::early_data
//!	plain           the TcpStream. What rustls took from it stays with rustls, TLS or not
//!
//! The library does no I/O of its own: in the modes blocking and nonblocking read_tls and write_tls are given the TcpStream, in memory
//! bytes. An io::Error of the transport passes through it unchanged. After an error of process_new_packets the alert that it left is sent, data that came before
//! are read, and then "future calls ... return the same error", which is the answer.
//!
//! Promises truncation-visible from 0.23 on: "If the peer closes the TLS session uncleanly (a TCP EOF without sending a close_notify
//! alert) this function returns a std::io::Error of type ErrorKind::UnexpectedEof". In 0.20 Reader says so, and Stream is silent.
//!
//! What the API cannot do: the whole exchange in one call; in 0.20 key updates. What the adapter does not do: UnbufferedConnection (0.23).
#[cfg_attr(feature = "api_0_20", path = "api_0_20.rs")]
#[cfg_attr(feature = "api_0_23", path = "api_0_23.rs")]
mod api;

use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection, Stream};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{TcpListener, TcpStream};
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::sync::Arc;

const READ_MAX: usize = 16384;
const PATTERN: &[u8] = b"abcdefghijklmnopqrstuvw";

// ---- What the standard library does not have of the system ----

#[repr(C)]
struct PollFd {
	fd: i32,
	events: i16,
	revents: i16,
}

const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;
const SIGUSR1: i32 = 10;

extern "C" fn interrupted(_: i32) {}

extern "C" {
	fn poll(fds: *mut PollFd, n: std::os::raw::c_ulong, timeout: i32) -> i32;
	fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
	fn siginterrupt(number: i32, on: i32) -> i32;
	fn fork() -> i32;
	fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
	fn _exit(status: i32) -> !;
}

// ---- Lines ----

fn say(outcome: &str, native: &str) {
	let line = format!("{}{}{}\n", outcome, if native.is_empty() || outcome.is_empty() { "" } else { " " }, native);
	let mut out = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
	let _ = out.write_all(line.as_bytes());
}

struct Input {
	held: Vec<u8>,
}

impl Input {
	fn has_line(&self) -> bool {
		self.held.contains(&b'\n')
	}

	/// None: there are no more.
	fn line(&mut self) -> Option<Vec<u8>> {
		let mut stdin = ManuallyDrop::new(unsafe { File::from_raw_fd(0) });
		let mut buf = [0; 65536];
		while !self.has_line() {
			match stdin.read(&mut buf) {
				Ok(0) => return None,
				Ok(n) => self.held.extend_from_slice(&buf[..n]),
				Err(e) if e.kind() == ErrorKind::Interrupted => {}
				Err(_) => return None,
			}
		}
		let at = self.held.iter().position(|&b| b == b'\n')?;
		let line = self.held.drain(..=at).take(at).collect();
		Some(line)
	}
}

fn quote(bytes: &[u8]) -> String {
	let mut text = String::from("\"");
	for &b in bytes {
		match b {
			b'\n' => text += "\\n",
			b'\r' => text += "\\r",
			b'\t' => text += "\\t",
			b'\\' | b'"' => text.extend(['\\', b as char]),
			b' '..=b'~' => text.push(b as char),
			_ => text += &format!("\\x{:02x}", b),
		}
	}
	text + "\""
}

fn unquote(text: &str) -> Vec<u8> {
	let inner = text[1..text.len() - 1].as_bytes();
	let (mut bytes, mut i) = (Vec::new(), 0);
	while i < inner.len() {
		let escaped = inner[i] == b'\\';
		i += escaped as usize;
		match inner[i] {
			b'n' if escaped => bytes.push(b'\n'),
			b'r' if escaped => bytes.push(b'\r'),
			b't' if escaped => bytes.push(b'\t'),
			b'x' if escaped => {
				bytes.push(u8::from_str_radix(std::str::from_utf8(&inner[i + 1..i + 3]).unwrap_or("0"), 16).unwrap_or(0));
				i += 2;
			}
			b => bytes.push(b),
		}
		i += 1;
	}
	bytes
}

fn payload(arg: &str) -> Vec<u8> {
	if arg.starts_with('"') {
		return unquote(arg);
	}
	PATTERN.iter().copied().cycle().take(arg.parse().unwrap_or(0)).collect()
}

// ---- What the library said ----

/// An outcome and the library's own words.
struct Answer {
	outcome: String,
	native: String,
}

fn answer(outcome: &str, native: String) -> Answer {
	Answer { outcome: outcome.to_string(), native }
}

fn read_answer(call: &str, data: &[u8]) -> Answer {
	let outcome = if data.is_empty() { "closed".to_string() } else { "data ".to_string() + &quote(data) };
	Answer { outcome, native: format!("{}={}", call, data.len()) }
}

/// "HandshakeFailure" is handshake_failure; a number without a name comes as "Unknown(200)" or "AlertDescription(0xc8)".
fn alert_name(debug: &str) -> String {
	if let Some((_, number)) = debug.trim_end_matches(')').split_once('(') {
		return match number.strip_prefix("0x") {
			Some(hex) => u8::from_str_radix(hex, 16).unwrap_or(0).to_string(),
			None => number.to_string(),
		};
	}
	let mut name = String::new();
	for (i, c) in debug.chars().enumerate() {
		if c.is_ascii_uppercase() && i > 0 {
			name.push('_');
		}
		name.push(c.to_ascii_lowercase());
	}
	name.replace("unknown_c_a", "unknown_ca").replace("unknown_p_s_k", "unknown_psk")
}

fn tls_error(call: &str, e: &rustls::Error) -> Answer {
	let debug = format!("{:?}", e);
	let variant = debug.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
	let text = quote(e.to_string().as_bytes());
	match e {
		rustls::Error::AlertReceived(alert) => {
			let name = alert_name(&format!("{:?}", alert));
			answer(&format!("alert {}", name), format!("{}=AlertReceived({:?}) {}", call, alert, text))
		}
		rustls::Error::HandshakeNotComplete => answer("refused", format!("{}={} {}", call, variant, text)),
		_ => answer("error", format!("{}={} {}", call, variant, text)),
	}
}

fn io_error(call: &str, e: &io::Error) -> Answer {
	if let Some(tls) = e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
		return tls_error(&format!("{}={:?}", call, e.kind()), tls);
	}
	let native = format!("{}={:?}{} {}", call, e.kind(), e.raw_os_error().map_or(String::new(), |n| format!(" errno={}", n)), quote(e.to_string().as_bytes()));
	let outcome = match e.kind() {
		ErrorKind::ConnectionReset => "reset",
		ErrorKind::BrokenPipe => "pipe",
		ErrorKind::UnexpectedEof => "truncated",
		_ => "error",
	};
	answer(outcome, native)
}

/// A transport that fails below the library is the adapter's to report, behind what the library said.
fn lost(call: &str, e: &io::Error, said: &str) -> Answer {
	let mut a = io_error(call, e);
	a.native = format!("{} {}", said, a.native);
	a
}

// ---- The transport ----

/// What the library reads from and writes to: the socket, or in memory mode two buffers that the adapter moves.
struct Transport {
	tcp: TcpStream,
	memory: bool,
	short_writes: bool,     // the option; it begins behind the handshake
	up: bool,
	sends: usize,           // since then
	incoming: Vec<u8>,
	outgoing: Vec<u8>,
	ended: bool,            // behind `incoming` stands the end of the stream
}

impl Read for Transport {
	fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
		if !self.memory {
			return self.tcp.read(buf);
		}
		if self.incoming.is_empty() && !self.ended {
			return Err(ErrorKind::WouldBlock.into());
		}
		let n = buf.len().min(self.incoming.len());
		buf[..n].copy_from_slice(&self.incoming[..n]);
		self.incoming.drain(..n);
		Ok(n)
	}
}

impl Write for Transport {
	fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
		if !self.memory {
			return self.tcp.write(buf);
		}
		let mut n = buf.len();
		if self.short_writes && self.up {
			n = n.min([1, 0, 3, 0, 7, 0][self.sends % 6]);
			self.sends += 1;
		}
		if n == 0 && !buf.is_empty() {
			return Err(ErrorKind::WouldBlock.into());
		}
		self.outgoing.extend_from_slice(&buf[..n]);
		Ok(n)
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

impl Transport {
	/// Memory mode. Ok(true): all is with the kernel.
	fn send(&mut self) -> io::Result<bool> {
		while !self.outgoing.is_empty() {
			match self.tcp.write(&self.outgoing) {
				Ok(n) => drop(self.outgoing.drain(..n)),
				Err(e) if e.kind() == ErrorKind::Interrupted => {}
				Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
				Err(e) => {
					self.outgoing.clear();
					return Err(e);
				}
			}
		}
		Ok(true)
	}

	/// Memory mode. Ok(true): something came, the end included.
	fn receive(&mut self) -> io::Result<bool> {
		let mut buf = [0; READ_MAX];
		if self.ended {
			return Ok(false);
		}
		loop {
			match self.tcp.read(&mut buf) {
				Ok(n) => {
					self.incoming.extend_from_slice(&buf[..n]);
					self.ended = n == 0;
					return Ok(true);
				}
				Err(e) if e.kind() == ErrorKind::Interrupted => {}
				Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
				Err(e) => return Err(e),
			}
		}
	}
}

// ---- The connection ----

/// What a call came to: an answer, or that it is to be repeated when the transport can be read or written, or at once.
enum Step {
	Done(Answer),
	WantRead(String),
	WantWrite(String),
	More,
}

use Step::{Done, More, WantRead, WantWrite};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
	Handshake,
	Read,
	Write,
	ShutdownWrite,
	KeyUpdate,
	EarlyRead,
	EarlyWrite,
	PlainRead,
	PlainWrite,
	Close,
}

/// The words of a call, and whether it sends: such a one is answered when its bytes are with the kernel.
const CALLS: &[(&str, Kind, bool)] = &[
	("handshake", Kind::Handshake, true), ("read", Kind::Read, false), ("write", Kind::Write, true),
	("shutdown write", Kind::ShutdownWrite, true), ("key_update requested", Kind::KeyUpdate, true), ("early read", Kind::EarlyRead, false),
	("early write", Kind::EarlyWrite, true), ("plain read", Kind::PlainRead, false), ("plain write", Kind::PlainWrite, true),
	("close", Kind::Close, true),
];

/// One call, over all its repetitions.
struct Call {
	kind: Kind,
	sends: bool,
	room: usize,            // read: at most
	rest: Vec<u8>,          // write: not taken yet
	begun: bool,            // what is done once is done
	answer: Option<Answer>, // given by the library, and not sent yet (memory mode)
}

struct Conn {
	tls: Connection,
	transport: Transport,
	blocking: bool,
	failed: bool,           // process_new_packets returned an error
	untold: Option<rustls::Error>,  // that error, while data that came before it are read
	lost: Option<io::Error>, // memory mode: a send failed, and no call has told it yet
	notified: bool,         // send_close_notify was called
	verified: bool,         // a certificate was
	unasked: bool,          // early data are permitted, and nobody has asked for them yet
}

/// Ends a call early: what is wanted of the transport, or what failed.
fn blocked(call: &str, e: io::Error, want: fn(String) -> Step) -> Step {
	match e.kind() {
		ErrorKind::WouldBlock | ErrorKind::Interrupted => want(format!("{}={:?}", call, e.kind())),
		_ => Done(io_error(call, &e)),
	}
}

impl Conn {
	fn read_from_stream(&mut self, buf: &mut [u8]) -> io::Result<usize> {
		match &mut self.tls {
			Connection::Client(c) => Stream::new(c, &mut self.transport).read(buf),
			Connection::Server(s) => Stream::new(s, &mut self.transport).read(buf),
		}
	}

	/// Empty: flush.
	fn write_to_stream(&mut self, data: &[u8]) -> io::Result<usize> {
		fn put(stream: &mut dyn Write, data: &[u8]) -> io::Result<usize> {
			if data.is_empty() { stream.flush().map(|_| 0) } else { stream.write(data) }
		}
		match &mut self.tls {
			Connection::Client(c) => put(&mut Stream::new(c, &mut self.transport), data),
			Connection::Server(s) => put(&mut Stream::new(s, &mut self.transport), data),
		}
	}

	/// "Errors from TLS record handling (i.e., from process_new_packets) are wrapped in an io::ErrorKind::InvalidData-kind error."
	fn stream_failed(&mut self, call: &str, e: &io::Error) -> Step {
		self.failed |= e.kind() == ErrorKind::InvalidData;
		Done(io_error(call, e))
	}

	/// Sends what the library holds.
	fn send(&mut self) -> Result<(), Step> {
		while self.tls.wants_write() {
			if let Err(e) = self.tls.write_tls(&mut self.transport) {
				return Err(blocked("write_tls", e, WantWrite));
			}
		}
		Ok(())
	}

	/// Receives once. An error of TLS is told again later, when what came before it was read; its alert is sent here.
	fn receive(&mut self) -> Result<(), Step> {
		if self.failed {
			let again = match self.untold.take() {
				Some(e) => Err(e),
				None => self.tls.process_new_packets().map(drop),
			};
			return again.map_err(|e| Done(tls_error("process_new_packets", &e)));
		}
		if let Err(e) = self.tls.read_tls(&mut self.transport) {
			return Err(blocked("read_tls", e, WantRead));
		}
		if let Err(e) = self.tls.process_new_packets() {
			self.failed = true;
			self.untold = Some(e);
			let _ = self.send();
		}
		Ok(())
	}

	/// Nothing was there to be read: what the stream's state is.
	fn end(&mut self, buf: &mut [u8]) -> io::Result<usize> {
		self.tls.reader().read(buf)
	}

	fn handshake_done(&mut self, call: &str) -> Step {
		self.transport.up = true;
		self.verified |= api::verified();
		Done(answer(if api::resumed(&self.tls, self.verified) { "resumed" } else { "ok" }, format!("{} is_handshaking=false", call)))
	}

	fn handshake(&mut self) -> Result<Step, Step> {
		if let (true, Connection::Server(s)) = (std::mem::take(&mut self.unasked), &mut self.tls) {
			s.reject_early_data();
		}
		if self.blocking {
			while self.tls.is_handshaking() || self.tls.wants_write() {     // as Stream does it before anything else
				if let Err(e) = self.tls.complete_io(&mut self.transport) {
					return Err(self.stream_failed("complete_io", &e));
				}
			}
			return Ok(self.handshake_done("complete_io"));
		}
		self.send()?;
		if !self.tls.is_handshaking() {
			return Ok(self.handshake_done("process_new_packets"));
		}
		match self.end(&mut [0]) {      // there is no stream yet that could be finished
			Ok(n) => return Ok(Done(answer("error", format!("Reader::read={} is_handshaking=true", n)))),
			Err(e) if e.kind() != ErrorKind::WouldBlock => return Ok(Done(io_error("Reader::read", &e))),
			Err(_) => {}
		}
		self.receive()?;
		Ok(More)
	}

	fn read(&mut self, call: &Call) -> Result<Step, Step> {
		let mut buf = vec![0; call.room];
		if self.blocking {
			return match self.read_from_stream(&mut buf) {
				Ok(n) => Ok(Done(read_answer("Stream::read", &buf[..n]))),
				Err(e) => Err(self.stream_failed("Stream::read", &e)),
			};
		}
		match self.end(&mut buf) {
			Ok(n) => return Ok(Done(read_answer("Reader::read", &buf[..n]))),
			Err(e) if e.kind() != ErrorKind::WouldBlock => return Ok(Done(io_error("Reader::read", &e))),
			Err(_) => {}
		}
		let _ = self.send();    // a read goes on while the transport takes nothing, or fails there
		self.receive()?;
		Ok(More)
	}

	fn write(&mut self, call: &mut Call) -> Result<Step, Step> {
		if self.blocking {
			let name = if call.rest.is_empty() { "Stream::flush" } else { "Stream::write" };
			return match self.write_to_stream(&call.rest) {
				Ok(0) if !call.rest.is_empty() => Ok(Done(answer("error", format!("{}=0", name)))),
				Ok(0) => Ok(Done(answer("ok", format!("{}=()", name)))),
				Ok(n) => {
					call.rest.drain(..n);
					Ok(More)
				}
				Err(e) => Err(self.stream_failed(name, &e)),
			};
		}
		self.send()?;
		if call.rest.is_empty() {
			return Ok(Done(answer("ok", "Writer::write wants_write=false".to_string())));
		}
		match self.tls.writer().write(&call.rest) {
			Ok(0) => Ok(Done(answer("error", "Writer::write=0".to_string()))),
			Ok(n) => {
				call.rest.drain(..n);
				Ok(More)
			}
			Err(e) => Ok(Done(io_error("Writer::write", &e))),
		}
	}

	fn shutdown_write(&mut self, call: &mut Call, outcome: &str) -> Result<Step, Step> {
		if !call.begun {
			self.tls.send_close_notify();
			self.notified = true;
			call.begun = true;
		}
		self.send()?;
		Ok(Done(answer(outcome, "send_close_notify=()".to_string())))
	}

	fn close(&mut self, call: &mut Call) -> Result<Step, Step> {
		if !call.begun && (self.notified || self.failed) {
			return Ok(Done(answer("ok", "drop".to_string())));
		}
		self.shutdown_write(call, "ok")
	}

	fn key_update(&mut self, call: &mut Call) -> Result<Step, Step> {
		if !call.begun {
			match api::key_update(&mut self.tls) {
				None => return Ok(Done(answer("unsupported", String::new()))),
				Some(Err(e)) => return Ok(Done(tls_error("refresh_traffic_keys", &e))),
				Some(Ok(())) => call.begun = true,
			}
		}
		self.send()?;
		Ok(Done(answer("ok", "refresh_traffic_keys=Ok".to_string())))
	}

	fn early_read(&mut self, call: &Call) -> Result<Step, Step> {
		let mut buf = vec![0; call.room];
		self.unasked = false;
		self.send()?;
		if let Connection::Server(s) = &mut self.tls {
			match s.early_data().map(|mut early| early.read(&mut buf)) {
				Some(Ok(n)) if n > 0 => return Ok(Done(read_answer("ReadEarlyData::read", &buf[..n]))),
				Some(Err(e)) => return Ok(Done(io_error("ReadEarlyData::read", &e))),
				_ => {}
			}
		}
		if !self.tls.is_handshaking() {
			return Ok(Done(answer("ok", "is_handshaking=false".to_string())));
		}
		match self.end(&mut [0]) {
			Ok(n) => return Ok(Done(answer("error", format!("Reader::read={} is_handshaking=true", n)))),
			Err(e) if e.kind() != ErrorKind::WouldBlock => return Ok(Done(io_error("Reader::read", &e))),
			Err(_) => {}
		}
		self.receive()?;
		Ok(More)
	}

	fn early_write(&mut self, call: &mut Call) -> Result<Step, Step> {
		self.send()?;
		if call.rest.is_empty() {
			return Ok(Done(answer("ok", "WriteEarlyData::write wants_write=false".to_string())));
		}
		let early = match &mut self.tls {
			Connection::Client(c) => c.early_data(),
			Connection::Server(_) => None,
		};
		match early.map(|mut early| early.write(&call.rest)) {
			None => Ok(Done(answer("refused", "early_data=None".to_string()))),
			Some(Ok(0)) => Ok(Done(answer("refused", "WriteEarlyData::write=0".to_string()))),
			Some(Ok(n)) => {
				call.rest.drain(..n);
				Ok(More)
			}
			Some(Err(e)) => Ok(Done(io_error("WriteEarlyData::write", &e))),
		}
	}

	fn plain_read(&mut self, call: &Call) -> Result<Step, Step> {
		let mut buf = vec![0; call.room];
		match self.transport.read(&mut buf) {
			Ok(n) => Ok(Done(read_answer("TcpStream::read", &buf[..n]))),
			Err(e) => Err(blocked("TcpStream::read", e, WantRead)),
		}
	}

	fn plain_write(&mut self, call: &mut Call) -> Result<Step, Step> {
		if call.rest.is_empty() {
			return Ok(Done(answer("ok", "TcpStream::write".to_string())));
		}
		match self.transport.write(&call.rest) {
			Ok(n) => drop(call.rest.drain(..n)),
			Err(e) => return Err(blocked("TcpStream::write", e, WantWrite)),
		}
		Ok(More)
	}

	fn step(&mut self, call: &mut Call) -> Step {
		let step = match call.kind {
			Kind::Handshake => self.handshake(),
			Kind::Read => self.read(call),
			Kind::Write => self.write(call),
			Kind::ShutdownWrite => self.shutdown_write(call, "sent"),
			Kind::KeyUpdate => self.key_update(call),
			Kind::EarlyRead => self.early_read(call),
			Kind::EarlyWrite => self.early_write(call),
			Kind::PlainRead => self.plain_read(call),
			Kind::PlainWrite => self.plain_write(call),
			Kind::Close => self.close(call),
		};
		self.verified |= api::verified();
		step.unwrap_or_else(|early| early)
	}

	fn tell_lost(&mut self, said: Answer) -> Answer {
		match self.lost.take() {
			Some(e) => lost("send", &e, &said.native),
			None => said,
		}
	}

	/// In memory mode what the library left goes out after each step, and what came goes in; the two other modes pass through.
	fn step_and_move(&mut self, call: &mut Call) -> Step {
		let step = match call.answer.take() {
			Some(a) => Done(a),
			None => self.step(call),
		};
		if !self.transport.memory {
			return step;
		}
		let sent = self.transport.send().unwrap_or_else(|e| {
			self.lost = Some(e);
			true
		});
		match step {
			Done(a) if call.sends && !sent => {
				let native = a.native.clone();
				call.answer = Some(a);
				WantWrite(native)
			}
			Done(a) if call.sends && ["ok", "resumed", "sent"].contains(&&*a.outcome) => Done(self.tell_lost(a)),
			WantRead(said) => match self.transport.receive() {
				Ok(true) => More,
				Ok(false) => WantRead(said),
				Err(e) => Done(lost("recv", &e, &said)),
			},
			WantWrite(_) if sent => More,
			step => step,
		}
	}
}

// ---- The adapter ----

struct Adapter {
	input: Input,
	listener: Option<TcpListener>,
	clients: HashMap<String, Arc<ClientConfig>>,    // by what they are opened with; they keep the sessions
	servers: HashMap<String, Arc<ServerConfig>>,
	conn: Option<Conn>,
	other: Option<Conn>,
	opened: Vec<String>,                            // the words of the present one's `open`
	held: Vec<Call>,                                // interrupted, the last one last
}

/// The body of a block of PEM.
fn pem(text: &str, name: &str) -> Vec<u8> {
	let body = text.split(&format!("-----BEGIN {}-----", name)).nth(1).and_then(|t| t.split("-----END").next()).unwrap_or("");
	let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
	for value in body.bytes().filter_map(|b| digits.iter().position(|&d| d == b)) {
		bits = bits << 6 | value as u32;
		held += 6;
		if held >= 8 {
			held -= 8;
			bytes.push((bits >> held) as u8);
		}
	}
	bytes
}

const OPTIONS: &[&str] = &["option:short-writes", "option:early-data"];

impl Adapter {
	fn tls(&mut self, words: &[String]) -> Result<Connection, rustls::Error> {
		let version = if words[1] == "tls1.2" { &rustls::version::TLS12 } else { &rustls::version::TLS13 };
		let early = words.iter().any(|w| w == "option:early-data");
		let key = format!("{} {}", words[1], early);
		if words[0] == "client" {
			if !words.iter().any(|w| w == "resume") || !self.clients.contains_key(&key) {
				let mut config = api::client_config(version)?;
				config.enable_early_data = early;
				self.clients.insert(key.clone(), Arc::new(config));
			}
			return Ok(Connection::Client(ClientConnection::new(self.clients[&key].clone(), api::localhost())?));
		}
		if !self.servers.contains_key(&key) {
			let file = std::fs::read_to_string(std::env::var("CLOSEDRILL_CERT").unwrap_or_default()).unwrap_or_default();
			let mut config = api::server_config(version, pem(&file, "CERTIFICATE"), pem(&file, "PRIVATE KEY"))?;
			config.max_early_data_size = if early { 16384 } else { 0 };
			self.servers.insert(key.clone(), Arc::new(config));
		}
		Ok(Connection::Server(ServerConnection::new(self.servers[&key].clone())?))
	}

	fn transport(&mut self, words: &[String]) -> io::Result<(TcpStream, String)> {
		if words[0] == "client" {
			let tcp = TcpStream::connect(&words[3])?;
			let address = tcp.local_addr()?.to_string();
			return Ok((tcp, address));
		}
		let listener = self.listener.as_ref().ok_or(ErrorKind::NotConnected)?;
		let (tcp, address) = listener.accept()?;
		Ok((tcp, address.to_string()))
	}

	fn open(&mut self, words: &[String]) -> Answer {
		let rest = if words.first().map_or(false, |w| w == "client") { 4 } else { 3 };
		self.drop_conn();
		if words.len() < rest || !["client", "server"].contains(&&*words[0]) || !["tls1.2", "tls1.3"].contains(&&*words[1])
			|| !["blocking", "nonblocking", "memory"].contains(&&*words[2])
			|| !words[rest..].iter().all(|w| w == "resume" || OPTIONS.contains(&&**w)) {
			return answer("unsupported", String::new());
		}
		let (tcp, address) = match self.transport(words) {
			Ok(both) => both,
			Err(e) => return io_error("open", &e),
		};
		let _ = tcp.set_nodelay(true);
		if let Err(e) = tcp.set_nonblocking(words[2] != "blocking") {
			return io_error("set_nonblocking", &e);
		}
		let transport = Transport {
			tcp, memory: words[2] == "memory", short_writes: words.iter().any(|w| w == "option:short-writes"), up: false, sends: 0,
			incoming: Vec::new(), outgoing: Vec::new(), ended: false,
		};
		self.opened = words.to_vec();
		match self.connect(transport) {
			None => answer("ok", address),
			Some(failure) => failure,
		}
	}

	/// Makes the library's object over a transport. None: it is there.
	fn connect(&mut self, transport: Transport) -> Option<Answer> {
		let words = self.opened.clone();
		match self.tls(&words) {
			Ok(tls) => {
				let blocking = words[2] == "blocking";
				let unasked = words.iter().any(|w| w == "option:early-data");
				self.conn = Some(Conn {
					tls, transport, blocking, failed: false, untold: None, lost: None, notified: false, verified: false, unasked,
				});
				None
			}
			Err(e) => Some(tls_error("new", &e)),
		}
	}

	fn renew(&mut self) -> Answer {
		self.held.clear();
		match self.conn.take() {
			None => no_connection(),
			Some(old) => {
				self.opened.retain(|w| w != "resume");
				self.connect(Transport { up: false, sends: 0, ..old.transport }).unwrap_or_else(|| answer("ok", String::new()))
			}
		}
	}

	fn switch(&mut self) -> Answer {
		self.held.clear();
		std::mem::swap(&mut self.conn, &mut self.other);
		answer("ok", String::new())
	}

	fn drop_conn(&mut self) -> Answer {
		self.held.clear();
		self.conn = None;
		answer("ok", String::new())
	}

	fn end(&mut self) -> Answer {
		self.other = None;
		self.drop_conn()
	}

	fn listen(&mut self) -> Answer {
		if self.listener.is_none() {
			match TcpListener::bind("127.0.0.1:0") {
				Ok(l) => self.listener = Some(l),
				Err(e) => return io_error("bind", &e),
			}
		}
		match self.listener.as_ref().unwrap().local_addr() {
			Ok(address) => answer("ok", address.to_string()),
			Err(e) => io_error("local_addr", &e),
		}
	}

	/// False: a new line came first.
	fn wait(&mut self, events: i16) -> bool {
		let conn = self.conn.as_ref().unwrap();
		let unsent = if conn.transport.outgoing.is_empty() { 0 } else { POLLOUT };
		let events = if conn.transport.ended { events & !POLLIN } else { events } | unsent;
		// Nothing to wait for is no reason to be woken by an error of the socket.
		let fd = if events == 0 { -1 } else { conn.transport.tcp.as_raw_fd() };
		let mut fds = [PollFd { fd: 0, events: POLLIN, revents: 0 }, PollFd { fd, events, revents: 0 }];
		if self.input.has_line() {
			return false;
		}
		while unsafe { poll(fds.as_mut_ptr(), 2, -1) } < 0 {}
		fds[0].revents == 0
	}

	/// None: it was interrupted, or has answered by itself.
	fn go(&mut self, mut call: Call) -> Option<Answer> {
		self.held.retain(|c| c.kind != call.kind);
		loop {
			let (events, said) = match self.conn.as_mut().unwrap().step_and_move(&mut call) {
				Done(a) => {
					if call.kind == Kind::Close {
						self.drop_conn();
					}
					return Some(a);
				}
				More => continue,
				WantRead(said) => (POLLIN, said),
				WantWrite(said) => (POLLOUT, said),
			};
			say("again", &said);
			if !self.wait(events) {
				self.held.push(call);
				return None;
			}
		}
	}

	/// The child makes the call, and says what came of it.
	fn child_shutdown(&mut self) -> Option<Answer> {
		let pid = unsafe { fork() };
		if pid == 0 {
			if let Some(a) = self.call("shutdown write") {
				say(&a.outcome, &a.native);
			}
			unsafe { _exit(0) };
		}
		let mut status = 0;
		while pid > 0 && unsafe { waitpid(pid, &mut status, 0) } < 0 {}
		match (pid, status) {
			(-1, _) => Some(answer("error", "fork=-1".to_string())),
			(_, 0) => None,
			_ => std::process::abort(),     // what kills the child is a crash
		}
	}

	/// None: no such call.
	fn call(&mut self, line: &str) -> Option<Answer> {
		for &(name, kind, sends) in CALLS {
			let arg = match line.strip_prefix(name) {
				Some("") => "",
				Some(rest) if rest.starts_with(' ') => &rest[1..],
				_ => continue,
			};
			if self.conn.is_none() {
				return Some(no_connection());
			}
			let room = arg.parse().map_or(0, |n: usize| n.min(READ_MAX));
			return self.go(Call { kind, sends, room, rest: payload(arg), begun: false, answer: None });
		}
		Some(answer("unsupported", String::new()))
	}

	fn line(&mut self, line: &str) -> Option<Answer> {
		let words: Vec<String> = line.split(' ').map(str::to_string).collect();
		Some(match line {
			"listen" => self.listen(),
			"abandon" => self.drop_conn(),
			"end" => self.end(),
			"renew" => self.renew(),
			"switch" => self.switch(),
			"child shutdown" => return if self.conn.is_some() { self.child_shutdown() } else { Some(no_connection()) },
			"await" => match self.held.pop() {
				Some(call) => return self.go(call),
				None => answer("error", "\"no call is outstanding\"".to_string()),
			},
			_ if words[0] == "open" => self.open(&words[1..]),
			_ => return self.call(line),
		})
	}
}

fn no_connection() -> Answer {
	answer("error", "\"there is no connection\"".to_string())
}

fn main() {
	unsafe {
		signal(SIGUSR1, interrupted);
		siginterrupt(SIGUSR1, 1);
	}
	say("library", &format!("rustls {}", env!("RUSTLS_VERSION")));
	say("api", "rustls");
	say("can", "client server tls1.2 tls1.3 blocking nonblocking memory");
	say("can", "shutdown-write close abandon plain resumption renew siblings fork interrupt option:short-writes option:early-data");
	if !api::CAN.is_empty() {
		say("can", api::CAN);
	}
	if !api::PROMISES.is_empty() {
		say("promises", api::PROMISES);
	}
	say("ready", "");
	let mut adapter = Adapter {
		input: Input { held: Vec::new() }, listener: None, clients: HashMap::new(), servers: HashMap::new(), conn: None, other: None,
		opened: Vec::new(), held: Vec::new(),
	};
	while let Some(line) = adapter.input.line() {
		if let Some(a) = adapter.line(&String::from_utf8_lossy(&line)) {
			say(&a.outcome, &a.native);
		}
	}
}
