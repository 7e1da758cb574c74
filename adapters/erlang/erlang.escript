#!/usr/bin/env escript
%%! -noinput +c false +Mea min +S 1:1 +SDio 1 +sbwt none +sbwtdcpu none +sbwtdio none
%% The adapter for the ssl application of Erlang/OTP.
%%
%%	open            gen_tcp:connect or gen_tcp:accept
%%	handshake       ssl:connect or ssl:handshake, which upgrade the socket
%%	read            ssl:recv(S, 0) of the passive socket, which gives what is there; what a read did not ask for waits for the next.
%%	                {error, closed} is `closed`; from any other call it is `refused`, from the handshake an `error`
%%	write           ssl:send
%%	shutdown write  ssl:shutdown(S, write)
%%	close           ssl:close
%%	abandon         gen_tcp:close of the socket below
%%	key_update      ssl:update_keys(S, write); requested: read_write
%%
%% A socket is a process: calls of other processes go on while one of them waits in recv (`concurrent`).
%%
%% {tls_alert, {Name, Text}} stands for alerts of both sides; one whose Text says "received" is the peer's, and answered `alert`.
%%
%% +c false, +Mea min: no correction of the clock every fifteen seconds, and malloc(3) in the place of allocators that look at the memory that
%% they keep every second. set_env in main: caches of ssl are not looked through a minute behind each session that failed, and every two. Else
%% nobody outside could tell the timers of all that from those that a call waits for.
%%
%% No promises: the manual says "{error, closed}" of recv, and not what the peer has to have done.
%%
%% What the API cannot do: shutdown both (ssl:shutdown(S, read_write) "immediately closes"), the transport without TLS once it was
%% upgraded, calls that do not wait, and an object without a socket. What the adapter does not do: resumption. A client could (reuse_session,
%% use_ticket); a server's tickets of TLS 1.3 need ssl:listen: with {session_tickets, stateful} ssl:handshake of a TCP socket exits, noproc.
-mode(compile).

-record(conn, {role, version, tcp, tls, reader}).

main(_) ->
	register(lines, open_port({fd, 0, 1}, [{line, 1 bsl 17}, binary, eof])),
	ok = application:load(ssl),
	[application:set_env(ssl, Timer, 24 * 3600 * 1000) || Timer <- [session_delay_cleanup_time, ssl_pem_cache_clean]],
	{ok, _} = application:ensure_all_started(ssl),
	logger:set_primary_config(level, none),
	ets:new(kept, [public, named_table]),
	{ok, Vsn} = application:get_key(ssl, vsn),
	say(["library Erlang/OTP ", erlang:system_info(otp_release), " ssl ", Vsn]),
	say("api erlang"),
	say("can client server tls1.2 tls1.3 blocking"),
	say("can shutdown-write close abandon key-update concurrent"),
	say("ready"),
	loop(undefined, undefined).

%% ---- Lines ----

say(Line) ->
	port_command(lines, [Line, $\n]).

answer(Outcome, Native) ->
	say([Outcome, " ", Native]).

quote(Bytes) ->
	[$", [escape(C) || <<C>> <= iolist_to_binary(Bytes)], $"].

