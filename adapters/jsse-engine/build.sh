#!/bin/sh
exec "${0%/*}/../jsse/compile.sh" JsseEngine "${0%/*}/JsseEngine.java" "$1"
