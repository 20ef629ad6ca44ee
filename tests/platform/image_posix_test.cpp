// SPDX-License-Identifier: MIT
// tests/platform/image_posix_test.cpp — ELF files, and fork.
#include <multiprocessing/platform/image.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
namespace platform = multiprocessing::platform;
using platform::Fingerprint;

namespace {

int data_behind_it = 3;
extern int const* const sealed_data;
int const* const sealed_data = &data_behind_it;  // constant once the loader has filled it in

}  // namespace

TEST_CASE("image: data that is read-only after relocation is no data", "[image]") {
    platform::Module const& main = platform::main_module();
    auto const at = reinterpret_cast<std::uintptr_t>(&sealed_data);
    CHECK(main.contains(at));
    CHECK_FALSE(main.in_data(at, sizeof sealed_data));
}

TEST_CASE("image: a fifo is no library, and nobody waits for its writer", "[image]") {
    fs::path const fifo =
        fs::temp_directory_path() / ("image_test_fifo_" + std::to_string(::getpid()));
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::string why;
    CHECK(platform::open_module(fifo.string(), Fingerprint{1}, why) == nullptr);
    CHECK(why == "there is no such library");
    fs::remove(fifo);
}

TEST_CASE("image: a library has the same fingerprint in memory and in its file", "[image]") {
    platform::Module const* const library =
        platform::module_of(reinterpret_cast<void const*>(&::dlsym));
    REQUIRE(library != nullptr);
    auto const fingerprint = platform::fingerprint_of(*library);
    if (!library->is_main) {  // a sanitizer may put its own in front
        CHECK(library->path.starts_with('/'));
        CHECK(platform::detail::file_fingerprint(library->path.c_str()) == fingerprint);
    }
    CHECK(platform::find_module(fingerprint) == library);
    CHECK(platform::detail::file_fingerprint("/proc/self/exe") ==
          platform::fingerprint_of(platform::main_module()));
}

TEST_CASE("image: without a build id the code itself decides", "[image]") {
    using namespace platform::detail;
    std::vector<std::byte> code(100, std::byte{7});
    ProgramHeader header{};
    header.p_type = PT_LOAD;
    header.p_flags = PF_R | PF_X;
    header.p_filesz = header.p_memsz = code.size();
    auto const bytes_of = [&](ProgramHeader const&) { return std::span<std::byte const>(code); };
    ProgramHeaders const headers(&header, 1);
    CHECK(build_id_fingerprint(headers, bytes_of) == Fingerprint{});
    auto const before = code_fingerprint(headers, bytes_of);
    CHECK(before == code_fingerprint(headers, bytes_of));
    for (std::size_t i : {0u, 50u, 99u}) {
        code[i] = std::byte{8};
        CHECK(before != code_fingerprint(headers, bytes_of));
        code[i] = std::byte{7};
    }
    header.p_offset = 1;
    CHECK(before != code_fingerprint(headers, bytes_of));
}

TEST_CASE("image: notes that are cut short hold no build id", "[image]") {
    std::vector<std::byte> notes(36, std::byte{5});
    std::uint32_t const head[] = {4, 20, NT_GNU_BUILD_ID};
    std::memcpy(notes.data(), head, sizeof head);
    std::memcpy(notes.data() + 12, "GNU", 4);
    CHECK(platform::detail::build_id(notes, 4).size() == 20);
    for (std::size_t n = 0; n < notes.size(); ++n)
        CHECK(platform::detail::build_id(std::span(notes).first(n), 4).empty());
    std::uint32_t const huge[] = {0xffffffff, 0xffffffff, NT_GNU_BUILD_ID};
    std::memcpy(notes.data(), huge, sizeof huge);
    CHECK(platform::detail::build_id(notes, 4).empty());
}

TEST_CASE("image: a forked child is not caught in the loader's lock", "[image]") {
    std::jthread const asker([](std::stop_token stop) {
        while (!stop.stop_requested()) platform::find_module(Fingerprint{1});
    });
    int ended = 0;
    for (int i = 0; i < 50; ++i) {
        test::Child child([] { return platform::find_module(Fingerprint{1}) == nullptr ? 7 : 8; });
        ended += child.wait() == 7 ? 1 : 0;
    }
    CHECK(ended == 50);
}
