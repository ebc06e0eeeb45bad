# cmake -DINPUT=file -DOUTPUT=file -P EmbedBytes.cmake
# Writes a file's bytes as the initializer list of a C array.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "${bytes}\n")
