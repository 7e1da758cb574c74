#!/bin/sh
jars=/usr/share/java
JARS="$jars/bctls.jar $jars/bcutil.jar $jars/bcprov.jar" exec "${0%/*}/../jsse/compile.sh" BouncyCastle "$1" "${0%/*}/../jsse-socket/JsseSocket.java" "${0%/*}/BouncyCastle.java"
