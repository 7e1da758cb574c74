#!/usr/bin/ruby
# The adapter for the openssl library of Ruby, from 2.7 on.
#
#	open            TCPSocket; SSLSocket.new over it
#	handshake       connect or accept; nonblocking: connect_nonblock, accept_nonblock. resumed: session_reused?
#	read            sysread; nonblocking: read_nonblock. EOFError is `closed`
#	write           syswrite; nonblocking: write_nonblock
#	shutdown write  close_write where there is one (openssl 3.3); before, sysclose with the default sync_close = false, which
#	                "sends close notify to the peer" and leaves the socket open
#	close           sync_close = true and close, whatever came before
#	abandon         close of the socket below
#	plain           recv and send of the socket below
#
# No promises: the manual has no word on an end without close_notify.
#
# What the API cannot do: shutdown both (no method waits for the peer's close_notify, nor tells of it), key_update. Before openssl 3.3
# an object without a socket; the adapter does not do it later either.
require 'openssl'
require 'socket'

READ_MAX = 16384
PATTERN = 'abcdefghijklmnopqrstuvw'
VERSIONS = { 'tls1.2' => OpenSSL::SSL::TLS1_2_VERSION, 'tls1.3' => OpenSSL::SSL::TLS1_3_VERSION }.freeze
ALERTS = { 'user_cancelled' => 'user_canceled' }.freeze    # where OpenSSL's word is not the standard's
WAITS = { wait_readable: 'read', wait_writable: 'write' }.freeze

# ---- Lines ----

NAMES = { "\n" => '\n', "\r" => '\r', "\t" => '\t', '\\' => '\\\\', '"' => '\"' }.freeze
BYTES = { 'n' => "\n", 'r' => "\r", 't' => "\t", '\\' => '\\', '"' => '"' }.freeze

