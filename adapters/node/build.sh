#!/bin/sh
command -v node >/dev/null || exit 77
install -m755 "${0%/*}/node.js" "$1"
