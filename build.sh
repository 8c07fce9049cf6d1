#!/usr/bin/env bash
# Builds zeromq-wasm: dist/zeromq.wasm and the JavaScript and types around it.
#
#   bash build.sh                 everything, in the order below
#   bash build.sh STAGE...        only these stages
#
#   toolchain   find emcc (3.1.6 or later), or install it from the distribution
#   modules     npm ci
#   sources     get the libzmq and libsodium tarballs and check their sha256
#   patches     unpack them into build/, apply patches/*.patch to libzmq
#   compile     one object per source into build/obj; only what has changed
#   link        dist/zeromq.wasm
#   vectors     build/crypto.wasm, which only the tests of the cryptography use
#   check       compare its imports and exports with wasm/imports.h, wasm/exports.txt
#   constants   run wasm/constants.c, which prints the numbers that TypeScript needs
#   bundle      dist/node.mjs, dist/embedded.mjs, dist/deno.mjs, dist/auth, dist/draft, dist/v5-compat, dist/types
#   size        print the size of the wasm, fail when it is over the limit
#
# Environment:
#   LIBZMQ_SOURCE, LIBSODIUM_SOURCE   a folder or a tarball to use instead
#   ZEROMQ_WASM_CACHE                 where the tarballs are kept
#   EMSDK                             an emsdk to look for emcc in
#   JOBS                              compilers to run at once (2)
#   DEBUG=1                           keep function names in the wasm
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
export LC_ALL=C

cache=${ZEROMQ_WASM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zeromq-wasm}
zmq_tarball=libzmq-4.3.4.tar.gz
zmq_sha256=0ff5a531c9ffaf0dfdc7dc78d13d1383088f454896d252934c429b2554d10559
sodium_tarball=libsodium-1.0.18.tar.gz
sodium_sha256=d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4

zmq=$root/build/libzmq-src
sodium=$root/build/libsodium-src
obj=$root/build/obj
emcc_minimum=3.1.6
raw_limit=460800
gzip_limit=184320

