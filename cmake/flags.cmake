# One compiler, one set of flags. Hardening follows the OpenSSF guide (2026-06-30), as far as clang 19 knows it.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# One code model for libraries and programs alike, so that all can share one precompiled header.
add_compile_options(-fPIE)
add_link_options(-pie)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# Dev: optimised enough for honest races, quick to compile, line numbers for sanitizers.
set(CMAKE_CXX_FLAGS_DEV "-O1 -gline-tables-only")
set(CMAKE_C_FLAGS_DEV "-O1 -gline-tables-only")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -gline-tables-only")
set(CMAKE_C_FLAGS_RELEASE "-O2 -gline-tables-only")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Precompiled headers under ccache need these two sloppiness flags (ccache manual, "Precompiled headers").
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

add_compile_options(
  -march=x86-64-v2 -Wall -Wextra -Werror -Wformat=2 -Wconversion -Wimplicit-fallthrough -Wshadow
  -Wnon-virtual-dtor -Wno-unused-parameter -Wno-sign-conversion -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers
  -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -fstrict-flex-arrays=3
  -fcolor-diagnostics -Xclang -fno-pch-timestamp)
add_link_options(-fuse-ld=lld -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)

if(WEIR_SANITIZE)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # vptr looks at memory through a pipe and calls sound objects broken where no descriptor is left, and it
  # wants type information that Debian's SOCI keeps to itself.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
else()
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(WEIR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Buffers on the path of a call opt out of the initialisation one by one (WEIR_UNINITIALIZED).
  add_compile_options(-flto=thin -ftrivial-auto-var-init=zero)
  add_link_options(-flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto -Wl,-z,nodlopen)
endif()
