// SPDX-License-Identifier: MIT
// multiprocessing/reduction/descriptor.hpp — names a template instance to another process.
// Layer 3 (pickling). Mirrors nothing in Python, where a type travels by its qualified name.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/platform/image.hpp>
#include <multiprocessing/reduction/place.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

namespace multiprocessing::reduction {

/// What a descriptor's entries are.
enum class Role : std::uint64_t { type = 1, task, map, exception };

/// One for each template instance that crosses, in the writable data of the module that made it.
///
/// Its place is what travels. A reader believes it only if it lies in a module's data and holds the
/// mark, its own address (which the loader put there, so it differs in every process) and the hash
/// of the type: neither a stray offset nor bytes that somebody copied pass for one.
struct Descriptor {
    std::uint64_t mark;
    Descriptor const* self;
    std::uint64_t type_hash;
    void const* entries;  // what the role says
    mutable std::atomic<platform::Module const*> home;  // found at first use

    static constexpr std::uint64_t mark_of(Role role) {
        return 0x6d70'6465'7363'7200 ^ static_cast<std::uint64_t>(role);
    }
};

// A descriptor is never shared between modules: the loader would merge those of a plugin with those
// of whatever was loaded before it, and what that is may differ in the other process.
#if defined(__ELF__)
#define MULTIPROCESSING_HIDDEN [[gnu::visibility("hidden")]]
#else
#define MULTIPROCESSING_HIDDEN
#endif

/// The descriptor of an instance. `Instance` has `static constexpr Role role` and, unless that is
/// Role::type, `static constexpr … entries`.
template <class Instance>
struct MULTIPROCESSING_HIDDEN Described {
    static constexpr void const* entries() {
        if constexpr (Instance::role == Role::type) return nullptr;
        else return &Instance::entries;
    }
    static Descriptor descriptor;
};

template <class Instance>
constinit Descriptor Described<Instance>::descriptor{
    Descriptor::mark_of(Instance::role), &Described<Instance>::descriptor,
    multiprocessing::detail::fnv1a(multiprocessing::detail::type_name<Instance>()),
    Described<Instance>::entries(), nullptr};

#undef MULTIPROCESSING_HIDDEN

inline platform::Module const& home_of(Descriptor const& descriptor) {
    auto const* home = descriptor.home.load(std::memory_order_acquire);
    if (home == nullptr) {
        home = platform::module_of(&descriptor);
        if (home == nullptr) throw PicklingError("a descriptor lies in no module of this program");
        descriptor.home.store(home, std::memory_order_release);  // everyone stores the same
    }
    return *home;
}

inline void dump_descriptor(Writer& out, Descriptor const& descriptor) {
    auto const address = reinterpret_cast<std::uintptr_t>(&descriptor);
    dump_place(out, Place{&home_of(descriptor), address});
    detail::put_word(out, descriptor.type_hash);
}

namespace detail {

/// Reads what may be no descriptor at all, so the sanitizers must not object to where it looks.
__attribute__((no_sanitize("address", "thread", "undefined"))) inline bool
is_descriptor(Descriptor const* candidate, Role role, std::uint64_t type_hash) noexcept {
    return candidate->mark == Descriptor::mark_of(role) && candidate->self == candidate &&
           candidate->type_hash == type_hash;
}

}  // namespace detail

/// The descriptor that dump_descriptor named: one that stands in this process and has this role.
/// Errors: UnpicklingError for anything else.
inline Descriptor const& load_descriptor(Reader& in, Role role) {
    Place const place = load_place(in);
    auto const type_hash = detail::get_word(in);
    auto const* const candidate = reinterpret_cast<Descriptor const*>(place.address);
    if (place.address % alignof(Descriptor) != 0 ||
        !place.module->in_data(place.address, sizeof(Descriptor)) ||
        !detail::is_descriptor(candidate, role, type_hash))
        in.fail(fmt::format("no function of this kind lies at that place in '{}'",
                            place.module->path));
    return *candidate;
}

/// Reads a descriptor that must be the one of `Instance`, in this module or in another, and gives
/// the module that it lies in.
template <class Instance>
platform::Module const* require_descriptor(Reader& in) {
    Descriptor const& ours = Described<Instance>::descriptor;
    Descriptor const& found = load_descriptor(in, Instance::role);
    // Within a module the address decides: two lambdas may have one name, and so one hash.
    bool const same = &found == &ours || (home_of(found).headers != home_of(ours).headers &&
                                          found.type_hash == ours.type_hash);
    if (!same)
        throw UnpicklingError(
            fmt::format("a function of another type than '{}'", Instance::type_name));
    return &home_of(found);
}

}  // namespace multiprocessing::reduction
