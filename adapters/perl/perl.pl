#!/usr/bin/perl
# The adapter for IO::Socket::SSL of Perl (over Net::SSLeay and OpenSSL).
#
#	open            IO::Socket::INET; start_SSL with SSL_startHandshake => 0
#	handshake       connect_SSL or accept_SSL; resumed: get_session_reused
#	read, write     sysread, syswrite; 0 is `closed`
#	shutdown both   stop_SSL, whose socket then is a plain one: a later read or write is the plain one's
#	close           close, which is stop_SSL(SSL_fast_shutdown => 1) and the close of the socket; after an error with
#	                SSL_no_shutdown => 1
#	abandon         close(SSL_no_shutdown => 1)
#
# Non-blocking calls say SSL_WANT_READ or SSL_WANT_WRITE in $SSL_ERROR.
#
# No promises: the manual has no word on an end without close_notify.
#
# What the API cannot do: shutdown write (stop_SSL with SSL_fast_shutdown ends reading too), key_update, the transport without
# TLS as long as there is TLS on it, an object without a socket.
use strict;
use warnings;
use Errno qw(EAGAIN ECONNRESET EPIPE);
use IO::Poll qw(POLLIN POLLOUT);
use IO::Socket::INET;
use IO::Socket::SSL;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOMAXCONN);

use constant READ_MAX => 16384;
my $PATTERN = 'abcdefghijklmnopqrstuvw';
my %VERSION = ('tls1.2' => 'TLSv1_2', 'tls1.3' => 'TLSv1_3');
my %WORDS = (user_cancelled => 'user_canceled');

my ($sock, $server, $version, $blocking, $listener, $failed, %contexts, @held);
my $input = '';

# ---- Lines ----

my %NAME = ("\n" => '\n', "\r" => '\r', "\t" => '\t', '\\' => '\\\\', '"' => '\"');
my %BYTE = (n => "\n", r => "\r", t => "\t", '\\' => '\\', '"' => '"');

