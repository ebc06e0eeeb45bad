include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
add_definitions(${LLVM_DEFINITIONS})

# One precompiled header for every file that sees MLIR: parsing MLIR's headers
# is most of a build otherwise.
add_library(TxcPch OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(TxcPch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
# ccache needs both to reuse objects that were built with a precompiled header.
set(TXC_PCH_OPTIONS -Xclang -fno-pch-timestamp)
target_compile_options(TxcPch PRIVATE ${TXC_PCH_OPTIONS})

# txc_add_library(NAME sources... [LINK libs...] [DEPENDS targets...] [NO_PCH])
# A static library of the compiler. Includes are relative to the project root.
function(txc_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM TxcPch)
    target_compile_options(${name} PRIVATE ${TXC_PCH_OPTIONS})
  endif()
endfunction()

# txc_tablegen(TARGET td_file [option output]...)
# Generates C++ from a TableGen file next to the binary dir's mirror of it.
function(txc_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(args ${ARGN})
  while(args)
    list(POP_FRONT args option)
    list(POP_FRONT args output)
    string(REPLACE " " ";" option "${option}")
    mlir_tablegen(${output} ${option} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR})
  endwhile()
  add_public_tablegen_target(${target})
endfunction()

# txc_add_unittest(NAME sources... LINK libs...)
# A GoogleTest program, which ctest knows by its name.
function(txc_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${name} PRIVATE
    ${ARG_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
