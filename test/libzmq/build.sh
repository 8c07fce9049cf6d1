#!/usr/bin/env bash
# Compiles libzmq's own test programs, unchanged, to build/libzmq-tests/tests.wasm.
#
#   bash test/libzmq/build.sh NAME...     such as test_pair_tcp, unittest_ypipe
#
# The objects of libzmq and of wasm/ are those that dist/zeromq.wasm was linked
# from. Asyncify lets the programs wait: see harness/waits.cpp. It takes as long
# for one program as for all, so all are linked into one module, and each keeps
# its names to itself. Which programs are in it: build/libzmq-tests/programs.
set -euo pipefail
# shellcheck source=../../build.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build.sh"

harness=$root/test/libzmq/harness
out=$root/build/libzmq-tests
sanitize=()
if [[ ${SANITIZE:-} == 1 ]]; then
  # The objects of test/sanitize/build.sh; the programs themselves are not checked.
  obj=$root/build/sanitize/obj
  out=$root/build/libzmq-tests-sanitize
  sanitize=(-fsanitize=address,undefined)
  sanitize_memory=(-sINITIAL_MEMORY=64MB -sMAXIMUM_MEMORY=896MB -sTOTAL_STACK=4MB)
fi

# What blocks, and what a blocking test program needs beside the product's calls.
wrapped=(socket close bind listen accept connect recv recvfrom send read write poll fcntl
  getpeername setsockopt getaddrinfo mkdtemp usleep sleep nanosleep alarm
  zw_pthread_cond_wait pthread_cond_timedwait pthread_cond_broadcast
  _ZNK3zmq10signaler_t4waitEi _ZN3zmq13host_poller_tD1Ev
  _ZN3zmq8thread_t5startEPFvPvES1_PKc _ZN3zmq8thread_t4stopEv)
exported=(zw_test_check zw_test_call zw_test_errno zw_test_program)

unity_flags=(-I "$harness" -I "$zmq/external/unity" -DUNITY_EXCLUDE_FLOAT)
test_flags=("${cxx_flags[@]}" "${unity_flags[@]}" -I "$root/wasm" -I "$zmq/include"
  -I "$zmq/src" -I "$sodium/src/libsodium/include" -UNDEBUG -O1)
program_flags=("${test_flags[@]}" -w -Dzmq_bind=zw_test_bind)

# Runs a command that makes FILE, unless FILE was made by it from the same FILES.
make_file() { # FILE FILES -- COMMAND...
  local file=$1 from=() key
  shift
  while [[ $1 != -- ]]; do from+=("$1") && shift; done
  shift
  key=$({ declare -f "$1" || true; echo "$*" "$ZW_EMCC"; cat "${from[@]}"; } | sha256)
  [[ -f $file && $(cat "$file.key" 2>/dev/null) == "$key" ]] && return
  rm -f "$file.key"
  "$@" || return 1
  echo "$key" >"$file.key"
}

# All that a program defines becomes its own, but for the three functions that
# are called from outside, which get its name.
compile_program() { # NAME SOURCE
  local ir=$out/$1.ll
  # The programs are not ours, so their warnings are not either.
  em++ "${program_flags[@]}" -include "$harness/prelude.hpp" -S -emit-llvm "$2" -o "$ir" &&
    sed -E -i -e "s/@(zw_main|setUp|tearDown)\b/@\1_$1/g" \
      -e "/@(setUp|tearDown)_$1\(/!s/^define hidden /define internal /" \
      -e 's/^(@[^ ]+ = )hidden ((local_)?unnamed_addr )?(global|constant) /\1internal \2\4 /' "$ir" &&
    em++ -O1 -w -c -x ir "$ir" -o "$out/$1.o" && rm "$ir"
}

