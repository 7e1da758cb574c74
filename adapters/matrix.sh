#!/bin/sh
# matrix.sh: every adapter against the libraries of several Debian releases. Each release gets a root of its own below FOLDER, with the
# libraries from the mirror that this machine's apt uses; the adapters are built inside, and this machine's runner plays them from there.
# What is done stays done: started again, it goes on where it stopped, and does anew what an adapter that was changed is for.
# FOLDER/results/NAME-VERSION are the results of each, FOLDER/all of all together, with the report; `rm -r FOLDER/SUITE*` does one release anew.
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

copy_sources() {        # ROOT: with their times, so that only what has changed is built anew
	mkdir -p "$1/usr/src/closedrill"
	(cd "$here/.." && cp -rpu adapters peer runner tests Makefile setup.sh "$1/usr/src/closedrill/")
}

install_libraries() {   # SUITE ROOT: all that the release has at once; one by one where that cannot be
	say "$1: installing the libraries"
	inside "$2" apt-get update -qq >>"$2.log" 2>&1
	packages=
	for package in $(inside "$2" /usr/src/closedrill/adapters/packages.sh); do
		if inside "$2" apt-cache show "$package" >/dev/null 2>&1; then packages="$packages $package"; else say "$1: has no $package"; fi
	done
	inside "$2" apt-get install -y -qq --no-install-recommends $packages >>"$2.log" 2>&1 && return
	for package in $packages; do
		inside "$2" apt-get install -y -qq --no-install-recommends "$package" >>"$2.log" 2>&1 || say "$1: $package cannot be installed; see $2.log"
	done
}

build_adapters() {      # SUITE ROOT: one that its library does not suit is left out, with the compiler's words in the log
	say "$1: building the adapters"
	inside "$2" make -C /usr/src/closedrill -k -j"$(nproc)" B=/usr/local/lib/closedrill LEAVE_OUT=reference adapters >>"$2.log" 2>&1 ||
		say "$1: some do not build; see $2.log"
}

# What is under test goes by the line in which it tells its version: NAME-3.5; NAME-3.5.4 where another 3.5 has results already, NAME-3.5.4-SUITE
# where that is not enough (one version of a binding over several of its library).
name_free() {           # NAME LIBRARY
	[ ! -e "$folder/results/$1/library" ] || [ "$(cat "$folder/results/$1/library")" = "$2" ]
}

name_of() {             # SUITE ADAPTER LIBRARY
	version=$(echo "$3" | grep -oE '(^|[^A-Za-z0-9])[0-9]+(\.[0-9]+)*' | head -1 | grep -oE '[0-9.]+')
	for name in "$2-$(echo "$version" | cut -d. -f1,2)" "$2-$version" "$2-$version-$1"; do
		name_free "${name%-}" "$3" && break
	done
	echo "${name%-}"
}

run_adapter() {         # SUITE ROOT ADAPTER LIBRARY
	name=$(name_of "$1" "$3" "$4")
	out=$folder/results/$name
	# The same version with the same words, of another release, needs no second run; another program does.
	[ ! -e "$out/done" ] || [ "$(cat "$out/done")" != "$1" ] || [ "$2/usr/local/lib/closedrill/adapters/$3" -nt "$out/done" ] || return
	[ ! -e "$out/done" ] || [ "$(cat "$out/done")" = "$1" ] || { say "$1: $3: $4 has results of $(cat "$out/done")"; return; }
	say "$1: $name: $4"
	rm -rf "$out"
	mkdir -p "$out"
	echo "$4" >"$out/library"
	# 1: it deviates, which is a result; 3: something is broken, which the results tell, and which is done anew the next time.
	"$closedrill" run --root "$2" --as "$name" "$3" ${CASES-} -o "$out" -q >"$out.log" 2>&1
	case $? in
	0 | 1) echo "$1" >"$out/done" ;;
	3) say "$1: $name: something is broken; see $out.log" ;;
	*) cat "$out.log"; die "$1: $name could not be run" ;;
	esac
}

run_adapters() {        # SUITE ROOT
	"$closedrill" list implementations --json --root "$2" |
		awk -F'"' '$2 == "implementation" { name = $4 } $2 == "library" && $4 != "" { print name "\t" $4 }' >"$2.list"
	for name in $(cd "$2/usr/local/lib/closedrill/adapters" && find . -maxdepth 1 -type f -perm -u+x | sed 's,^\./,,' | sort); do
		grep -q "^$name	" "$2.list" || say "$1: $name does not start: closedrill list implementations --root $2"
	done
	[ -s "$2.list" ] || die "$1: no adapter was built; see $2.log"
	while IFS='	' read -r adapter library; do
		run_adapter "$1" "$2" "$adapter" "$library" </dev/null
	done <"$2.list"
}

command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"
mirror=$(mirror)
[ -n "$mirror" ] || die "apt names no archive of Debian here: roots come from there"
mkdir -p "$folder"
folder=$(realpath "$folder")
for suite in "$@"; do
	root=$folder/$suite
	[ -d "$root" ] || make_root "$suite" "$root"
	copy_sources "$root"
	[ -e "$root.installed" ] || { install_libraries "$suite" "$root" && touch "$root.installed"; }
	build_adapters "$suite" "$root"
	run_adapters "$suite" "$root"
done
set -- "$folder"/results/*/results.json
say "$# versions have results; together they are:"
"$closedrill" merge "$@" -o "$folder/all" -q
status=$?
say "the report: $folder/all/index.html"
[ $status -le 1 ] || exit $status
