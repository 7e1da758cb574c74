// The adapter for crypto/tls of Go.
//
//	handshake       Conn.Handshake
//	read, write     Conn.Read, Conn.Write; io.EOF is `closed`, io.ErrUnexpectedEOF `truncated`
//	shutdown write  Conn.CloseWrite
//	close           Conn.Close, which "closes the connection"
//	abandon         Close of the net.Conn below
//	plain           Read and Write of the net.Conn below
//
// Reads, writes and closes may come from several goroutines ("Multiple goroutines may invoke methods on a Conn
// simultaneously" stands in package net), hence `concurrent`: a read waits in a goroutine of its own.
//
// No promises: the manual does not say what Read returns when the connection ends without close_notify.
//
// What the API cannot do: shutdown both, key_update, non-blocking calls, and objects without a transport.
package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const (
	readMax = 16384
	pattern = "abcdefghijklmnopqrstuvw"
)

// ---- Lines ----

var out sync.Mutex

func say(words ...string) {
	line := ""
	for _, w := range words {
		if w != "" {
			line += " " + w
		}
	}
	out.Lock()
	os.Stdout.WriteString(strings.TrimPrefix(line, " ") + "\n")
	out.Unlock()
}

func quote(p []byte) string {
	names := map[byte]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '\\': `\\`, '"': `\"`}
	b := []byte{'"'}
	for _, c := range p {
		if name, ok := names[c]; ok {
			b = append(b, name...)
		} else if c >= ' ' && c <= '~' {
			b = append(b, c)
		} else {
			b = append(b, fmt.Sprintf(`\x%02x`, c)...)
		}
	}
	return string(append(b, '"'))
}

func unquote(s string) []byte {
	names := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"'}
	var b []byte
	for s = s[1 : len(s)-1]; s != ""; s = s[1:] {
		if s[0] != '\\' {
			b = append(b, s[0])
			continue
		}
		if s = s[1:]; s[0] != 'x' {
			b = append(b, names[s[0]])
			continue
		}
		n, _ := strconv.ParseUint(s[1:3], 16, 8)
		b = append(b, byte(n))
		s = s[2:]
	}
	return b
}

func payload(arg string) []byte {
	if strings.HasPrefix(arg, `"`) {
		return unquote(arg)
	}
	n, _ := strconv.Atoi(arg)
	return []byte(strings.Repeat(pattern, n/len(pattern)+1)[:n])
}

// ---- What the library said ----

// RFC 8446 6, RFC 5246 7.2 and the IANA registry. Go names alerts by texts of its own.
var alerts = map[uint64]string{0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
	22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
	43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
	47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction",
	70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
	100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
	112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
	115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol"}

// A net.OpError with Op "remote error" holds the peer's alert: a number of a type that is not exported.
func alertOf(e *net.OpError) string {
	v := reflect.ValueOf(e.Err)
	if e.Op != "remote error" || v.Kind() != reflect.Uint8 {
		return ""
	}
	if name, ok := alerts[v.Uint()]; ok {
		return name
	}
	return strconv.FormatUint(v.Uint(), 10)
}

func typeOf(err error) string {
	return strings.TrimPrefix(reflect.TypeOf(err).String(), "*")
}

func errno(err error) (name string) {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return ""
	}
	names := map[syscall.Errno]string{syscall.ECONNRESET: "ECONNRESET", syscall.EPIPE: "EPIPE", syscall.ETIMEDOUT: "ETIMEDOUT",
		syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ENOTCONN: "ENOTCONN"}
	if name, ok := names[no]; ok {
		return " errno=" + name
	}
	return fmt.Sprintf(" errno=%d", int(no))
}

// net.ErrClosed came with Go 1.16. Its text is older, and is kept ("Keep this string consistent because of issue #4373", internal/poll).
func isClosed(err error) bool {
	return strings.Contains(err.Error(), "use of closed network connection")
}

// The outcome, and the error in its own words.
func words(err error) (string, string) {
	var op *net.OpError
	native := typeOf(err) + errno(err)
	isOp := errors.As(err, &op)
	if isOp {
		native = typeOf(err) + " Op=" + strings.ReplaceAll(op.Op, " ", "-") + errno(err)
	}
	switch err {
	case io.EOF:
		return "closed", "io.EOF"
	case io.ErrUnexpectedEOF:
		return "truncated", "io.ErrUnexpectedEOF " + quote([]byte(err.Error()))
	}
	native += " " + quote([]byte(err.Error()))
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset", native
	case errors.Is(err, syscall.EPIPE):
		return "pipe", native
	case isOp && alertOf(op) != "":
		return "alert " + alertOf(op), native
	case isClosed(err), err.Error() == "tls: protocol is shutdown", strings.HasPrefix(err.Error(), "tls: CloseWrite called before"):
		return "refused", native
	}
	return "error", native
}

func done(outcome, call string, err error) (string, string) {
	if err == nil {
		return outcome, call + "=nil"
	}
	outcome, native := words(err)
	return outcome, call + "=" + native
}

// ---- The connection ----

type conn struct {
	tcp     net.Conn
	tls     *tls.Conn
	reading sync.WaitGroup
}

// One kept session, forgotten by a client that does not resume.
type sessions struct {
	sync.Mutex
	state *tls.ClientSessionState
}

func (s *sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.Lock()
	defer s.Unlock()
	return s.state, s.state != nil
}

func (s *sessions) Put(_ string, state *tls.ClientSessionState) {
	s.Lock()
	defer s.Unlock()
	s.state = state
}

var (
	listener *net.TCPListener
	current  *conn
	kept     sessions
	server   = map[uint16]*tls.Config{}
)

