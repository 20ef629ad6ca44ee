// SPDX-License-Identifier: MIT
// multiprocessing/platform/anchor.hpp — a block that every module of the process finds.
// Layer 1 (platform). Mirrors `process._current_process`, which CPython has once.
#pragma once

// process_anchor(bytes, layout_hash, construct)
//     The same block for every module of this process: the executable, its libraries, plugins with
//     hidden visibility, DLLs. An `inline` variable would exist once in each of them.
//     The first caller gets zeroed memory, aligned to 64, and runs `construct` on it, once in the
//     process; the others wait for it. If it throws, the next caller tries again. Works before main
//     and never is destroyed. A forked child has its own copy, as it was at the fork; one that was
//     then still under construction is constructed anew.
//     `construct` must not ask for the anchor. A later call costs a few loads.
//     POSIX: a private mapping, found by its name in /proc/self/maps; without /proc there is one
//            per module.
//     Windows: a record in a section of the executable's or library's image; the first module of
//            the loader's list that has one.
//     RuntimeError if the process already has an anchor of another layout; it names both versions.
// named_anchor(name, bytes, layout_hash, construct)
//     The same for a block of another name, of at most 200 letters, digits and dashes. Looks it up
//     at every call.

#include <multiprocessing/platform/detect.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include MULTIPROCESSING_PLATFORM_HEADER(anchor)

namespace multiprocessing::platform {

static_assert(
    std::is_same_v<decltype(&process_anchor),
                   void* (*)(std::size_t, std::uint64_t, void (*)(void*))> &&
        std::is_same_v<decltype(&named_anchor),
                       void* (*)(char const*, std::size_t, std::uint64_t, void (*)(void*))>,
    "platform/<os>/anchor.hpp must define process_anchor and named_anchor");

}  // namespace multiprocessing::platform