stage() { printf '== %s\n' "$*"; }
die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}
sha256() { sha256sum | cut -d' ' -f1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# ---------------------------------------------------------------- toolchain

# Prints the version of the emcc on PATH, or nothing.
emcc_version() {
  local text
  text=$(emcc --version 2>/dev/null) || return 0
  sed -n '1s/^emcc [^0-9]*) \([0-9][0-9.]*\).*/\1/p' <<<"$text"
}

# Is the emcc on PATH recent enough?
emcc_suits() {
  local version
  version=$(emcc_version)
  [[ -n $version ]] &&
    printf '%s\n' "$emcc_minimum" "$version" | sort -V -C
}

# Puts a suitable emcc on PATH, without installing anything.
find_emcc() {
  emcc_suits && return
  [[ -n ${EMSDK:-} && -x $EMSDK/upstream/emscripten/emcc ]] || return 1
  PATH=$EMSDK/upstream/emscripten:$PATH
  hash -r
  emcc_suits
}

need_emcc() {
  find_emcc || die "no emcc $emcc_minimum or later; run 'bash build.sh toolchain'"
}

# Runs a command as root.
as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

do_toolchain() {
  stage "toolchain"
  if ! find_emcc; then
    if ! command -v apt-get >/dev/null ||
      { [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; }; then
      die "emcc $emcc_minimum or later is needed: put it on PATH or set EMSDK"
    fi
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends emscripten
    hash -r
    find_emcc || die "the distribution's emscripten is older than $emcc_minimum: install a newer one and set EMSDK"
  fi
  local tool
  for tool in node npm patch tar sha256sum; do
    command -v "$tool" >/dev/null || die "$tool is needed and not on PATH"
  done
  echo "emcc $(emcc_version), node $(node --version)"
}

# ------------------------------------------------------------- node modules

do_modules() {
  stage "node modules"
  local mark=node_modules/.package-lock.json
  if [[ ! -f package-lock.json ]]; then
    npm install --no-audit --no-fund
  elif [[ ! -f $mark || package-lock.json -nt $mark ]]; then
    npm ci --no-audit --no-fund
    touch "$mark"
  fi
}

# ------------------------------------------------------------------ sources

# Writes an apt source list with the machine's own archives as source archives.
source_list() { # FOLDER
  local from=/etc/apt file
  for file in "$from"/sources.list.d/{debian,ubuntu}.sources; do
    [[ -f $file ]] || continue
    sed -E 's/^Types:.*/Types: deb-src/I' "$file" >"$1/$(basename "$file")"
  done
  for file in "$from"/sources.list "$from"/sources.list.d/{debian,ubuntu}.list; do
    [[ -f $file ]] || continue
    sed -nE 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" \
      >"$1/classic-$(basename "$file" .list).list"
  done
}

# Downloads the .orig tarballs into $scratch/download: PACKAGE...
apt_download() {
  local apt=$scratch/apt package
  if [[ ! -d $apt ]]; then
    mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial} "$scratch/download"
    chmod -R a+rwX "$scratch"
    source_list "$apt/parts"
  fi
  local options=(-q -o Dir::Etc::sourcelist=/dev/null
    -o "Dir::Etc::sourceparts=$apt/parts"
    -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt/cache")
  if [[ ! -f $apt/updated ]]; then
    apt-get "${options[@]}" update || true
    touch "$apt/updated"
  fi
  for package; do
    (cd "$scratch/download" &&
      apt-get "${options[@]}" source --download-only "$package") && return
  done
  return 1
}

has_checksum() { # FILE SHA256
  [[ $(sha256 <"$1") == "$2" ]]
}

# Makes sure that a tarball is in the cache and is the right one.
tarball() { # NAME SHA256 ORIGINAL-NAME PACKAGE...
  local name=$1 sum=$2 original=$3
  shift 3
  if [[ ! -f $cache/$name ]]; then
    command -v apt-get >/dev/null ||
      die "$name is not in $cache and there is no apt-get to fetch it: set LIBZMQ_SOURCE and LIBSODIUM_SOURCE"
    apt_download "$@" || true
    [[ -f $scratch/download/$original ]] ||
      die "could not fetch $original with apt-get: put it into $cache as $name"
    has_checksum "$scratch/download/$original" "$sum" ||
      die "the sha256 of the downloaded $original is not $sum"
    mkdir -p "$cache"
    cp "$scratch/download/$original" "$cache/$name.$$"
    mv "$cache/$name.$$" "$cache/$name"
  fi
  has_checksum "$cache/$name" "$sum" ||
    die "the sha256 of $cache/$name is not $sum"
}

do_sources() {
  stage "sources"
  [[ -n ${LIBZMQ_SOURCE:-} ]] ||
    tarball "$zmq_tarball" "$zmq_sha256" zeromq3_4.3.4.orig.tar.gz zeromq3=4.3.4-6 zeromq3
  [[ -n ${LIBSODIUM_SOURCE:-} ]] ||
    tarball "$sodium_tarball" "$sodium_sha256" libsodium_1.0.18.orig.tar.gz libsodium
  echo "libzmq    ${LIBZMQ_SOURCE:-$cache/$zmq_tarball}"
  echo "libsodium ${LIBSODIUM_SOURCE:-$cache/$sodium_tarball}"
}

# ------------------------------------------------------------------ patches

# Prints a hash of a tarball, or of the files in a folder, and of more files.
source_hash() { # SOURCE FILE...
  local source=$1
  shift
  {
    if [[ -d $source ]]; then
      (cd "$source" && find . -type f -not -path './.git/*' -print0 | sort -z | xargs -0 sha256sum)
    else
      sha256 <"$source"
    fi
    (($# == 0)) || (cd patches && sha256sum "${@##*/}")
  } | sha256
}

# Unpacks a tarball, or copies a folder, to a folder that is not there yet.
unpack() { # SOURCE FOLDER
  [[ -e $1 ]] || die "there is no $1"
  mkdir -p "$2"
  if [[ -d $1 ]]; then
    cp -a "$1/." "$2"
  else
    tar -xf "$1" -C "$2" --strip-components=1 --no-same-owner || die "cannot unpack $1"
  fi
}

zmq_version() { # FOLDER
  awk '$2 ~ /^ZMQ_VERSION_(MAJOR|MINOR|PATCH)$/ { printf "%s%s", dot, $3; dot = "." }' \
    "$1/include/zmq.h"
}

apply_patches() { # FOLDER PATCH...
  local folder=$1 version wanted patch
  shift
  version=$(zmq_version "$folder")
  for patch; do
    wanted=$(sed -n '/^---/q; s/^Applies-to:[[:space:]]*//p' "$patch")
    if [[ -n $wanted && $wanted != "$version" ]]; then
      echo "skipped ${patch##*/}: for libzmq $wanted, this is $version"
      continue
    fi
    patch -d "$folder" -p1 --fuzz=0 -s -f --dry-run <"$patch" >"$scratch/patch.log" 2>&1 ||
      die "$patch does not apply to libzmq $version"
    patch -d "$folder" -p1 --fuzz=0 -s -f --no-backup-if-mismatch <"$patch" ||
      die "$patch does not apply to libzmq $version"
  done
}

sodium_version_header() { # FOLDER
  local include=$1/src/libsodium/include/sodium
  [[ -f $include/version.h ]] && return
  local configure=$1/configure.ac
  sed -e "s/@VERSION@/$(sed -nE 's/^AC_INIT\(\[libsodium\],\[([^]]*)\].*/\1/p' "$configure")/" \
    -e "s/@SODIUM_LIBRARY_VERSION_MAJOR@/$(sed -n 's/^SODIUM_LIBRARY_VERSION_MAJOR=//p' "$configure")/" \
    -e "s/@SODIUM_LIBRARY_VERSION_MINOR@/$(sed -n 's/^SODIUM_LIBRARY_VERSION_MINOR=//p' "$configure")/" \
    -e 's/@SODIUM_LIBRARY_MINIMAL_DEF@//' "$include/version.h.in" >"$include/version.h"
}

do_patches() {
  stage "patches"
  shopt -s nullglob
  local patches=(patches/*.patch)
  shopt -u nullglob
  local source hash
  mkdir -p build

  source=${LIBZMQ_SOURCE:-$cache/$zmq_tarball}
  [[ -e $source ]] || die "there is no $source; run 'bash build.sh sources'"
  hash=$(source_hash "$source" "${patches[@]}")
  if [[ $(cat "$zmq.hash" 2>/dev/null) != "$hash" || ! -d $zmq ]]; then
    rm -rf "$zmq" "$zmq.hash" "$zmq.new"
    unpack "$source" "$zmq.new"
    apply_patches "$zmq.new" "${patches[@]}"
    mv "$zmq.new" "$zmq"
    echo "$hash" >"$zmq.hash"
  fi

  source=${LIBSODIUM_SOURCE:-$cache/$sodium_tarball}
  [[ -e $source ]] || die "there is no $source; run 'bash build.sh sources'"
  hash=$(source_hash "$source")
  if [[ $(cat "$sodium.hash" 2>/dev/null) != "$hash" || ! -d $sodium ]]; then
    rm -rf "$sodium" "$sodium.hash" "$sodium.new"
    unpack "$source" "$sodium.new"
    sodium_version_header "$sodium.new"
    mv "$sodium.new" "$sodium"
    echo "$hash" >"$sodium.hash"
  fi
  echo "libzmq $(zmq_version "$zmq"), ${#patches[@]} patches"
}

# ------------------------------------------------------------------ compile

# The sources of libzmq that are left out: what wasm/ replaces, and transports
# and mechanisms that have no meaning there.
zmq_left_out='devpoll|epoll|kqueue|poll|pollset|select|pgm_.*|norm_engine|gssapi_.*|tipc_.*|vmci.*|thread|signaler|precompiled|wss_.*'

# The sources that work on each message, for speed; the others are compiled to be small,
# because all that is there is waited for when a program starts.
zmq_per_message='clock|curve_mechanism_base|d(ealer|ish|ist)|decoder_allocators|dgram|fq|gather|client|lb|mailbox|mailbox_safe|m?trie|msg|object|pair|pipe|pub|pull|push|radio|radix_tree|raw_(decoder|encoder|engine)|rep|req|router|scatter|server|session_base|socket_base|stream|stream_engine_base|sub|tcp|udp_engine|v[123].*coder|ws_(decoder|encoder)|xpub|xsub|zmq|zmtp_engine'

# Of ours, what has nothing to do with messages.
wasm_small='bind_target|counters|datagram|names|outside|thread'

# The part of libsodium that CURVE needs.
sodium_sources() {
  (
    cd "$sodium/src/libsodium"
    ls crypto_box/{crypto_box,crypto_box_easy}.c \
      crypto_box/curve25519xsalsa20poly1305/*.c \
      crypto_secretbox/{crypto_secretbox,crypto_secretbox_easy}.c \
      crypto_secretbox/xsalsa20poly1305/*.c \
      crypto_stream/crypto_stream.c crypto_stream/xsalsa20/*.c \
      crypto_stream/salsa20/stream_salsa20.c crypto_stream/salsa20/ref/*.c \
      crypto_core/salsa/ref/core_salsa_ref.c \
      crypto_core/hsalsa20/core_hsalsa20.c crypto_core/hsalsa20/ref2/*.c \
      crypto_onetimeauth/crypto_onetimeauth.c \
      crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
      crypto_scalarmult/crypto_scalarmult.c \
      crypto_scalarmult/curve25519/scalarmult_curve25519.c \
      crypto_scalarmult/curve25519/ref10/x25519_ref10.c \
      crypto_core/ed25519/ref10/ed25519_ref10.c \
      crypto_verify/sodium/verify.c \
      crypto_hash/crypto_hash.c crypto_hash/sha512/hash_sha512.c \
      crypto_hash/sha512/cp/*.c \
      sodium/utils.c
  )
}

# wasm/posix.cpp defines these two in place of the C library's, which come with
# other functions that are needed and would be defined twice.
common_flags=(-Dabort=zw_abort -Dpthread_cond_wait=zw_pthread_cond_wait
  -O2 -DNDEBUG -fvisibility=hidden
  "-ffile-prefix-map=$zmq/="
  "-ffile-prefix-map=$sodium/="
  "-ffile-prefix-map=$root/=")
# compat/ goes before the C++ library: its sstream makes the module a quarter smaller.
zmq_includes=(-I "$root/wasm/compat" -I "$root/wasm" -I "$zmq/include" -I "$zmq/src"
  -I "$sodium/src/libsodium/include")
sodium_includes=(-I "$sodium/src/libsodium/include"
  -I "$sodium/src/libsodium/include/sodium")
c_flags=("${common_flags[@]}" -std=gnu11)
cxx_flags=("${common_flags[@]}" -std=gnu++11 -fno-rtti -Wno-inconsistent-missing-override
  -DZMQ_CUSTOM_PLATFORM_HPP -DZMQ_STATIC -DSODIUM_STATIC=)
# utils.c keeps its names out of the way of the allocator in wasm/sodium_glue.c, and
# Poly1305 is wasm/poly1305.c.
sodium_flags=("${c_flags[@]}" -DCONFIGURED=1 -DSODIUM_STATIC= -DNATIVE_LITTLE_ENDIAN=1
  -Dsodium_memzero=sodium_utils_memzero
  -Dsodium_malloc=sodium_utils_malloc
  -Dsodium_allocarray=sodium_utils_allocarray
  -Dsodium_free=sodium_utils_free
  -Dcrypto_onetimeauth_poly1305_donna_implementation=zw_poly1305)

# Prints one line for each object: OBJECT SOURCE KIND
objects() {
  local file name kind
  for file in "$zmq"/src/*.cpp; do
    name=$(basename "$file" .cpp)
    [[ $name =~ ^($zmq_left_out)$ ]] && continue
    [[ $name =~ ^($zmq_per_message)$ ]] && kind=zmq || kind=zmq-small
    echo "zmq-$name.o $file $kind"
  done
  echo "zmq-sha1.o $zmq/external/sha1/sha1.c wasm-c"
  for file in $(sodium_sources); do
    name=${file%.c}
    echo "sodium-${name//\//-}.o $sodium/src/libsodium/$file sodium"
  done
  for file in wasm/*.cpp; do
    name=$(basename "$file" .cpp)
    [[ $name =~ ^($wasm_small)$ ]] && kind=zmq-small || kind=zmq
    [[ -f $file ]] && echo "wasm-$name.o $root/$file $kind"
  done
  for file in wasm/*.c; do
    kind=wasm-c
    # The compiler must not make calls of memcpy out of memcpy.
    [[ $file == wasm/memory.c ]] && kind=wasm-memory
    [[ $file == wasm/@(box|poly1305).c ]] && kind=wasm-simd
    [[ -f $file && $file != wasm/constants.c ]] &&
      echo "wasm-$(basename "$file" .c)-c.o $root/$file $kind"
  done
  return 0
}

# Compiles one source unless its object is up to date.
compile_one() { # OBJECT SOURCE KIND
  local target=$obj/$1 source=$2 command key
  case $3 in
  zmq-small) command=(em++ "${cxx_flags[@]}" -Oz "${zmq_includes[@]}") ;;
  zmq) command=(em++ "${cxx_flags[@]}" "${zmq_includes[@]}") ;;
  wasm-c) command=(emcc "${c_flags[@]}" -DCONFIGURED=1 -DSODIUM_STATIC= "${zmq_includes[@]}") ;;
  wasm-simd) command=(emcc "${c_flags[@]}" -O3 -msimd128 "${zmq_includes[@]}"
    "${sodium_includes[@]}" -I "$sodium/src/libsodium" -DSODIUM_STATIC=) ;;
  wasm-memory) command=(emcc "${c_flags[@]}" -mbulk-memory -fno-builtin) ;;
  sodium) command=(emcc "${sodium_flags[@]}" "${sodium_includes[@]}") ;;
  esac
  key=$({
    echo "${command[@]}" "$inputs" "$source"
    cat "$source"
  } | sha256)
  [[ -f $target && $(cat "$target.key" 2>/dev/null) == "$key" ]] && return
  echo "${source#"$root"/}"
  rm -f "$target.key"
  "${command[@]}" -c "$source" -o "$target.new.o" && mv "$target.new.o" "$target" &&
    echo "$key" >"$target.key"
}

# The objects are compiled by xargs, which runs this file again with this argument.
if [[ ${1:-} == --compile-one ]]; then
  shift
  inputs=$ZEROMQ_WASM_INPUTS
  compile_one "$@" || exit 1
  exit 0
fi

do_compile() {
  stage "compile"
  need_emcc
  [[ -f $zmq.hash && -f $sodium.hash ]] || die "there are no sources in build/; run 'bash build.sh patches'"
  mkdir -p "$obj"
  local file
  ZEROMQ_WASM_INPUTS=$({
    emcc_version
    cat "$zmq.hash" "$sodium.hash"
    for file in wasm/compat/* wasm/*.h*; do [[ -f $file ]] && sha256sum "$file"; done
  } | sha256)
  export ZEROMQ_WASM_INPUTS PATH
  objects >"$scratch/objects"
  # Objects whose source has gone must not stay behind.
  for file in "$obj"/*.o; do
    [[ -f $file ]] || continue
    grep -q "^${file##*/} " "$scratch/objects" || rm -f "$file" "$file.key"
  done
  xargs -P "${JOBS:-2}" -L 1 bash "$root/build.sh" --compile-one <"$scratch/objects" ||
    die "a source did not compile"
  echo "$(wc -l <"$scratch/objects") objects"
}

# --------------------------------------------------------------------- link

# The names in wasm/exports.txt.
export_names() {
  sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' wasm/exports.txt
}

# emcc takes the imports of "host" for undefined symbols. One that really is
# undefined becomes an import of "env", and the check fails on it.
do_link() {
  stage "link"
  need_emcc
  [[ -f wasm/exports.txt ]] || die "there is no wasm/exports.txt"
  local exports objects flags=()
  exports=$(export_names | sed 's/^/_/' | paste -sd,)
  mapfile -t objects < <(objects | awk -v dir="$obj" '{ print dir "/" $1 }')
  [[ ${DEBUG:-} == 1 ]] && flags+=(--profiling-funcs)
  mkdir -p dist/licenses
  # The memory is imported, so that each context can have a limit of its own.
  em++ -O3 -mbulk-memory -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH -sIMPORTED_MEMORY \
    -sINITIAL_MEMORY=4MB -sMAXIMUM_MEMORY=2GB -sTOTAL_STACK=1MB -sREVERSE_DEPS=none \
    -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 \
    "-sEXPORTED_FUNCTIONS=$exports" ${flags[@]+"${flags[@]}"} \
    "${objects[@]}" -o "$scratch/zeromq.wasm" || die "the objects did not link"
  cp "$scratch/zeromq.wasm" dist/zeromq.wasm.new
  chmod 644 dist/zeromq.wasm.new
  mv dist/zeromq.wasm.new dist/zeromq.wasm
  cp "$zmq/COPYING" dist/licenses/libzmq-GPL-3.0.txt
  cp "$zmq/COPYING.LESSER" dist/licenses/libzmq-LGPL-3.0-exception.txt
  cp "$sodium/LICENSE" dist/licenses/libsodium-ISC.txt
}

# ------------------------------------------------------------------ vectors

# libsodium's objects and ours as they are in the module, behind test/crypto/vectors.c.
do_vectors() {
  stage "vectors"
  need_emcc
  local target=build/crypto.wasm source=test/crypto/vectors.c objects key
  mapfile -t objects < <(objects | awk -v dir="$obj" '/^(sodium-|wasm-(box|sodium_glue|poly1305))/ { print dir "/" $1 }')
  key=$(cat build.sh wasm/box.h "$source" "${objects[@]/%/.key}" | sha256)
  if [[ ! -f $target || $(cat "$target.key" 2>/dev/null) != "$key" ]]; then
    emcc "${sodium_flags[@]}" "${sodium_includes[@]}" -I "$sodium/src/libsodium" -I wasm \
      -c "$source" -o "$scratch/vectors.o" || die "$source did not compile"
    emcc -O2 -sSTANDALONE_WASM --no-entry -sREVERSE_DEPS=none -sINITIAL_MEMORY=32MB \
      -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 \
      "-sEXPORTED_FUNCTIONS=_malloc,$(grep -oP '^EXPORT int \K\w+' "$source" | sed 's/^/_/' | paste -sd,)" \
      "$scratch/vectors.o" "${objects[@]}" -o "$scratch/crypto.wasm" || die "$source did not link"
    cp "$scratch/crypto.wasm" "$target"
    echo "$key" >"$target.key"
  fi
  echo "$(wc -c <"$target") bytes"
}

# -------------------------------------------------------------------- check

# Imports: import_name("...") or HOST ("...") in wasm/imports.h, of the module "host", and there
# lines such as "// wasi: fd_write" for those that come with the C library.
do_check() {
  stage "check"
  export_names >"$scratch/exports"
  [[ -f dist/zeromq.wasm ]] || die "there is no dist/zeromq.wasm; run 'bash build.sh link'"
  node - dist/zeromq.wasm wasm/imports.h "$scratch/exports" <<'NODE'
const { readFileSync } = require("node:fs");
const [wasm, header, names] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(wasm));
const text = readFileSync(header, "utf8");
const all = (pattern) => [...text.matchAll(pattern)].map((match) => match[1]);

const wantedImports = new Set([
  // HOST ("name") is the header's own abbreviation of the attribute.
  ...all(/(?:import_name|HOST)\s*\(\s*"([^"]+)"\s*\)/g).map((name) => `host.${name}`),
  "env.memory",
  ...all(/^\s*\/\/\s*wasi:\s*(\w+)/gm).map((name) => `wasi_snapshot_preview1.${name}`),
]);
const wantedExports = new Set([
  ...readFileSync(names, "utf8").split("\n").filter(Boolean),
  "_initialize",
]);
// emcc adds these to every module.
const mayBeExported = new Set([
  "__indirect_function_table",
  "__errno_location",
  "stackSave",
  "stackRestore",
  "stackAlloc",
]);

let differ = false;
const complain = (what, list) => {
  if (list.length === 0) return;
  differ = true;
  console.error(`${what}: ${list.join(", ")}`);
};
const imports = new Set(
  WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`),
);
const exports = new Set(WebAssembly.Module.exports(module).map((entry) => entry.name));
complain(`imported, but not in ${header}`, [...imports].filter((name) => !wantedImports.has(name)));
complain(`in ${header}, but not imported`, [...wantedImports].filter((name) => !imports.has(name)));
complain(
  "exported, but not in wasm/exports.txt",
  [...exports].filter((name) => !wantedExports.has(name) && !mayBeExported.has(name)),
);
complain(
  "in wasm/exports.txt, but not exported",
  [...wantedExports].filter((name) => !exports.has(name)),
);
if (differ) process.exit(1);
console.log(`${imports.size} imports, ${exports.size} exports`);
NODE
}

# ---------------------------------------------------------------- constants

# The numbers of C that TypeScript needs, printed by a compiled program.
do_constants() {
  stage "constants"
  need_emcc
  local key
  key=$({
    emcc_version
    cat "$zmq.hash" wasm/constants.c wasm/imports.h build.sh
  } | sha256)
  if [[ ! -f build/constants.mjs || ! -f build/constants.d.ts ||
    $(cat build/constants.key 2>/dev/null) != "$key" ]]; then
    emcc -std=gnu11 -O0 -sWASM_ASYNC_COMPILATION=0 -DZMQ_CUSTOM_PLATFORM_HPP -DZMQ_BUILD_DRAFT_API "${zmq_includes[@]}" \
      wasm/constants.c -o "$scratch/constants.cjs" || die "wasm/constants.c did not compile"
    node "$scratch/constants.cjs" >"$scratch/constants.json"
    # One by one, so that esbuild writes the number where the name is used; those that are
    # searched by name or number in groups.
    node - "$scratch/constants.json" build <<'NODE'
const { readFileSync, writeFileSync } = require("node:fs");
const [json, folder] = process.argv.slice(2);
const heading = "// Generated from wasm/constants.c by build.sh.\n";
const groups = { errnos: /^E/, protocolErrors: /^ZMQ_PROTOCOL_ERROR_/ };
const entries = Object.entries(JSON.parse(readFileSync(json, "utf8")));
const names = Object.keys(groups);
const groupOf = (name) => names.find((group) => groups[group].test(name));
let code = heading, types = heading;
for (const [name, number] of entries.filter(([name]) => !groupOf(name))) {
  code += `export const ${name} = ${number};\n`;
  types += `export const ${name}: number;\n`;
}
for (const group of names) {
  const members = entries.filter(([name]) => groupOf(name) === group);
  code += `export const ${group} = ${JSON.stringify(Object.fromEntries(members), null, 2)};\n`;
  types += `export const ${group}: Readonly<Record<string, number>>;\n`;
}
writeFileSync(`${folder}/constants.d.ts`, types);
writeFileSync(`${folder}/constants.mjs`, code);
NODE
    echo "$key" >build/constants.key
  fi
  echo "$(grep -cE '^export const \w+ = -?[0-9]|": ' build/constants.mjs) constants"
}

# ------------------------------------------------------------------- bundle

do_bundle() {
  stage "bundle"
  [[ -f dist/zeromq.wasm ]] || die "there is no dist/zeromq.wasm; run 'bash build.sh link'"
  mkdir -p build
  {
    printf 'export const wasm = "'
    base64 -w 0 dist/zeromq.wasm
    printf '";\n'
  } >build/bytes.mjs
  # Without comments and spaces, an engine reads a third less before the first socket; names
  # stay, and lines short, because both are seen when something goes wrong.
  local esbuild=(node_modules/.bin/esbuild ts/mod.ts --bundle --format=esm --target=es2022
    --minify-whitespace --minify-syntax --line-limit=100 --log-level=warning --external:node:*
    --alias:zeromq-wasm:constants=./build/constants.mjs)
  local node=(--platform=node --alias:zeromq-wasm:host=./ts/host/detect_node.ts)
  local embedded=(--alias:zeromq-wasm:bytes=./build/bytes.mjs)
  # Node reads the module from its file; what bundlers and Bun use has it inside, as Deno's. And
  # it reads the program as a script, of which V8's code can be kept (ts/host/node_core.ts): a
  # function, as the script's value and as what the CommonJS module of the same text exports.
  rm -rf dist/cache
  "${esbuild[@]/ts\/mod.ts/ts/core.ts}" "${node[@]}" \
    --alias:zeromq-wasm:bytes=./ts/host/node_file.ts --format=iife --minify-whitespace=false \
    --sourcemap=inline --outfile=dist/core.cjs
  # Short names of variables save Node a twentieth of that time, and Deno nothing. Those of
  # functions and classes are seen too; of the classes, esbuild has made variables.
  # With a character that Latin-1 has not, V8 keeps the text as UTF-16, which it need not copy
  # piece by piece to read it: another twentieth on Node, and nothing with the module inside.
  local classes start
  classes=$(grep -oP '\w+(?= = class\b)' dist/core.cjs | paste -sd,)
  start='(this===globalThis?{}:this).start=(function(readModule){var program={};// ↔'
  node_modules/.bin/terser dist/core.cjs --mangle "reserved=[program,$classes],toplevel" \
    --keep-classnames --keep-fnames --format "max_line_len=100,preamble='$start'" \
    --source-map content=inline,includeSources,url=core.cjs.map -o dist/core.cjs
  sed -i 's|^//# sourceMappingURL|return program.names})\n&|' dist/core.cjs
  local hash
  hash=$(sha256sum dist/core.cjs | cut -c1-16)
  node_modules/.bin/esbuild ts/node.ts --bundle --format=esm --target=es2022 --platform=node \
    --minify-whitespace --minify-syntax --line-limit=100 --log-level=warning \
    "--define:CORE_HASH=\"$hash\"" --sourcemap --outfile=dist/node.mjs
  "${esbuild[@]}" "${node[@]}" "${embedded[@]}" --outfile=dist/embedded.mjs
  # For who cannot `require` an ES module: older Nodes, Jest.
  "${esbuild[@]}" "${node[@]}" "${embedded[@]}" --format=cjs --outfile=dist/node.cjs
  "${esbuild[@]}" --platform=neutral "${embedded[@]}" --sourcemap --outfile=dist/deno.mjs \
    --alias:zeromq-wasm:host=./ts/host/detect_deno.ts \
    '--banner:js=// @ts-self-types="./types/deno/mod.d.ts"'
  # The other entries use the first as their users do: one module, one set of classes.
  local entry runtime format banner
  for entry in auth:ts/feature/auth/mod.ts draft:ts/draft.ts \
    v5-compat:ts/compat/mod.ts; do
    for runtime in node.mjs node.cjs embedded.mjs deno.mjs; do
      [[ $runtime == *.cjs ]] && format=cjs || format=esm
      banner=
      if [[ $runtime == deno.mjs ]]; then
        banner="// @ts-self-types=\"../types/deno/${entry#*:ts/}\""
        banner=${banner/%.ts\"/.d.ts\"}
      fi
      node_modules/.bin/esbuild "${entry#*:}" --bundle "--format=$format" \
        --target=es2022 --sourcemap --log-level=warning --platform=neutral \
        "--outfile=dist/${entry%%:*}/$runtime" "--external:node:*" \
        "--alias:zeromq-wasm=../$runtime" "--external:../$runtime" "--banner:js=$banner"
    done
  done
  rm -rf dist/types dist/types.*
  node_modules/.bin/tsc -p ts/tsconfig.json --noEmit false --declaration \
    --emitDeclarationOnly --rootDir ts --outDir dist/types
  # For compilers of any age and every way to resolve modules: no .ts, no own name but in examples.
  local file up
  while read -r file; do
    up=$(dirname "${file#dist/types/}" | sed -E 's#[^/.]+#..#g')
    sed -i -E -e 's#(from|import\() ?"(\.[^"]*)\.ts"#\1 "\2.js"#' \
      -e "/^ *\*/!s#from \"zeromq-wasm\"#from \"$up/mod.js\"#" "$file"
  done < <(find dist/types -name '*.d.ts')
  # The same for Deno, which takes an import as it is written: a program that imports the file
  # by its path or URL has types, too.
  cp -r dist/types dist/types.deno
  while read -r file; do
    sed -i -E 's#(from|import\() ?"(\.[^"]*)\.js"#\1 "\2.d.ts"#' "$file"
  done < <(find dist/types.deno -name '*.d.ts')
  # And for programs that `require`.
  cp -r dist/types dist/types.new
  mv dist/types.new dist/types/require
  mv dist/types.deno dist/types/deno
  echo '{ "type": "commonjs" }' >dist/types/require/package.json
}

# --------------------------------------------------------------------- size

do_size() {
  stage "size"
  [[ -f dist/zeromq.wasm ]] || die "there is no dist/zeromq.wasm; run 'bash build.sh link'"
  local raw packed
  raw=$(wc -c <dist/zeromq.wasm)
  packed=$(gzip -9nc dist/zeromq.wasm | wc -c)
  echo "dist/zeromq.wasm: $raw bytes, $packed gzipped"
  if ((raw > raw_limit)); then die "dist/zeromq.wasm is over $raw_limit bytes"; fi
  if ((packed > gzip_limit)); then die "dist/zeromq.wasm is over $gzip_limit bytes gzipped"; fi
}

# test/libzmq/build.sh reads this file for its functions and flags.
[[ ${BASH_SOURCE[0]} == "$0" ]] || return 0

stages=(toolchain modules sources patches compile link vectors check constants bundle size)
(($#)) || set -- "${stages[@]}"
for name; do
  [[ " ${stages[*]} " == *" $name "* ]] || die "no stage '$name'; there are: ${stages[*]}"
done
for name; do "do_$name"; done
