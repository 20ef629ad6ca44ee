// SPDX-License-Identifier: MIT
// tests/fuzz/pickle_seeds_test.cpp — the fuzzer's seeds, and what it found once, as a test.
//
// MULTIPROCESSING_WRITE_SEEDS=1 makes it write the seeds that the samples give.
#include "fuzz/pickle_fuzz.hpp"
#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace {

std::filesystem::path seeds() { return std::filesystem::path(__FILE__).parent_path() / "seeds"; }

template <class T, class... Kind>
std::size_t kind_of(multiprocessing::detail::Types<Kind...>) {
    std::size_t at = 0;
    static_cast<void>(((std::is_same_v<T, Kind> || (++at, false)) || ...));
    return at;
}

void write_seed(std::span<std::byte const> bytes, std::size_t number) {
    std::ofstream file(seeds() / ("sample-" + std::to_string(number)), std::ios::binary);
    file.write(reinterpret_cast<char const*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("fuzz: the seeds are read without a finding", "[fuzz]") {
    bool const write = std::getenv("MULTIPROCESSING_WRITE_SEEDS") != nullptr;
    std::size_t written = 0;
    samples::for_each([&](auto const& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        std::size_t const kind = kind_of<T>(fuzz::Kinds{});
        if (kind == fuzz::Kinds::count) return;
        auto const pickled = multiprocessing::dumps(value);
        std::vector<std::byte> input{static_cast<std::byte>(0x80 | kind)};
        input.insert(input.end(), pickled.begin() + 8, pickled.end());
        CHECK_NOTHROW(fuzz::read_any(input));
        if (write && input.size() <= 128) write_seed(input, written++);
    });

    std::size_t files = 0;
    for (auto const& entry : std::filesystem::directory_iterator(seeds())) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::string const text{std::istreambuf_iterator<char>(file), {}};
        INFO(entry.path());
        CHECK_NOTHROW(fuzz::read_any(std::as_bytes(std::span(text))));
        ++files;
    }
    CHECK(files >= 20);
}
