#!/bin/sh
# matrix.sh: every adapter against the libraries of several Debian releases. Each release gets a root of its own below FOLDER, with the
# libraries from the mirror that this machine's apt uses; the adapters are built inside, and this machine's runner plays them from there.
# What is done stays done: started again, it goes on where it stopped; `rm -r FOLDER/SUITE` does one release anew.
#
# usage: matrix.sh CLOSEDRILL FOLDER [SUITE...]      default: bullseye bookworm trixie sid
#        CASES='-c orderly ...' for a part of the catalogue
set -u
closedrill=$1 folder=$2
shift 2
[ $# -gt 0 ] || set -- bullseye bookworm trixie sid
here=${0%/*}
tools='ca-certificates gcc g++ libc6-dev make pkg-config'

say() {
	echo "$(date +%H:%M:%S) $*"
}

die() {
	echo "matrix.sh: $*" >&2
	exit 3
}

mirror() {              # the first archive of Debian's own that apt knows
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT) $(RELEASE)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "main" && $4 !~ /-/ { print $1; exit }'
}

make_root() {           # SUITE ROOT
	say "$1: making a root"
	# A mirror that stands still for a while is as good: these are roots for tests.
	mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --include="$(echo $tools | tr ' ' ,)" "$1" "$2.partial" "$mirror" >"$2.log" 2>&1 ||
		{ rm -rf "$2.partial"; die "no root for $1; see $2.log"; }
	mv "$2.partial" "$2"
}

inside() {              # ROOT COMMAND...: /proc is there only as long as the command runs
	root=$1
	shift
	unshare --mount --fork sh -c 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" env DEBIAN_FRONTEND=noninteractive "$@"' "$root" "$@"
}

copy_sources() {        # ROOT
	rm -rf "$1/usr/src/closedrill"
	mkdir -p "$1/usr/src/closedrill"
	cp -r "$here" "$here/../peer" "$here/../runner" "$here/../Makefile" "$here/../setup.sh" "$1/usr/src/closedrill/"
}

install_libraries() {   # SUITE ROOT
	say "$1: installing the libraries"
	inside "$2" apt-get update -qq >>"$2.log" 2>&1
	for package in $(inside "$2" /usr/src/closedrill/adapters/packages.sh); do
		inside "$2" apt-get install -y -qq --no-install-recommends "$package" >>"$2.log" 2>&1 || say "$1: $package cannot be installed; see $2.log"
	done
}

build_adapters() {      # SUITE ROOT: one that its library does not suit is left out, with the compiler's words in the log
	say "$1: building the adapters"
	inside "$2" make -C /usr/src/closedrill -k -j"$(nproc)" B=/usr/local/lib/closedrill LEAVE_OUT=reference adapters >>"$2.log" 2>&1 ||
		say "$1: some do not build; see $2.log"
}

run_adapters() {        # SUITE ROOT
	names=$(cd "$2/usr/local/lib/closedrill/adapters" && find . -maxdepth 1 -type f -perm -u+x | sed 's,^\./,,' | sort)
	[ -n "$names" ] || die "$1: no adapter was built; see $2.log"
	for name in $names; do
		[ ! -e "$2.results/$name/done" ] || continue
		say "$1: $name"
		mkdir -p "$2.results"
		rm -rf "$2.results/$name"
		# 1: it deviates, which is a result; 3: something is broken, which the results tell.
		"$closedrill" run --root "$2" "$name" ${CASES-} -o "$2.results/$name" -q
		case $? in 0 | 1 | 3) [ ! -s "$2.results/$name/results.json" ] || touch "$2.results/$name/done" ;; *) die "$1: $name could not be run" ;; esac
	done
}

command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"
mirror=$(mirror)
[ -n "$mirror" ] || die "apt names no archive of Debian here: roots come from there"
mkdir -p "$folder"
folder=$(realpath "$folder")
for suite in "$@"; do
	root=$folder/$suite
	[ -d "$root" ] || make_root "$suite" "$root"
	if [ ! -e "$root.built" ]; then
		copy_sources "$root"
		install_libraries "$suite" "$root"
		build_adapters "$suite" "$root"
		touch "$root.built"
	fi
	run_adapters "$suite" "$root"
done
say "done: results in $folder/SUITE.results/NAME"
