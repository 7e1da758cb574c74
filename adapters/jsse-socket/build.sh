#!/bin/sh
exec "${0%/*}/../jsse/compile.sh" JsseSocket "${0%/*}/JsseSocket.java" "$1"
