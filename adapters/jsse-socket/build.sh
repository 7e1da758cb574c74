#!/bin/sh
exec "${0%/*}/../jsse/compile.sh" JsseSocket "$1" "${0%/*}/JsseSocket.java"
