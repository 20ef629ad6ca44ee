// SPDX-License-Identifier: MIT
// multiprocessing/reduction/place.hpp — writes an address as its place in a program image.
// Layer 3 (pickling). Mirrors nothing in Python, where `pickle` writes a function's qualified name.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/platform/image.hpp>

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace multiprocessing::reduction {

/// An address that a message named, and the module it lies in. Nothing is known yet about what is
/// there.
struct Place {
    platform::Module const* module;
    std::uintptr_t address;
};

namespace detail {

inline void put_byte(Writer& out, std::uint8_t byte) { out.raw(&byte, 1); }
inline void put_word(Writer& out, std::uint64_t word) { out.raw(&word, sizeof word); }

inline std::uint8_t get_byte(Reader& in) {
    std::uint8_t byte;
    in.raw(&byte, 1);
    return byte;
}
inline std::uint64_t get_word(Reader& in) {
    std::uint64_t word;
    in.raw(&word, sizeof word);
    return word;
}

/// How the module of a place is named. `known`: the one that both sides speak of already.
enum class ModuleTag : std::uint8_t { known = 1, program, library };

inline platform::Module const* read_program(Reader& in) {
    auto const fingerprint = platform::Fingerprint{get_word(in)};
    if (auto const* module = platform::find_module(fingerprint)) return module;
    throw UnpicklingError(fmt::format("the function lies in another build of the program than '{}'",
                                      platform::main_module().path));
}

inline platform::Module const* read_library(Reader& in) {
    auto const fingerprint = platform::Fingerprint{get_word(in)};
    auto const bytes = in.raw(in.read_count());
    std::string const path(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    if (auto const* module = platform::find_module(fingerprint)) return module;
    std::string why = "its path is no path";
    if (platform::is_absolute_path(path) && path.find('\0') == std::string::npos) {
        if (auto const* module = platform::open_module(path, fingerprint, why)) return module;
    }
    throw UnpicklingError(
        fmt::format("the function lies in '{}', which this process cannot open: {}", path, why));
}

}  // namespace detail

/// Writes a place of which the module is known.
inline void dump_place(Writer& out, Place const& place, platform::Module const* known = nullptr) {
    using detail::ModuleTag;
    platform::Module const& module = *place.module;
    auto const tag = &module == known  ? ModuleTag::known
                     : module.is_main ? ModuleTag::program
                                      : ModuleTag::library;
    detail::put_byte(out, static_cast<std::uint8_t>(tag));
    if (tag != ModuleTag::known)
        detail::put_word(out, static_cast<std::uint64_t>(platform::fingerprint_of(module)));
    if (tag == ModuleTag::library) {
        out.write_size(module.path.size());
        out.raw(module.path.data(), module.path.size());
    }
    out.write_size(place.address - module.base);
}

/// Writes where a function lies. `known` is a module that the reader will know already.
/// Errors: PicklingError if it lies in no module.
inline void dump_code(Writer& out, std::uintptr_t address,
                      platform::Module const* known = nullptr) {
    platform::Module const* module = known;
    if (module == nullptr || !module->in_code(address))
        module = platform::module_of(reinterpret_cast<void const*>(address));
    if (module == nullptr || !module->in_code(address))
        throw PicklingError(fmt::format(
            "the function at {:#x} lies in no module of this program, as generated code does",
            address));
    dump_place(out, Place{module, address}, known);
}

/// The place that dump_place wrote, in this process's copy of the module, which is opened if need
/// be.
/// Errors: UnpicklingError, also if the module is another build here.
inline Place load_place(Reader& in, platform::Module const* known = nullptr) {
    in.require_tree("a function");
    platform::Module const* module = nullptr;
    switch (static_cast<detail::ModuleTag>(detail::get_byte(in))) {
    case detail::ModuleTag::known: module = known; break;
    case detail::ModuleTag::program: module = detail::read_program(in); break;
    case detail::ModuleTag::library: module = detail::read_library(in); break;
    }
    if (module == nullptr) in.fail("no module of a program is named so");
    return {module, module->base + in.read_size()};
}

/// Reads a place that must hold code. Nothing is called.
inline std::uintptr_t load_code(Reader& in, platform::Module const* known = nullptr) {
    auto const place = load_place(in, known);
    if (!place.module->in_code(place.address))
        throw UnpicklingError(
            fmt::format("a function that does not lie in the code of '{}'", place.module->path));
    return place.address;
}

}  // namespace multiprocessing::reduction