func config(role string, version uint16) (*tls.Config, error) {
	if role == "client" {
		return &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ServerName: "localhost", ClientSessionCache: &kept}, nil
	}
	if server[version] == nil {
		file := os.Getenv("CLOSEDRILL_CERT")
		cert, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			return nil, err
		}
		server[version] = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version}
	}
	return server[version], nil
}

func (c *conn) drop() {
	c.tcp.Close()
	c.reading.Wait()
}

func (c *conn) read(r io.Reader, name, arg string) (string, string) {
	n, _ := strconv.Atoi(arg)
	if n > readMax {
		n = readMax
	}
	p := make([]byte, n)
	n, err := r.Read(p)
	native := fmt.Sprintf("%s=%d,", name, n)
	if n == 0 && err != nil {
		outcome, words := words(err)
		return outcome, native + words
	}
	if err != nil {
		_, words := words(err)
		return "data " + quote(p[:n]), native + words
	}
	return "data " + quote(p[:n]), native + "nil"
}

func write(w io.Writer, name, arg string) (string, string) {
	n, err := w.Write(payload(arg))
	native := fmt.Sprintf("%s=%d,", name, n)
	if err == nil {
		return "ok", native + "nil"
	}
	outcome, said := words(err)
	return outcome, native + said
}

func (c *conn) handshake() (string, string) {
	outcome, native := done("ok", "Handshake", c.tls.Handshake())
	if outcome == "ok" && c.tls.ConnectionState().DidResume {
		outcome = "resumed"
	}
	return outcome, native
}

func (c *conn) close() (string, string) {
	outcome, native := done("ok", "Close", c.tls.Close())
	c.drop()
	current = nil
	return outcome, native
}

// ---- Commands ----

func open(words []string) (string, string) {
	versions := map[string]uint16{"tls1.2": tls.VersionTLS12, "tls1.3": tls.VersionTLS13}
	if current != nil {
		current.drop()
		current = nil
	}
	if len(words) < 3 || (words[0] != "client" && words[0] != "server") || versions[words[1]] == 0 || words[2] != "blocking" {
		return "unsupported", ""
	}
	resume, first := false, 4
	if words[0] == "server" {
		first = 3
	}
	for _, w := range words[first:] {
		if w != "resume" {
			return "unsupported", ""
		}
		resume = true
	}
	if !resume {
		kept.state = nil
	}
	cfg, err := config(words[0], versions[words[1]])
	if err != nil {
		return done("", "config", err)
	}
	c := &conn{}
	if words[0] == "client" {
		if c.tcp, err = net.Dial("tcp", words[3]); err != nil {
			return done("", "Dial", err)
		}
		c.tls = tls.Client(c.tcp, cfg)
		current = c
		return "ok", c.tcp.LocalAddr().String()
	}
	if c.tcp, err = listener.Accept(); err != nil {
		return done("", "Accept", err)
	}
	c.tls = tls.Server(c.tcp, cfg)
	current = c
	return "ok", c.tcp.RemoteAddr().String()
}

func listen() (string, string) {
	if listener == nil {
		var err error
		if listener, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return done("", "Listen", err)
		}
	}
	return "ok", listener.Addr().String()
}

// The collector runs between connections alone, and what gives memory back to the kernel not at all: in the background they renew timers
// for many seconds, on the threads that run calls, and nobody could see whether a call waits.
var ended int

func collect() {
	if ended++; ended%64 == 0 {
		runtime.GC()
	}
}

func command(line string) (string, string) {
	words := strings.Fields(line)
	switch {
	case len(words) > 0 && words[0] == "open":
		return open(words[1:])
	case line == "listen":
		return listen()
	case line == "end" || line == "abandon":
		if current != nil {
			current.drop()
			current = nil
		}
		if line == "end" {
			collect()
		}
		return "ok", ""
	}
	return "unsupported", ""
}

// A read waits beside the other calls.
func (c *conn) startRead(r io.Reader, name, arg string) (string, string) {
	c.reading.Add(1)
	go func() {
		outcome, native := c.read(r, name, arg)
		c.reading.Done()
		say(outcome, native)
	}()
	return "", ""
}

func call(line string) (string, string) {
	at := strings.IndexAny(line+"\"", "0123456789\"")
	name, arg := strings.TrimSpace(line[:at]), line[at:]
	calls := map[string]func() (string, string){
		"handshake":      func() (string, string) { return current.handshake() },
		"read":           func() (string, string) { return current.startRead(current.tls, "Read", arg) },
		"write":          func() (string, string) { return write(current.tls, "Write", arg) },
		"shutdown write": func() (string, string) { return done("sent", "CloseWrite", current.tls.CloseWrite()) },
		"close":          func() (string, string) { return current.close() },
		"plain read":     func() (string, string) { return current.startRead(current.tcp, "TCPConn.Read", arg) },
		"plain write":    func() (string, string) { return write(current.tcp, "TCPConn.Write", arg) },
	}
	if calls[name] == nil {
		return command(line)
	}
	if current == nil {
		return "error", `"there is no connection"`
	}
	return calls[name]()
}

func main() {
	debug.SetGCPercent(-1)
	say("library", "Go", strings.TrimPrefix(runtime.Version(), "go"), "crypto/tls")
	say("api go")
	say("can client server tls1.2 tls1.3 blocking")
	say("can shutdown-write close abandon plain resumption concurrent")
	say("ready")
	in := bufio.NewReaderSize(os.Stdin, 1<<17)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if outcome, native := call(strings.TrimSuffix(line, "\n")); outcome != "" {
			say(outcome, native)
		}
	}
}
