#!/bin/sh
exec "${0%/*}/../python-common/pack.sh" "${0%/*}/python.py" "$1"
