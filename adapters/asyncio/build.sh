#!/bin/sh
exec "${0%/*}/../python-common/pack.sh" "${0%/*}/streams.py" "$1"
