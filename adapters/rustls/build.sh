#!/bin/sh
# Built with Debian's compiler of Debian's crates, and nothing from the network; what cargo makes on the way stays in PROGRAM.cargo.
# The API changed between 0.20 and 0.23: what differs stands in api_0_20.rs and api_0_23.rs.
registry=/usr/share/cargo/registry
command -v "${CARGO:=/usr/bin/cargo}" >/dev/null || exit 77
for crate in "$registry"/rustls-0.*; do
	version=${crate##*-}
	case $version in
	0.20.*) api=0_20 features='"tls12", "dangerous_configuration"' ;;
	0.23.*) api=0_23 features='"std", "tls12", "ring"' ;;
	*) continue ;;
	esac
	break
done
[ -n "${api-}" ] || exit 77
here=$(realpath "${0%/*}") program=$(realpath "$1")
mkdir -p "$1.cargo/.cargo" && cd "$1.cargo" || exit
cat >Cargo.toml <<END
[package]
name = "adapter"
version = "0.0.0"
edition = "2021"

[[bin]]
name = "adapter"
path = "$here/main.rs"

[features]
default = ["api_$api"]
api_0_20 = []
api_0_23 = []

[dependencies]
rustls = { version = "=$version", default-features = false, features = [$features] }
END
cat >.cargo/config.toml <<END
[source.debian]
directory = "$registry"

[source.crates-io]
replace-with = "debian"
END
# make's own flags speak of pipes that cargo does not get.
unset MAKEFLAGS MFLAGS
[ "$CARGO" != /usr/bin/cargo ] || export RUSTC=/usr/bin/rustc
RUSTLS_VERSION=$version CARGO_HOME="$PWD/home" "$CARGO" build --release --offline --target-dir target &&
	install -m755 target/release/adapter "$program"
