#!/usr/bin/env bash
# Builds build/sanitize/zeromq.wasm: the module of dist/ with AddressSanitizer and
# UndefinedBehaviorSanitizer, which end it at the first wrong access.
set -euo pipefail
# shellcheck source=../../build.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build.sh"

obj=$root/build/sanitize/obj
# Without run-time types there is no vptr to check. 
sanitize=(-O1 -fno-omit-frame-pointer -fsanitize=address,undefined
  -fno-sanitize=vptr,function -fno-sanitize-recover=undefined)
# The stack cannot be wiped: that writes over the marks between its variables.
c_flags+=("${sanitize[@]}" -Dzw_wipe_stack=zw_unused -Dzw_wipe_stack_if_used=zw_unused_either)
cxx_flags+=("${sanitize[@]}" -Dmallinfo=zw_mallinfo)
# libsodium reads words at any address, which wasm and x86 allow.
sodium_flags+=("${sanitize[@]}" -fno-sanitize=alignment)

# As in build.sh, but for the functions that the sanitizer has to bring itself.
all_objects() {
  objects | grep -v ' wasm-memory$'
  echo "memory.o $root/test/sanitize/memory.c wasm-c"
}

if [[ ${1:-} == --one ]]; then
  shift
  inputs=$ZEROMQ_WASM_INPUTS
  compile_one "$@"
  exit
fi

need_emcc
mkdir -p "$obj"
ZEROMQ_WASM_INPUTS=$({
  emcc_version
  cat "$zmq.hash" "$sodium.hash" wasm/compat/* wasm/*.h*
} | sha256)
export ZEROMQ_WASM_INPUTS PATH
all_objects >"$scratch/objects"
xargs -P "${JOBS:-2}" -L 1 bash "$root/test/sanitize/build.sh" --one <"$scratch/objects" ||
  die "a source did not compile"
mapfile -t files < <(awk -v dir="$obj" '{ print dir "/" $1 }' "$scratch/objects")
exports=$({
  export_names
  printf "%s\n" __asan_region_is_poisoned zw_fault
} | sed 's/^/_/' | paste -sd,)
em++ -O1 -mbulk-memory --profiling-funcs "${sanitize[@]}" -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH \
  -sIMPORTED_MEMORY -sINITIAL_MEMORY=64MB -sMAXIMUM_MEMORY=896MB -sTOTAL_STACK=4MB \
  -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 \
  "-sEXPORTED_FUNCTIONS=$exports" "${files[@]}" -o "$root/build/sanitize/zeromq.wasm"
ls -l "$root/build/sanitize/zeromq.wasm"