program() { # NAME
  local source=$zmq/tests/$1.cpp
  [[ $1 == unittest_* ]] && source=$zmq/unittests/$1.cpp
  make_file "$out/$1.o" "$source" "$harness"/*.h* "$root/test/libzmq/build.sh" -- compile_program "$1" "$source"
}

# What UnityDefaultTestRun has to call for each program.
table() { # NAME...
  local name
  echo 'extern "C" {'
  for name; do
    echo "__attribute__ ((weak)) void setUp_$name (); __attribute__ ((weak)) void tearDown_$name ();"
  done
  echo 'void (*zw_test_programs[]) () = {'
  for name; do echo "setUp_$name, tearDown_$name,"; done
  echo '}; }'
}

link_programs() { # NAME...
  local exports
  exports=$({
    export_names
    ((${#sanitize[@]} == 0)) || echo __asan_region_is_poisoned
    printf '%s\n' "${exported[@]}" "${@/#/zw_main_}"
  } | sed 's/^/_/' | paste -sd,)
  table "$@" >"$out/table.cpp"
  local memory=(-sINITIAL_MEMORY=4MB -sMAXIMUM_MEMORY=2GB -sTOTAL_STACK=1MB -sREVERSE_DEPS=none)
  ((${#sanitize[@]})) && memory=("${sanitize_memory[@]}")
  em++ -O1 -c "$out/table.cpp" -o "$out/table.o" &&
    em++ -O1 -mbulk-memory -sASSERTIONS=0 -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH \
      -sIMPORTED_MEMORY "${memory[@]}" ${sanitize[@]+"${sanitize[@]}"} --profiling-funcs \
      -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 \
      "-sEXPORTED_FUNCTIONS=$exports" "${wrapped[@]/#/-Wl,--wrap=}" \
      "${objects[@]}" "$out/table.o" -o "$out/plain.wasm" &&
    "$wasm_opt" --enable-simd --enable-bulk-memory --enable-sign-ext --asyncify --pass-arg=asyncify-imports@test.wait -O1 -g \
      "$out/plain.wasm" -o "$out/tests.wasm" || return 1
  rm "$out/plain.wasm"
  printf '%s\n' "$@" >"$out/programs"
}

find_emcc || die "no emcc $emcc_minimum or later: run 'bash build.sh'"
# Asked once, as it takes half a second.
export ZW_EMCC=${ZW_EMCC:-$(emcc_version)}

# Binaryen's is not on PATH in an emsdk, but next to emcc.
wasm_opt=$(command -v wasm-opt) || wasm_opt=$(dirname "$(command -v emcc)")/../bin/wasm-opt

# The programs are compiled by xargs, which runs this file again with this argument.
if [[ ${1:-} == --one ]]; then
  program "$2" || { echo "$2 does not compile" >&2; exit 1; }
  exit 0
fi

mkdir -p "$out/lib"
for name in testutil testutil_unity testutil_monitoring testutil_security; do
  make_file "$out/lib/$name.o" "$zmq/tests/$name".[ch]pp "$harness"/*.h* -- \
    em++ "${program_flags[@]}" -c "$zmq/tests/$name.cpp" -o "$out/lib/$name.o"
done
# waits.cpp runs the cases in place of Unity.
make_file "$out/lib/unity.o" "$zmq"/external/unity/*.[ch] "$harness"/*.h* -- \
  emcc "${c_flags[@]}" "${unity_flags[@]}" -w -DUnityDefaultTestRun=unity_default_test_run \
  -c "$zmq/external/unity/unity.c" -o "$out/lib/unity.o"
make_file "$out/lib/waits.o" "$harness"/* wasm/*.h* -- \
  em++ "${test_flags[@]}" -c "$harness/waits.cpp" -o "$out/lib/waits.o"

printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -L 1 bash "$root/test/libzmq/build.sh" --one || true
programs=() objects=()
for name; do
  [[ -f $out/$name.o.key ]] && programs+=("$name") && objects+=("$out/$name.o")
done
# The programs print with more formats than libzmq, so they get the C library's printf.
for object in "$out"/lib/*.o "$obj"/*.o; do
  [[ $object == "$obj/wasm-format-c.o" ]] || objects+=("$object")
done
make_file "$out/tests.wasm" "${objects[@]/%/.key}" -- link_programs "${programs[@]}"
