#!/bin/sh
# pack.sh SOURCE OUTPUT: one file that Python runs: the archive of a program and of what the two share.
python=/usr/bin/python3
$python -c 'import ssl, zipapp' 2>/dev/null || exit 77
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
cp "${0%/*}/common.py" "$work" && cp "$1" "$work/__main__.py" && $python -m zipapp -p "$python -IB" -o "$2" "$work" && chmod 755 "$2"
