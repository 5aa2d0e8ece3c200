// The packed vocabularies as read-only data. CMake assembles this beside the blobs that ranks/pack.mjs writes.
#include <cet.h>

.macro embed name
    .globl weir_\name
    .hidden weir_\name
    .globl weir_\name\()_end
    .hidden weir_\name\()_end
    .balign 4
weir_\name:
    .incbin "\name\().bin"
weir_\name\()_end:
.endm

.section .rodata, "a", @progbits
embed cl100k_base
embed o200k_base

.section .note.GNU-stack, "", @progbits
