// SPDX-License-Identifier: MIT
// tests/platform/anchor_plugin.cpp — a second module, with its own inline variables.
#include <multiprocessing/platform/anchor.hpp>

#include "support/host.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace {

std::atomic<int> constructions{0};

}  // namespace

extern "C" {

TEST_EXPORT void* plugin_anchor(char const* name, std::size_t bytes, std::uint64_t layout_hash) {
    return multiprocessing::platform::named_anchor(name, bytes, layout_hash,
                                                   [](void*) { ++constructions; });
}

TEST_EXPORT int plugin_constructions() { return constructions; }

}  // extern "C"
