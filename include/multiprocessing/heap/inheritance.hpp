// SPDX-License-Identifier: MIT
// multiprocessing/heap/inheritance.hpp — how a program that runs itself as its child finds the
// tree's arena.
// Layer 2 (heap). Mirrors the command line of Lib/multiprocessing/spawn.py.
#pragma once

#include <multiprocessing/heap/arena.hpp>

#include <charconv>
#include <string_view>
#include <vector>

namespace multiprocessing::heap {

/// What stands on a child's command line: where its arena is and which slot is its own. No secret.
struct Inheritance {
    static constexpr std::string_view marker = "--multiprocessing-fork";
    static constexpr std::string_view serving_marker = "--multiprocessing-forkserver";

    platform::native_handle handle{};
    std::uint64_t reserved = 0;
    std::uint64_t arena_id = 0;
    std::uint32_t slot = 0;
    std::uint64_t generation = 0;
    bool serves = false;  // it is to fork others, and has no task of its own

    std::vector<std::string> arguments() const {
        return {std::string(serves ? serving_marker : marker),
                std::to_string(platform::number_of_handle(handle)) + ',' +
                    std::to_string(reserved) + ',' + std::to_string(arena_id) + ',' +
                    std::to_string(slot) + ',' + std::to_string(generation)};
    }

    /// Of this process; nothing when it was not started by the library.
    /// Errors: RuntimeError when the private argument is there but not in order.
    static std::optional<Inheritance> mine() {
        auto const arguments = platform::program_arguments();
        if (arguments.size() != 3 ||
            (arguments[1] != marker && arguments[1] != serving_marker))
            return std::nullopt;
        if (platform::secure_mode())
            throw RuntimeError("a program with raised privileges does not serve as a child");
        std::uint64_t numbers[5];
        std::string_view text = arguments[2];
        for (auto& number : numbers) {
            auto const [rest, error] =
                std::from_chars(text.data(), text.data() + text.size(), number);
            auto const used = static_cast<std::size_t>(rest - text.data());
            bool const last = &number == &numbers[4];
            if (error != std::errc{} || (last ? used != text.size()
                                              : used == text.size() || text[used] != ','))
                throw RuntimeError("the private argument of a child process is not in order");
            text.remove_prefix(last ? used : used + 1);
        }
        return Inheritance{platform::handle_of_number(numbers[0]), numbers[1],
                           numbers[2], static_cast<std::uint32_t>(numbers[3]), numbers[4],
                           arguments[1] == serving_marker};
    }
};

}  // namespace multiprocessing::heap
