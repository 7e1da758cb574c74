#!/bin/sh
# compile.sh CLASS SOURCE OUTPUT: one file that is a shell script at its head and the archive of classes behind it.
# The options keep the runtime's own threads from coming and going, and from waking up, while a call waits.
command -v javac >/dev/null && command -v jar >/dev/null || exit 77
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
javac -Xlint:all -d "$work/classes" "${0%/*}/Adapter.java" "$2" && jar cf "$work/jar" -C "$work/classes" . || exit
{
	echo '#!/bin/sh'
	echo "exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UseDynamicNumberOfCompilerThreads -XX:+UnlockDiagnosticVMOptions -XX:GuaranteedSafepointInterval=0 -XX:-UsePerfData -cp \"\$0\" $1"
	cat "$work/jar"
} > "$3" && chmod 755 "$3"
