#!/bin/sh
jars=/usr/share/java
JARS="$jars/bctls.jar $jars/bcutil.jar $jars/bcprov.jar" exec "${0%/*}/../jsse/compile.sh" BouncyCastleEngine "$1" "${0%/*}/../jsse-engine/JsseEngine.java" "${0%/*}/../jsse-socket/JsseSocket.java" "${0%/*}/../bouncycastle/BouncyCastle.java" "${0%/*}/BouncyCastleEngine.java"
