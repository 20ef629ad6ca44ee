// SPDX-License-Identifier: MIT
// tests/reduction/place_test.cpp — reduction/place.hpp
#include <multiprocessing/reduction/place.hpp>

#include "reduction/loaded_modules.hpp"
#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace test;
using Catch::Matchers::ContainsSubstring;
using mp::UnpicklingError;

namespace {

enum Tag : std::uint8_t { known = 1, program = 2, library = 3 };

int data_word = 5;

int three(int x) { return x + data_word + 3; }

std::uintptr_t address_of(int (*function)(int)) {
    return reinterpret_cast<std::uintptr_t>(function);
}

/// A place as a forger would write it.
Bytes forged(std::uint8_t tag, std::uint64_t fingerprint, std::uint64_t offset,
             std::string const& path = {}) {
    return written([&](mp::Writer& out) {
        out.raw(&tag, 1);
        if (tag != known) out.raw(&fingerprint, sizeof fingerprint);
        if (tag == library) {
            out.write_size(path.size());
            out.raw(path.data(), path.size());
        }
        out.write_size(offset);
    });
}

std::uintptr_t code(Bytes const& bytes, mp::platform::Module const* module = nullptr) {
    mp::Reader in(bytes, mp::Origin::tree);
    return reduction::load_code(in, module);
}

std::uint64_t fingerprint_of_program() {
    return static_cast<std::uint64_t>(
        mp::platform::fingerprint_of(mp::platform::main_module()));
}

}  // namespace

TEST_CASE("place: code of the program and of libraries is found again", "[place]") {
    std::vector<int (*)(int)> functions{&three};
    for (auto const& module : loaded_modules()) functions.push_back(module.functions->twice);
    for (auto const function : functions) {
        auto const bytes =
            written([&](mp::Writer& out) { reduction::dump_code(out, address_of(function)); });
        CHECK(code(bytes) == address_of(function));
    }
}

TEST_CASE("place: a module that both sides know is not named again", "[place]") {
    auto const* const home = &mp::platform::main_module();
    auto const bytes =
        written([&](mp::Writer& out) { reduction::dump_code(out, address_of(&three), home); });
    CHECK(bytes.size() <= 6);
    CHECK(code(bytes, home) == address_of(&three));
    CHECK_THROWS_AS(code(bytes), UnpicklingError);
    auto const& plugin = plugin_functions();
    auto const elsewhere = written(
        [&](mp::Writer& out) { reduction::dump_code(out, address_of(plugin.twice), home); });
    CHECK(code(elsewhere, home) == address_of(plugin.twice));
}

TEST_CASE("place: another build is refused", "[place]") {
    auto const offset = address_of(&three) - mp::platform::main_module().base;
    CHECK(code(forged(program, fingerprint_of_program(), offset)) == address_of(&three));
    CHECK_THROWS_WITH(code(forged(program, fingerprint_of_program() + 1, offset)),
                      ContainsSubstring("another build of the program"));
    CHECK_THROWS_AS(code(forged(program, 0, offset)), UnpicklingError);
    CHECK_THROWS_WITH(code(forged(library, 1, offset, MULTIPROCESSING_TEST_REDUCTION_PLUGIN)),
                      ContainsSubstring("another build") &&
                          ContainsSubstring(MULTIPROCESSING_TEST_REDUCTION_PLUGIN));
}

TEST_CASE("place: a library that cannot be opened is an error that names it", "[place]") {
    CHECK_THROWS_WITH(code(forged(library, 1, 0, "/nonexistent/lib.so")),
                      ContainsSubstring("/nonexistent/lib.so") &&
                          ContainsSubstring("there is no such library"));
    CHECK_THROWS_AS(code(forged(library, 1, 0, "relative.so")), UnpicklingError);
    CHECK_THROWS_AS(code(forged(library, 1, 0, std::string("/dev/null\0x", 11))), UnpicklingError);
    CHECK_THROWS_AS(code(forged(library, 1, 0, "")), UnpicklingError);
}

TEST_CASE("place: an address that holds no code is refused", "[place]") {
    auto const& main = mp::platform::main_module();
    auto const refused = [&](void const* address) {
        auto const offset = reinterpret_cast<std::uintptr_t>(address) - main.base;
        try {
            code(forged(program, fingerprint_of_program(), offset));
            return false;
        } catch (UnpicklingError const&) { return true; }
    };
    int on_stack = 0;
    auto const on_heap = std::make_unique<int>();
    CHECK(refused(&data_word));
    CHECK(refused(&on_stack));
    CHECK(refused(on_heap.get()));
    CHECK(refused(nullptr));
    CHECK(refused(reinterpret_cast<void const*>(main.base - 1)));
    CHECK(refused(reinterpret_cast<void const*>(address_of(plugin_functions().twice))));
    CHECK(refused(reinterpret_cast<void const*>(UINTPTR_MAX)));
}

TEST_CASE("place: unknown tags and short bytes are refused", "[place]") {
    auto const* const home = &mp::platform::main_module();
    for (int tag = 0; tag < 256; ++tag) {
        if (tag >= known && tag <= library) continue;
        CHECK_THROWS_AS(code(forged(static_cast<std::uint8_t>(tag), 0, 0), home), UnpicklingError);
    }
    auto const whole = written([&](mp::Writer& out) {
        reduction::dump_code(out, address_of(plugin_functions().twice));
    });
    for (std::size_t n = 0; n < whole.size(); ++n)
        CHECK_THROWS_AS(code(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n))),
                        UnpicklingError);
}

TEST_CASE("place: generated code cannot be named", "[place]") {
    auto const page = std::make_unique<std::byte[]>(4096);  // belongs to no module
    mp::Writer out;
    CHECK_THROWS_AS(reduction::dump_code(out, reinterpret_cast<std::uintptr_t>(page.get())),
                    mp::PicklingError);
}

TEST_CASE("place: bytes from outside the tree must not name one", "[place]") {
    auto const bytes =
        written([&](mp::Writer& out) { reduction::dump_code(out, address_of(&three)); });
    mp::Reader in(bytes, mp::Origin::outside);
    CHECK_THROWS_WITH(reduction::load_code(in), ContainsSubstring("outside the process tree"));
}
