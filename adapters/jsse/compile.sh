#!/bin/sh
# compile.sh CLASS OUTPUT SOURCE...: one file that is a shell script at its head and the archive of classes behind it. $JARS are
# archives that it is compiled and run with.
# The options keep the runtime's own threads from coming and going, and from waking up, while a call waits.
command -v javac >/dev/null && command -v jar >/dev/null || exit 77
class=$1 output=$2
shift 2
for jar in ${JARS-}; do
	[ -e "$jar" ] || exit 77
done
path=$(echo ${JARS-} | sed 's/  */:/g; s/./:&/')
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
javac -Xlint:all,-path -cp "$path" -d "$work/classes" "${0%/*}/Adapter.java" "$@" && jar cf "$work/jar" -C "$work/classes" . || exit
{
	echo '#!/bin/sh'
	echo "exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UseDynamicNumberOfCompilerThreads -XX:+UnlockDiagnosticVMOptions -XX:GuaranteedSafepointInterval=0 -XX:-UsePerfData -cp \"\$0$path\" $class"
	cat "$work/jar"
} > "$output" && chmod 755 "$output"
