# cmake -DLIST=glibc.txt -DLIBRARY=libc.so.6 -DCLANG=clang -DOUTPUT=file
#       -P TxcStubLibrary.cmake
# Builds a shared object that has nothing but the versioned symbols LIST gives
# for LIBRARY.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${LIST} lines REGEX "^${LIBRARY} ")
set(assembly ".text\n")
set(versions "")
foreach(line IN LISTS lines)
  string(REPLACE " " ";" words "${line}")
  list(POP_FRONT words library version)
  if(NOT version IN_LIST versions)
    list(APPEND versions ${version})
  endif()
  foreach(symbol IN LISTS words)
    string(APPEND assembly
           ".globl ${symbol}\n.type ${symbol}, @function\n${symbol}:\n")
    list(APPEND symbols_${version} ${symbol})
  endforeach()
endforeach()
if(NOT versions)
  message(FATAL_ERROR "${LIST} has no symbol of ${LIBRARY}")
endif()
string(APPEND assembly ".byte 0\n")
set(script "")
foreach(version IN LISTS versions)
  list(JOIN symbols_${version} ";\n  " symbols)
  string(APPEND script "${version} {\n  ${symbols};\n};\n")
endforeach()

file(WRITE ${OUTPUT}.s "${assembly}")
file(WRITE ${OUTPUT}.map "${script}")
execute_process(
  COMMAND ${CLANG} --target=x86_64-linux-gnu -shared -nostdlib -fuse-ld=lld
          -Wl,-soname,${LIBRARY} -Wl,--version-script,${OUTPUT}.map
          -Wl,--build-id=none -Wl,--strip-all -Wl,--hash-style=gnu
          ${OUTPUT}.s -o ${OUTPUT}
  COMMAND_ERROR_IS_FATAL ANY)