sub quote {
	my ($text) = @_;
	$text =~ s/([^ !#-\[\]-~])/$NAME{$1} \/\/ sprintf('\x%02x', ord $1)/ge;
	return qq("$text");
}

sub payload {
	my ($arg) = @_;
	return substr($PATTERN x ($arg / length($PATTERN) + 1), 0, $arg) unless $arg =~ s/^"(.*)"$/$1/s;
	$arg =~ s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $BYTE{$2}/gies;
	return $arg;
}

sub say_line { syswrite STDOUT, join(' ', grep { length } @_) . "\n" }

sub next_line {
	until ($input =~ /\n/) {
		return undef unless sysread STDIN, $input, 1 << 16, length $input;
	}
	$input =~ s/^(.*)\n//;
	return $1;
}

# ---- What the library said ----

# A call that did not succeed: $SSL_ERROR says why, and $! when it was the socket.
sub failure {
	my ($call) = @_;
	my ($errno, $error) = ($!, $SSL_ERROR);
	my $want = $error == SSL_WANT_READ ? 'SSL_WANT_READ' : $error == SSL_WANT_WRITE ? 'SSL_WANT_WRITE' : '';
	my ($name) = grep { $!{$_} } qw(EAGAIN ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ECONNREFUSED ENOTCONN EBADF EPROTO);
	my $native = join ' ', grep { length } $call, $want, "errno=" . ($name // $errno + 0), quote("$error");
	return (again => $native) if $want || $errno == EAGAIN;
	$failed = 1;
	if ("$error" =~ /:(?:sslv3|tlsv1|tlsv13)(?: alert)? ([a-z ]+)$/) {
		my $alert = $1 =~ tr/ /_/r;
		return ('alert ' . ($WORDS{$alert} // $alert), $native);
	}
	return (reset => $native) if $errno == ECONNRESET;
	return (pipe => $native) if $errno == EPIPE;
	return (truncated => $native) if "$error" =~ /unexpected eof while reading$/;
	return (error => $native);
}

# ---- Calls: each returns the outcome and what the call returned ----

sub handshake {
	my $name = $server ? 'accept_SSL' : 'connect_SSL';
	my $done = $server ? $sock->accept_SSL : $sock->connect_SSL;
	return failure("$name=undef") unless $done;
	return $sock->get_session_reused ? (resumed => "$name=socket") : (ok => "$name=socket");
}

sub read_some {
	my ($args) = @_;
	my $room = $args->[0] < READ_MAX ? $args->[0] : READ_MAX;
	my $data;
	my $got = sysread $sock, $data, $room;
	return failure('sysread=undef') unless defined $got;
	return $got ? ('data ' . quote($data), "sysread=$got") : (closed => 'sysread=0');
}

sub write_some {
	my ($args) = @_;
	my $sent = syswrite $sock, $args->[0];
	return failure('syswrite=undef') unless defined $sent;
	substr($args->[0], 0, $sent) = '';
	$args->[1] += $sent;            # the parts are as large as the kernel has room
	return (length $args->[0] ? 'more' : 'ok', "syswrite=$args->[1]");
}

sub shutdown_both {
	return failure('stop_SSL=undef') unless $sock->stop_SSL;
	return (complete => 'stop_SSL=1');
}

# An SSL object that failed is freed without a word ("SSL_no_shutdown").
sub close_it {
	my $tls = $sock->isa('IO::Socket::SSL');
	my $done = !$tls ? close $sock : $failed ? $sock->close(SSL_no_shutdown => 1) : $sock->close;
	return failure('close=undef') unless $done;
	return (ok => 'close=1');
}

my %CALLS = (
	'handshake' => \&handshake, 'read' => \&read_some, 'write' => \&write_some,
	'shutdown both' => \&shutdown_both, 'close' => \&close_it,
);

# ---- The connection ----

sub context {
	my ($resume) = @_;
	my $key = "$version $server";
	delete $contexts{$key} unless $server || $resume;
	return $contexts{$key} //= IO::Socket::SSL::SSL_Context->new(
		SSL_server => $server, SSL_version => $VERSION{$version},
		$server ? (SSL_cert_file => $ENV{CLOSEDRILL_CERT}, SSL_key_file => $ENV{CLOSEDRILL_CERT}, SSL_session_id_context => 'closedrill')
			: (SSL_verify_mode => SSL_VERIFY_NONE, SSL_session_cache_size => 1),
	);
}

sub drop {
	if ($sock) {
		$sock->isa('IO::Socket::SSL') ? $sock->close(SSL_no_shutdown => 1) : close $sock;
	}
	$sock = undef;
	@held = ();
	return ('ok');
}

sub open_it {
	my ($role, $tls, $io, @rest) = @_;
	my $to = $role eq 'client' ? shift @rest : '';
	drop();
	return ('unsupported') if $role !~ /^(client|server)$/ || !$VERSION{$tls} || $io !~ /^(non)?blocking$/ || grep { $_ ne 'resume' } @rest;
	($server, $version, $blocking, $failed) = ($role eq 'server', $tls, $io eq 'blocking', 0);
	my $tcp = $server ? $listener->accept : IO::Socket::INET->new($to);
	return (error => 'open=undef ' . quote("$@ $!")) unless $tcp;
	setsockopt $tcp, IPPROTO_TCP, TCP_NODELAY, 1;
	$tcp->blocking($blocking);
	$sock = IO::Socket::SSL->start_SSL($tcp, SSL_startHandshake => 0, SSL_server => $server, SSL_reuse_ctx => context(@rest > 0),
		SSL_hostname => 'localhost', SSL_session_key => 'closedrill');
	return (error => 'start_SSL=undef ' . quote("$SSL_ERROR")) unless $sock;
	return (ok => '127.0.0.1:' . ($server ? $tcp->peerport : $tcp->sockport));
}

sub listen_it {
	$listener //= IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64);
	return (ok => '127.0.0.1:' . $listener->sockport);
}

# ---- The loop ----

# False: a new line came first.
sub wait_for {
	my ($events) = @_;
	return 0 if $input =~ /\n/;
	my $poll = IO::Poll->new;
	$poll->mask(\*STDIN => POLLIN);
	$poll->mask($sock => $events);
	$poll->poll;
	return !$poll->events(\*STDIN);
}

sub go {
	my ($call) = @_;
	my ($name, $args) = @$call;
	@held = grep { $_->[0] ne $name } @held;
	while (1) {
		$! = 0;
		my ($outcome, $native) = $CALLS{$name}->($args);
		if ($outcome eq 'again') {
			my $events = $native =~ /SSL_WANT_WRITE/ || ($name eq 'write' && $native !~ /SSL_WANT/) ? POLLOUT : POLLIN;
			say_line('again', $native);
			next if wait_for($events);
			push @held, $call;
			return ();
		}
		next if $outcome eq 'more';
		drop() if $name eq 'close';
		return ($outcome, $native);
	}
}

sub answer {
	my ($line) = @_;
	for my $name (keys %CALLS) {
		next unless $line =~ /^\Q$name\E(?: (.*))?$/s;
		my $arg = $1 // '';
		return (error => '"there is no connection"') unless $sock;
		return go([$name, [$name eq 'write' ? payload($arg) : $arg]]);
	}
	return open_it(split / /, $1) if $line =~ /^open (.*)/;
	return listen_it() if $line eq 'listen';
	return drop() if $line eq 'end' || $line eq 'abandon';
	return @held ? go($held[-1]) : (error => '"no call is outstanding"') if $line eq 'await';
	return ('unsupported');
}

$SIG{PIPE} = 'IGNORE';
say_line(library => "IO::Socket::SSL $IO::Socket::SSL::VERSION (" . join(' ', (split ' ', Net::SSLeay::SSLeay_version())[0, 1]) . ')');
say_line(api => 'perl');
say_line('can client server tls1.2 tls1.3 blocking nonblocking');
say_line('can shutdown-both close abandon resumption');
say_line('ready');
while (defined(my $line = next_line())) {
	my @answer = answer($line);
	say_line(@answer) if @answer;
}
drop();
