#!/bin/sh
command -v go >/dev/null || exit 77
cd "${0%/*}" && CGO_ENABLED=0 exec go build -o "$OLDPWD/$1" main.go
