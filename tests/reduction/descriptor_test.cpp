// SPDX-License-Identifier: MIT
// tests/reduction/descriptor_test.cpp — reduction/descriptor.hpp
#include <multiprocessing/reduction/descriptor.hpp>

#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

using namespace test;
using mp::UnpicklingError;
using reduction::Descriptor;
using reduction::Role;

namespace {

template <int>
struct Named {
    static constexpr Role role = Role::type;
    static constexpr std::string_view type_name = "a test's type";
};

struct WithEntries {
    static constexpr Role role = Role::task;
    static constexpr int entries = 42;
};

template <class Instance>
Descriptor const& ours() {
    return reduction::Described<Instance>::descriptor;
}

/// The bytes that would name whatever lies at an address.
Bytes naming(void const* address, std::uint64_t type_hash) {
    return written([&](mp::Writer& out) {
        reduction::dump_place(out, {&mp::platform::main_module(),
                                    reinterpret_cast<std::uintptr_t>(address)});
        out.raw(&type_hash, sizeof type_hash);
    });
}

Descriptor const& load(Bytes const& bytes, Role role) {
    mp::Reader in(bytes, mp::Origin::tree);
    return reduction::load_descriptor(in, role);
}

bool refused(Bytes const& bytes, Role role = Role::type) {
    try {
        load(bytes, role);
        return false;
    } catch (UnpicklingError const&) { return true; }
}

/// What a forger could put into writable memory of the program: room for a descriptor at any
/// offset.
alignas(Descriptor) std::byte forgery[3 * sizeof(Descriptor)];

constexpr std::uint64_t forged_hash = 0x1234;

void forge(std::size_t offset, Role role, void const* self) {
    std::uint64_t const words[] = {Descriptor::mark_of(role), reinterpret_cast<std::uint64_t>(self),
                                   forged_hash, 0, 0};
    static_assert(sizeof words == sizeof(Descriptor));
    std::memcpy(forgery + offset, words, sizeof words);
}

}  // namespace

TEST_CASE("descriptor: lies in writable data that stays writable", "[descriptor]") {
    auto const& home = reduction::home_of(ours<Named<1>>());
    CHECK(home.is_main);
    CHECK(home.in_data(reinterpret_cast<std::uintptr_t>(&ours<Named<1>>()), sizeof(Descriptor)));
    CHECK(ours<Named<1>>().self == &ours<Named<1>>());
}

TEST_CASE("descriptor: comes back as the one it was", "[descriptor]") {
    auto const bytes =
        written([](mp::Writer& out) { reduction::dump_descriptor(out, ours<WithEntries>()); });
    auto const& found = load(bytes, Role::task);
    CHECK(&found == &ours<WithEntries>());
    CHECK(*static_cast<int const*>(found.entries) == 42);
    CHECK(refused(bytes, Role::type));
    CHECK(refused(bytes, Role::map));
    CHECK(refused(bytes, Role::exception));
}

TEST_CASE("descriptor: another instance is refused where one is expected", "[descriptor]") {
    auto const bytes =
        written([](mp::Writer& out) { reduction::dump_descriptor(out, ours<Named<1>>()); });
    mp::Reader right(bytes, mp::Origin::tree);
    CHECK_NOTHROW(reduction::require_descriptor<Named<1>>(right));
    mp::Reader wrong(bytes, mp::Origin::tree);
    CHECK_THROWS_AS(reduction::require_descriptor<Named<2>>(wrong), UnpicklingError);
}

TEST_CASE("descriptor: another type hash is refused", "[descriptor]") {
    auto const& real = ours<Named<1>>();
    CHECK_FALSE(refused(naming(&real, real.type_hash)));
    CHECK(refused(naming(&real, real.type_hash + 1)));
}

TEST_CASE("descriptor: bytes that look like one are refused", "[descriptor]") {
    SECTION("a copy of a real one") {
        std::memcpy(forgery, static_cast<void const*>(&ours<Named<1>>()), sizeof(Descriptor));
        CHECK(refused(naming(forgery, ours<Named<1>>().type_hash)));
    }
    SECTION("one whose address is not its own") {
        forge(0, Role::type, forgery + 8);
        CHECK(refused(naming(forgery, forged_hash)));
    }
    SECTION("one that is not aligned") {
        forge(4, Role::type, forgery + 4);
        CHECK(refused(naming(forgery + 4, forged_hash)));
    }
    SECTION("one of no role") {
        forge(0, static_cast<Role>(99), forgery);
        CHECK(refused(naming(forgery, forged_hash)));
    }
    SECTION("one on the heap") {
        struct Copy {
            std::uint64_t words[5];
        };
        auto const heap = std::make_unique<Copy>();
        *heap = {{Descriptor::mark_of(Role::type), reinterpret_cast<std::uint64_t>(heap.get()),
                  forged_hash, 0, 0}};
        CHECK(refused(naming(heap.get(), forged_hash)));
    }
    SECTION("code, constants, the end of the data") {
        auto const& main = mp::platform::main_module();
        CHECK(refused(naming(reinterpret_cast<void const*>(main.code.front().begin), 0)));
        CHECK(refused(naming("a literal that is long enough for a descriptor to fit in", 0)));
        CHECK(refused(naming(reinterpret_cast<void const*>(main.data.back().end - 8), 0)));
    }
}

TEST_CASE("descriptor: no place in the program's data passes for one by chance", "[descriptor]") {
    auto const& data = mp::platform::main_module().data.back();
    auto const hash = ours<Named<1>>().type_hash;
    int believed = 0;
    for (auto address = data.begin; address < data.end && address - data.begin < 1u << 16;
         address += 8) {
        auto const* const candidate = reinterpret_cast<void const*>(address);
        if (candidate != &ours<Named<1>>() && !refused(naming(candidate, hash))) ++believed;
    }
    CHECK(believed == 0);
}

TEST_CASE("descriptor: short bytes and bytes from outside are refused", "[descriptor]") {
    auto const bytes =
        written([](mp::Writer& out) { reduction::dump_descriptor(out, ours<WithEntries>()); });
    for (std::size_t n = 0; n < bytes.size(); ++n)
        CHECK(refused(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)),
                      Role::task));
    mp::Reader outside(bytes, mp::Origin::outside);
    CHECK_THROWS_AS(reduction::load_descriptor(outside, Role::task), UnpicklingError);
}
