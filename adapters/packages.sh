#!/bin/sh
# The Debian packages that adapters are built with: adapters/NAME/packages holds one a word; a|b is the first of these that there is, or
# the first of them where apt knows of none (its lists may not be there yet).
#
# usage: packages.sh [NAME...]      prints them, of all adapters if none is named
cd "${0%/*}" || exit
[ $# -gt 0 ] || set -- $(ls -d */packages | sed 's,/packages$,,')
for name in "$@"; do
	[ -f "$name/packages" ] || { echo "packages.sh: adapters/$name/packages is not there" >&2; exit 2; }
	for word in $(cat "$name/packages"); do
		choice=
		for package in $(echo "$word" | tr '|' ' '); do
			[ -z "$choice" ] && apt-cache show "$package" >/dev/null 2>&1 && choice=$package
		done
		echo "${choice:-${word%%|*}}"
	done
done | sort -u
