#!/bin/sh
command -v escript >/dev/null || exit 77
escript_ssl=$(erl -noshell -eval 'io:format("~p", [code:lib_dir(ssl)]), halt().')
case $escript_ssl in *bad_name*) exit 77;; esac
install -m755 "${0%/*}/erlang.escript" "$1"
