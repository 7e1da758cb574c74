#!/bin/sh
# Runs the fuzz targets, two at a time, and prints a line for each: executions, coverage, corpus. What makes one fail is kept, and told.
#
# usage: run.sh short|long PROGRAMS FOLDER [TARGET...]
#   short: the same inputs every time: as many executions as tests/fuzz/targets says, from the seeds alone
#   long: FUZZ_SECONDS (600) for each target; the corpus in FOLDER/TARGET/corpus stays and grows
#   FUZZ_JOBS (2): how many at a time
set -u
how=$1 programs=$2 folder=$3
shift 3
here=$(dirname "$0")

one() {                 # one TARGET
	line=$(grep "^$1 " "$here/targets") || { echo "$1: no such target in $here/targets" >&2; return 1; }
	set -- $line    # the places of seeds are patterns: here they become files
	name=$1 max=$2 runs=$3
	shift 3
	dir=$folder/$name
	mkdir -p "$dir/corpus" "$dir/found"
	for seed; do [ ! -f "$seed" ] || echo "$seed"; done | LC_ALL=C sort | paste -sd, | tr -d '\n' > "$dir/seeds"
	set -- -max_len="$max" -timeout=60 -rss_limit_mb=512 -print_final_stats=1 -dict="$folder/words" -artifact_prefix="$dir/found/"
	[ ! -s "$dir/seeds" ] || set -- "$@" -seed_inputs=@"$dir/seeds"
	case $how in
	short) set -- "$@" -seed=1 -runs="$runs" ;;
	long)  set -- "$@" -reload=0 -max_total_time="${FUZZ_SECONDS:-600}" "$dir/corpus" ;;
	esac
	ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=1 "$programs/$name" "$@" > "$dir/log" 2>&1
	status=$?
	awk -v name="$name" '
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corp = $(i + 1) } }
		/^stat::number_of_executed_units/ { n = $2 }
		END { printf "%-10s %10d %7s %14s\n", name, n, cov, corp }' "$dir/log"
	[ $status -ne 0 ] || return 0
	echo "$name FAILED (exit $status): $dir/log"
	grep -E 'ERROR|SUMMARY|Assertion|runtime error|Test unit written' "$dir/log"
	return 1
}

case ${FUZZ_ONE-} in
?*) one "$FUZZ_ONE"; exit ;;
esac
# Words for the fuzzer: the first of each row of our tables, and the members of results.json.
mkdir -p "$folder"
{
	sed -n 's/^[[:space:]]*{ \("[a-z0-9_*. -]*"\),.*/\1/p' runner/*.c peer/record.c
	grep -o '"[a-z_]*":' results.schema.json | sed 's/"\(.*\)":/"\\"\1\\""/'
} | LC_ALL=C sort -u > "$folder/words"
printf '%-10s %10s %7s %14s\n' target executions edges corpus
[ $# -gt 0 ] || set -- $(sed -n 's/^\([a-z]\+\) .*/\1/p' "$here/targets")
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-2}" -I NAME env FUZZ_ONE=NAME "$0" "$how" "$programs" "$folder"
[ $? -eq 0 ] && echo "fuzz: nothing found" || { echo "fuzz: FAILED"; exit 1; }