escape($\n) -> "\\n";
escape($\r) -> "\\r";
escape($\t) -> "\\t";
escape($\\) -> "\\\\";
escape($") -> "\\\"";
escape(C) when C >= $\s, C =< $~ -> C;
escape(C) -> io_lib:format("\\x~2.16.0b", [C]).

unquote("\"") -> [];
unquote("\\x" ++ [A, B | Rest]) -> [list_to_integer([A, B], 16) | unquote(Rest)];
unquote([$\\, C | Rest]) -> [proplists:get_value(C, [{$n, $\n}, {$r, $\r}, {$t, $\t}], C) | unquote(Rest)];
unquote([C | Rest]) -> [C | unquote(Rest)].

payload([$" | Text]) ->
	list_to_binary(unquote(Text));
payload(Count) ->
	N = list_to_integer(Count),
	Pattern = <<"abcdefghijklmnopqrstuvw">>,
	binary:part(binary:copy(Pattern, N div byte_size(Pattern) + 1), 0, N).

%% ---- What the library said ----

outcome({tls_alert, {'unsupported/unknown_alert', _}}) -> "error";      % neither name nor number (OTP 29)
outcome({tls_alert, {Name, Text}}) ->
	case string:find(Text, "received") of
		nomatch -> "error";
		_ -> ["alert ", atom_to_list(Name)]
	end;
outcome(closed) -> "closed";
outcome(econnreset) -> "reset";
outcome(epipe) -> "pipe";
outcome(_) -> "error".

native(Call, {tls_alert, {Name, Text}}) ->
	io_lib:format("~s=error,tls_alert,~s ~s", [Call, Name, quote(Text)]);
native(Call, Reason) when is_atom(Reason) ->
	io_lib:format("~s=error,~s", [Call, Reason]);
native(Call, Reason) ->
	io_lib:format("~s=error ~s", [Call, quote(io_lib:format("~0p", [Reason]))]).

said(_, Call, {error, closed}) -> answer("refused", native(Call, closed));
said(_, Call, {error, Reason}) -> answer(outcome(Reason), native(Call, Reason));
said(Outcome, Call, _) -> answer(Outcome, [Call, "=ok"]).

%% ---- Calls ----

options(#conn{role = Role, version = Version}) ->
	Vsn = case Version of "tls1.2" -> 'tlsv1.2'; "tls1.3" -> 'tlsv1.3' end,
	Cert = os:getenv("CLOSEDRILL_CERT"),
	[{versions, [Vsn]}, {active, false}, {mode, binary} |
	 case Role of
		"client" -> [{verify, verify_none}, {server_name_indication, "localhost"}];
		"server" -> [{certfile, Cert}, {keyfile, Cert}]
	 end].

handshake(C = #conn{role = "client", tcp = Tcp}) -> handshook(C, "connect", ssl:connect(Tcp, options(C)));
handshake(C = #conn{role = "server", tcp = Tcp}) -> handshook(C, "handshake", ssl:handshake(Tcp, options(C))).

handshook(C, Call, {ok, Tls}) ->
	answer("ok", [Call, "=ok"]),
	C#conn{tls = Tls};
handshook(C, Call, {error, closed}) ->
	answer("error", native(Call, closed)),
	C;
handshook(C, Call, Error) ->
	said("", Call, Error),
	C.

%% Waits in a process of its own, which ends with the answer.
read(C = #conn{tls = Tls}, N) ->
	{Reader, _} = spawn_monitor(fun() -> exit({said, read_some(Tls, min(N, 16384))}) end),
	C#conn{reader = Reader}.

read_some(Tls, N) ->
	Got = case ets:lookup(kept, data) of
		[] -> ssl:recv(Tls, 0);
		[{data, Held}] -> {ok, Held}
	end,
	ets:delete(kept, data),
	case Got of
		{ok, <<Data:N/binary, Rest/binary>>} when Rest =/= <<>> -> ets:insert(kept, {data, Rest}), data(Data);
		{ok, Data} -> data(Data);
		{error, Reason} -> [outcome(Reason), " ", native("recv", Reason)]
	end.

data(Data) ->
	["data ", quote(Data), io_lib:format(" recv=ok,~b", [byte_size(Data)])].

wait_reader(#conn{reader = undefined}) -> ok;
wait_reader(#conn{reader = Reader}) -> receive {'DOWN', _, process, Reader, {said, Answer}} -> say(Answer) end.

call("handshake", "", C) -> handshake(C);
call("close", "", #conn{tls = undefined, tcp = Tcp}) -> said("ok", "gen_tcp:close", gen_tcp:close(Tcp)), undefined;
call(_, _, C = #conn{tls = undefined}) -> answer("refused", "\"there is no TLS socket\""), C;
call("read", N, C) -> read(C, list_to_integer(N));
call("write", Text, C) -> said("ok", "send", ssl:send(C#conn.tls, payload(Text))), C;
call("shutdown write", "", C) -> said("sent", "shutdown", ssl:shutdown(C#conn.tls, write)), C;
call("key_update", "", C) -> said("ok", "update_keys", ssl:update_keys(C#conn.tls, write)), C;
call("key_update requested", "", C) -> said("ok", "update_keys", ssl:update_keys(C#conn.tls, read_write)), C;
call("close", "", C) ->
	Said = ssl:close(C#conn.tls),
	wait_reader(C),
	said("ok", "close", Said),
	undefined.

drop(undefined) -> undefined;
drop(C = #conn{tls = Tls, tcp = Tcp}) ->
	gen_tcp:close(Tcp),
	wait_reader(C),
	Tls =/= undefined andalso ssl:close(Tls),
	undefined.

%% ---- Commands ----

open([Role, Version, "blocking" | Rest], Listener) when Role == "client" andalso length(Rest) == 1; Role == "server" andalso Rest == [] ->
	ets:delete(kept, data),
	case transport(Role, Rest, Listener) of
		{ok, Tcp} ->
			{ok, {_, Port}} = case Role of "client" -> inet:sockname(Tcp); "server" -> inet:peername(Tcp) end,
			say(io_lib:format("ok 127.0.0.1:~b", [Port])),
			#conn{role = Role, version = Version, tcp = Tcp};
		Error ->
			said("", "open", Error),
			undefined
	end;
open(_, _) ->
	say("unsupported"),
	undefined.

transport("client", [Address], _) ->
	[Host, Port] = string:split(Address, ":"),
	{ok, Ip} = inet:parse_address(Host),    % a name, even this one, would be looked up by another process
	gen_tcp:connect(Ip, list_to_integer(Port), tcp_options());
transport("server", [], Listener) ->
	gen_tcp:accept(Listener).

tcp_options() -> [binary, {active, false}, {nodelay, true}].

listen(undefined) ->
	{ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {backlog, 64} | tcp_options()]),
	listen(Listener);
listen(Listener) ->
	{ok, Port} = inet:port(Listener),
	say(io_lib:format("ok 127.0.0.1:~b", [Port])),
	Listener.

loop(Conn, Listener) ->
	receive
		{_, {data, {eol, Line}}} -> line(binary_to_list(Line), Conn, Listener);
		{_, eof} -> halt(0);
		{'DOWN', _, process, _, {said, Answer}} -> say(Answer), loop(Conn#conn{reader = undefined}, Listener)
	end.

calls() -> ["handshake", "read", "write", "shutdown write", "close", "key_update requested", "key_update"].

line(Line, Conn, Listener) ->
	case [Name || Name <- calls(), Line == Name orelse lists:prefix(Name ++ " ", Line)] of
		[_ | _] when Conn == undefined ->
			answer("error", "\"there is no connection\""),
			loop(Conn, Listener);
		[Name | _] ->
			loop(call(Name, string:trim(lists:nthtail(length(Name), Line), leading, " "), Conn), Listener);
		[] ->
			command(Line, Conn, Listener)
	end.

command("open " ++ Rest, Conn, Listener) -> drop(Conn), loop(open(string:split(Rest, " ", all), Listener), Listener);
command("listen", Conn, Listener) -> loop(Conn, listen(Listener));
command(Line, Conn, Listener) when Line == "end"; Line == "abandon" -> drop(Conn), say("ok"), loop(undefined, Listener);
command(_, Conn, Listener) -> say("unsupported"), loop(Conn, Listener).
