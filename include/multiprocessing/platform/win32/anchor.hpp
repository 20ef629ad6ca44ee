// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/anchor.hpp — a record in a section of its own in every module.
// Layer 1 (platform). Implements platform/anchor.hpp.
#pragma once

// What modules share without linkage is the loader's list of them. Each that uses this library has
// the section .mpanchr with an AnchorRoot; the first of the list, which keeps the order of loading,
// has the one that counts. No named object of the kernel is needed, which any program of the
// session could have made before.

#include <multiprocessing/config.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/modules.hpp>
#include <multiprocessing/version.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32 {

namespace detail {

// The front of a block. Other versions of the library read it too: it does not change.
struct AnchorHead {
    AnchorHead* next;  // made before
    std::uint64_t layout_hash;
    std::uint64_t bytes;
    char version[32];
    std::atomic<std::uint32_t> phase;  // of AnchorPhase
    char name[260];
};
static_assert(sizeof(AnchorHead) == 320 && offsetof(AnchorHead, phase) == 56);

enum AnchorPhase : std::uint32_t { anchor_fresh, anchor_under_construction, anchor_ready };

// The same is true of it.
struct AnchorRoot {
    std::uint64_t magic;
    std::atomic<AnchorHead*> last;
};
static_assert(sizeof(AnchorRoot) == 16);

inline constexpr std::uint64_t anchor_magic = 0x726f68636e612d6d;  // "m-anchor"

[[gnu::section(".mpanchr")]] inline constinit AnchorRoot own_anchor_root{anchor_magic, nullptr};

inline AnchorRoot* anchor_root_of(module_t module) noexcept {
    PeHeaders const headers = PeHeaders::of_loaded(module);
    PeSection const section = headers.section(".mpanchr");
    if (section.memory_bytes < sizeof(AnchorRoot)) return nullptr;
    auto* const root =
        reinterpret_cast<AnchorRoot*>(reinterpret_cast<std::uintptr_t>(module) + section.address);
    return root->magic == anchor_magic ? root : nullptr;
}

inline AnchorRoot& process_anchor_root() {
    // Per module.
    static constinit std::atomic<AnchorRoot*> cache{nullptr};
    if (AnchorRoot* const known = cache.load(std::memory_order_acquire)) return *known;
    AnchorRoot* found = &own_anchor_root;  // the loader does not list a module that came without it
    for (module_t const module : loaded_modules()) {
        // One that goes just now is passed over: nobody has used its record, which would keep it.
        ModuleInUse const in_use(module);
        AnchorRoot* const root = in_use ? anchor_root_of(module) : nullptr;
        if (root != nullptr) {
            in_use.keep_for_ever();  // it may be a plugin
            found = root;
            break;
        }
    }
    cache.store(found, std::memory_order_release);
    return *found;
}

inline AnchorHead* find_anchor(AnchorHead* from, AnchorHead* end, std::string_view name) noexcept {
    for (; from != end; from = from->next)
        if (from->name == name) return from;
    return nullptr;
}

// Finds the anchor or makes it, while no other module of the process does.
inline AnchorHead& find_or_make_anchor(char const* name, std::size_t bytes,
                                       std::uint64_t layout_hash) {
    AnchorRoot& root = process_anchor_root();
    AnchorHead* seen = root.last.load(std::memory_order_acquire);
    if (AnchorHead* const head = find_anchor(seen, nullptr, name)) return *head;
    void* const memory = take_pages(sizeof(AnchorHead) + bytes);
    if (memory == nullptr) throw_last_error("VirtualAlloc", name);
    auto* const head = ::new (memory) AnchorHead{};
    head->layout_hash = layout_hash;
    head->bytes = bytes;
    std::memcpy(head->version, MULTIPROCESSING_VERSION_STRING,
                sizeof MULTIPROCESSING_VERSION_STRING);
    std::string_view(name).copy(head->name, sizeof head->name - 1);
    for (;;) {
        AnchorHead* const looked_at = head->next = seen;
        // Release: who finds the block in the list reads what stands in its head.
        if (root.last.compare_exchange_strong(seen, head, std::memory_order_acq_rel)) return *head;
        if (AnchorHead* const other = find_anchor(seen, looked_at, name)) {
            give_back_pages(memory);
            return *other;
        }
    }
}

// Runs `construct`, or waits for the thread that does.
inline void construct_anchor(AnchorHead& head, void (*construct)(void*)) {
    void* const body = &head + 1;
    for (unsigned long nap = 0;; nap = 1) {
        // Acquire: who finds it ready sees all that `construct` wrote.
        std::uint32_t phase = head.phase.load(std::memory_order_acquire);
        if (phase == anchor_ready) return;
        if (phase == anchor_under_construction ||
            !head.phase.compare_exchange_strong(phase, anchor_under_construction,
                                                std::memory_order_acquire)) {
            ::Sleep(nap);  // park needs an anchor itself
            continue;
        }
        std::memset(body, 0, head.bytes);
        try {
            construct(body);
        } catch (...) {
            head.phase.store(anchor_fresh, std::memory_order_release);
            throw;
        }
        // Release: publishes the block.
        head.phase.store(anchor_ready, std::memory_order_release);
        return;
    }
}

inline void* enter_anchor(AnchorHead& head, std::size_t bytes, std::uint64_t layout_hash,
                          void (*construct)(void*)) {
    if (head.layout_hash != layout_hash || head.bytes != bytes) {
        throw RuntimeError(fmt::format(
            "this process already uses multiprocessing {} with the layout {:x}, and cannot use {} "
            "with the layout {:x} beside it: build the program and its plugins alike",
            head.version, head.layout_hash, MULTIPROCESSING_VERSION_STRING, layout_hash));
    }
    construct_anchor(head, construct);
    return &head + 1;
}

}  // namespace detail

inline void* named_anchor(char const* name, std::size_t bytes, std::uint64_t layout_hash,
                          void (*construct)(void*)) {
    detail::AnchorHead& head = detail::find_or_make_anchor(name, bytes, layout_hash);
    return detail::enter_anchor(head, bytes, layout_hash, construct);
}

inline void* process_anchor(std::size_t bytes, std::uint64_t layout_hash,
                            void (*construct)(void*)) {
    static constinit std::atomic<detail::AnchorHead*> cache{nullptr};  // per module
    detail::AnchorHead* head = cache.load(std::memory_order_acquire);
    if (head == nullptr) {
        head = &detail::find_or_make_anchor("multiprocessing-anchor", bytes, layout_hash);
        cache.store(head, std::memory_order_release);
    }
    return detail::enter_anchor(*head, bytes, layout_hash, construct);
}

}  // namespace multiprocessing::platform::inline win32