def quote(data)
	'"' + data.b.gsub(/[^ !#-\[\]-~]/n) { |c| NAMES[c] || format('\x%02x', c.ord) } + '"'
end

def payload(arg)
	return (PATTERN * (arg.to_i / PATTERN.size + 1))[0, arg.to_i] unless arg.start_with?('"')
	arg[1..-2].b.gsub(/\\(?:x(\h\h)|(.))/n) { $1 ? $1.hex.chr : BYTES[$2] }
end

def say(*words)
	STDOUT.syswrite(words.compact.reject(&:empty?).join(' ') + "\n")
end

# Lines from standard input, which something may have to be waited for beside.
class Input
	def initialize
		@held = ''.b
	end

	def line?
		@held.include?("\n")
	end

	def line
		@held << STDIN.sysread(1 << 16) until line?
		@held.slice!(/\A.*\n/n).chomp
	rescue EOFError
		nil
	end
end

# ---- What the library said ----

def ssl_outcome(message)
	return 'truncated' if message.end_with?('unexpected eof while reading')
	return 'error' unless message =~ /(?:sslv3|tlsv1|tlsv13)(?: alert)? ([a-z ]+?)(?: \(SSL alert number \d+\))?\z/
	name = $1.tr(' ', '_')
	'alert ' + (ALERTS[name] || name)
end

# The outcome, and the exception in its own words.
def raised(call, error)
	outcome = case error
		when EOFError then 'closed'
		when Errno::ECONNRESET then 'reset'
		when Errno::EPIPE then 'pipe'
		when OpenSSL::SSL::SSLError then ssl_outcome(error.message)
		when IOError then 'refused'
		else 'error'
		end
	[outcome, "#{call}=#{error.class} #{quote(error.message)}"]
end

# ---- The connection ----

class Conn
	attr_reader :tcp

	def initialize(tcp, context, server, blocking, session)
		@tcp, @server, @blocking = tcp, server, blocking
		@tls = OpenSSL::SSL::SSLSocket.new(tcp, context)
		@tls.hostname = 'localhost' unless server
		@tls.session = session if session
	end

	# What a call is called in the library.
	def name(call)
		case call
		when :handshake then (@server ? 'accept' : 'connect') + (@blocking ? '' : '_nonblock')
		when :read then @blocking ? 'sysread' : 'read_nonblock'
		when :write then @blocking ? 'syswrite' : 'write_nonblock'
		when :shutdown_write then @tls.respond_to?(:close_write) ? 'close_write' : 'sysclose'
		when :close then 'close'
		when :plain_read then 'recv'
		when :plain_write then 'send'
		end
	end

	# Calls: each returns the outcome and what the call returned, or :wait_readable or :wait_writable.

	def handshake(_)
		got = @tls.public_send(name(:handshake), **(@blocking ? {} : { exception: false }))
		return got if got.is_a?(Symbol)
		[@tls.session_reused? ? 'resumed' : 'ok', name(:handshake) + '=self']
	end

	def read(room)
		got = @blocking ? @tls.sysread(room) : @tls.read_nonblock(room, exception: false)
		return got if got.is_a?(Symbol)
		got ? ['data ' + quote(got), "#{name(:read)}=#{got.bytesize}"] : ['closed', name(:read) + '=nil']
	end

	# With what one call does of it.
	def all_of(rest, call)
		until rest.empty?
			sent = yield
			return sent if sent.is_a?(Symbol)
			rest.slice!(0, sent)
		end
		['ok', call]
	end

	def write(rest)
		all_of(rest, name(:write)) { @blocking ? @tls.syswrite(rest) : @tls.write_nonblock(rest, exception: false) }
	end

	def shutdown_write(_)
		['sent', "#{name(:shutdown_write)}=#{@tls.public_send(name(:shutdown_write)).inspect}"]
	end

	def close(_)
		@tls.sync_close = true
		['ok', "close=#{@tls.close.inspect}"]
	end

	def plain_read(room)
		got = @blocking ? @tcp.recv(room) : @tcp.recv_nonblock(room, exception: false)
		return got if got.is_a?(Symbol)
		got.nil? || got.empty? ? ['closed', 'recv=0'] : ['data ' + quote(got), "recv=#{got.bytesize}"]
	end

	def plain_write(rest)
		all_of(rest, 'send') { @blocking ? @tcp.syswrite(rest) : @tcp.write_nonblock(rest, exception: false) }
	end

	def drop
		@tcp.close
	end
end

CALLS = {       # what a line says, and the method
	'handshake' => :handshake, 'read' => :read, 'write' => :write, 'shutdown write' => :shutdown_write, 'close' => :close,
	'plain read' => :plain_read, 'plain write' => :plain_write
}.freeze

# ---- The loop ----

class Adapter
	def initialize
		@input, @contexts, @held = Input.new, {}, []
	end

	# One for each role and version, as a session belongs to its context.
	def context(server, version)
		@contexts[[server, version]] ||= OpenSSL::SSL::SSLContext.new.tap do |c|
			c.min_version = c.max_version = VERSIONS[version]
			c.verify_mode = OpenSSL::SSL::VERIFY_NONE
			if server
				pem = File.read(ENV['CLOSEDRILL_CERT'])
				c.add_certificate(OpenSSL::X509::Certificate.new(pem), OpenSSL::PKey.read(pem))
				c.session_id_context = 'closedrill'
			else
				c.session_cache_mode = OpenSSL::SSL::SSLContext::SESSION_CACHE_CLIENT | OpenSSL::SSL::SSLContext::SESSION_CACHE_NO_INTERNAL_STORE
				c.session_new_cb = ->((_, session)) { @session = session }
			end
		end
	end

	# False: a new line came first.
	def wait(want)
		return false if @input.line?
		ready = IO.select([STDIN] + (want == 'read' ? [@conn.tcp] : []), want == 'write' ? [@conn.tcp] : [])
		!ready[0].include?(STDIN)
	end

	def go(call)
		words, arg = call
		method = CALLS[words]
		name = @conn.name(method)
		@held.reject! { |held| held[0] == words }
		loop do
			answer = begin
				@conn.public_send(method, arg)
			rescue SystemCallError, IOError, OpenSSL::SSL::SSLError => e
				raised(name, e)
			end
			unless answer.is_a?(Symbol)
				drop if words == 'close'
				return say(*answer)
			end
			say('again', "#{name}=#{answer}")
			return @held << call unless wait(WAITS[answer])
		end
	end

	def drop
		@conn&.drop
		@conn = nil
		@held.clear
	end

	def listen
		@listener ||= TCPServer.new('127.0.0.1', 0)
		say('ok', "127.0.0.1:#{@listener.addr[1]}")
	end

	def transport(server, address)
		return @listener.accept if server
		host, port = address.split(':')
		TCPSocket.new(host, port.to_i)
	end

	def open(role, version, io, *rest)
		drop
		server = role == 'server'
		address = rest.shift unless server
		known = %w[client server].include?(role) && VERSIONS[version] && %w[blocking nonblocking].include?(io)
		return say('unsupported') unless known && (rest - ['resume']).empty?
		@session = nil unless rest.include?('resume') || server
		tcp = transport(server, address)
		tcp.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
		@conn = Conn.new(tcp, context(server, version), server, io == 'blocking', server ? nil : @session)
		say('ok', '127.0.0.1:' + (server ? tcp.peeraddr(false) : tcp.addr(false))[1].to_s)
	rescue SystemCallError, OpenSSL::SSL::SSLError => e
		say(*raised('open', e))
	end

	def call(line)
		words = CALLS.keys.find { |name| line == name || line.start_with?(name + ' ') }
		return say('unsupported') unless words
		return say('error', '"there is no connection"') unless @conn
		arg = line[words.size + 1..-1] || ''
		go([words, words.end_with?('write') && words != 'shutdown write' ? payload(arg) : [arg.to_i, READ_MAX].min])
	end

	def line(line)
		case line
		when /\Aopen (.*)/ then open(*$1.split(' '))
		when 'listen' then listen
		when 'end', 'abandon' then drop; say('ok')
		when 'await' then @held.empty? ? say('error', '"no call is outstanding"') : go(@held.last)
		else call(line)
		end
	end

	def main
		say('library', "Ruby #{RUBY_VERSION} openssl #{OpenSSL::VERSION} (#{OpenSSL::OPENSSL_LIBRARY_VERSION.split[0, 2].join(' ')})")
		say('api ruby')
		say('can client server tls1.2 tls1.3 blocking nonblocking')
		say('can shutdown-write close abandon plain resumption interrupt')
		say('ready')
		while (line = @input.line)
			line(line)
		end
	end
end

trap('USR1') {}
Adapter.new.main
