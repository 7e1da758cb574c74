#!/bin/sh
# Finds which Debian packages are missing and installs them, as root or by sudo without a password; otherwise says what to type.
# With nothing missing it takes no time, no rights and no network.
#
# usage: setup.sh build|run|check|fuzz|analyze|adapters|matrix [--ask]
#   analyze: what looks at the sources; adapters: what all adapters are built with; matrix: what roots of other releases are made with
#   --ask: only tell, never install
#
# What counts is the thing itself (a command, a library known to pkg-config), so what you built yourself is found as well.
set -u
missing=

need() {                # need PACKAGE TEST...
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

python_has() {
	/usr/bin/python3 -c "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))" "$@"
}

need_to_build() {
	need "${CC%% *}"        command -v "${CC%% *}"
	need libc6-dev          test -e /usr/include/stdio.h
	need make               command -v make
	need pkg-config         command -v pkg-config
	need libssl-dev         pkg-config --exists openssl
	need libpcap-dev        pkg-config --exists libpcap
	need libjansson-dev     pkg-config --exists jansson
}

need_to_run() {
	need tcpdump            command -v tcpdump
	need iproute2           command -v ip
}

need_to_check() {
	need check              pkg-config --exists check
	need openssl            command -v openssl
	need tshark             command -v tshark
	need python3            test -x /usr/bin/python3
	need python3-pytest     python_has pytest
	need python3-jsonschema python_has jsonschema
	need python3-junitparser python_has junitparser
	need libxml2-utils      command -v xmllint
	need perl               perl -MTAP::Parser -MJSON::PP -e 1
	need parallel           command -v parallel
	need chromium           command -v chromium
	need chromium-driver    command -v chromedriver
	need python3-selenium   python_has selenium
}

# libFuzzer lies beside the compiler's other libraries.
clang_can_fuzz() {
	ls "$(clang -print-runtime-dir)"/libclang_rt.fuzzer*.a || ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.fuzzer*.a
}

need_to_fuzz() {
	need clang              command -v clang
	need libclang-rt-dev    clang_can_fuzz
}

need_to_analyze() {
	need gcc                command -v gcc
	need clang-tidy         command -v clang-tidy
	need cppcheck           command -v cppcheck
	need valgrind           command -v valgrind
	need gcovr              command -v gcovr
}

need_for_adapters() {
	for package in $("${0%/*}"/adapters/packages.sh); do
		need "$package" dpkg -s "$package"
	done
}

look() {
	missing=
	case $1 in
	build) need_to_build ;;
	run)   need_to_build; need_to_run ;;
	check) need_to_build; need_to_run; need_to_check; need_to_fuzz ;;
	fuzz)  need_to_build; need_to_fuzz ;;
	analyze) need_to_build; need_to_run; need_to_check; need_to_analyze ;;
	adapters) need_to_build; need_for_adapters ;;
	matrix) need_to_build; need_to_run; need mmdebstrap command -v mmdebstrap ;;
	*)     sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2 ;;
	esac
}

get() {                 # apt-get as root; tshark asks a question otherwise
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=300 "$@"
}

CC=${CC:-gcc}
look "${1-}"
[ -n "$missing" ] || exit 0

sudo='sudo -n'
[ "$(id -u)" -ne 0 ] || sudo=
if [ "${2-}" = --ask ] || ! command -v apt-get >/dev/null || ! $sudo true 2>/dev/null; then
	printf 'Missing:%s. They are Debian packages; as root:\n\n    apt-get update && apt-get install --no-install-recommends%s\n\n' "$missing" "$missing" >&2
	exit 2
fi

echo "Installing:$missing"
# Package lists that are absent or old: fetch them and try once more.
get install --no-install-recommends $missing >/dev/null 2>&1 ||
	{ get update && get install --no-install-recommends $missing >/dev/null; } || exit 2
look "$1"
[ -z "$missing" ] || { echo "Installed, and still not found:$missing (see $0 for how each is looked for)" >&2; exit 2; }
