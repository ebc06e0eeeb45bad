# What is compiled when txc is built and goes into models.

find_program(LLVM_LINK llvm-link HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED
             NO_DEFAULT_PATH)

# txc_add_bitcode(LINKED.bc SOURCES file... FLAGS flag...): C files of this folder
# as one module for x86-64 that tells nothing of where it was built.
function(txc_add_bitcode linked)
  cmake_parse_arguments(arg "" "" "SOURCES;FLAGS" ${ARGN})
  get_filename_component(name ${linked} NAME_WLE)
  set(parts)
  foreach(source ${arg_SOURCES})
    set(part ${CMAKE_CURRENT_BINARY_DIR}/${name}-${source}.bc)
    add_custom_command(
      OUTPUT ${part}
      COMMAND
        ${CMAKE_C_COMPILER} --target=x86_64-unknown-linux-gnu -std=c11 -O2 -fPIC
        -fvisibility=hidden -fno-stack-protector -fno-ident
        -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -DNDEBUG ${arg_FLAGS}
        -I${PROJECT_SOURCE_DIR} -Wall -Wextra -Werror -emit-llvm -MD -MF
        ${part}.d -MT ${part} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o
        ${part}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPFILE ${part}.d
      COMMENT "Compiling ${source} for ${name}"
      VERBATIM)
    list(APPEND parts ${part})
  endforeach()
  add_custom_command(
    OUTPUT ${linked}
    COMMAND ${LLVM_LINK} -o ${linked} ${parts}
    DEPENDS ${parts}
    VERBATIM)
endfunction()

# txc_embed(FILE): FILE.inc, its bytes as the elements of a C array.
function(txc_embed file)
  set(script ${PROJECT_SOURCE_DIR}/cmake/TxcEmbed.cmake)
  add_custom_command(
    OUTPUT ${file}.inc
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${file}.inc -P ${script}
    DEPENDS ${file} ${script}
    VERBATIM)
endfunction()
