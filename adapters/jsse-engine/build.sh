#!/bin/sh
exec "${0%/*}/../jsse/compile.sh" JsseEngine "$1" "${0%/*}/JsseEngine.java"
