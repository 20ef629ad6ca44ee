// SPDX-License-Identifier: MIT
// multiprocessing/shared_memory/shared_memory.hpp — memory that any program maps by its name.
// Layer 4 (shared state). Mirrors SharedMemory of Lib/multiprocessing/shared_memory.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/platform/named_memory.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::shared_memory {

/// Python: the arguments of `SharedMemory(name=None, create=False, size=0)`.
struct SharedMemoryOptions {
    std::optional<std::string> name = std::nullopt;  // without a slash; none: made up
    bool create = false;              // else it must exist
    std::int64_t size = 0;            // in bytes, of what is created
};

/// A block of bytes in memory that other programs, and Python's, map under the same name.
///
///     SharedMemory block({.create = true, .size = 4096});
///     SharedMemory same({.name = block.name()});       // in any program of the same user
///     std::span<double> numbers = same.buf<double>();
///
/// Sharing: a handle; copies name the same mapping. It may travel to other processes, which map the
///     block by its name. What is written is not synchronised.
/// Lifetime: the mapping ends with the last copy in a process, or with close(); the name lives
///     until one of all programs calls unlink(), also if all are killed (Windows: until the last
///     mapping has ended). What only this process tree shares is better an Array: nothing of it
///     stays.
/// Python: `multiprocessing.shared_memory.SharedMemory`.
/// Differs: all pages are taken when it is created, so that a full /dev/shm is a MemoryError then
///     and not a SIGBUS later. There is no resource tracker, so no `track`: nobody unlinks a name
///     but unlink().
class SharedMemory {
public:
    /// Creates a block, all zero, or maps one that exists, wholly, whatever `size` says.
    /// Errors: FileExistsError, FileNotFoundError; MemoryError; ValueError for a size below 1, no
    ///     name to attach to, and a name with a slash or a NUL.
    explicit SharedMemory(SharedMemoryOptions options) {
        if (options.name) check(*options.name);
        if (options.create) {
            if (options.size < 0) throw ValueError("'size' must be a positive integer");
            if (options.size == 0)
                throw ValueError("'size' must be a positive number different from zero");
            block_ = std::make_shared<Block>(
                create(std::move(options.name), static_cast<std::size_t>(options.size)));
        } else {
            if (!options.name) throw ValueError("'name' can only be None if create=True");
            auto memory = platform::NamedMemory::attach(*options.name);
            block_ = std::make_shared<Block>(std::move(*options.name), std::move(memory));
        }
    }

    /// As other programs know it. Python: `SharedMemory.name`.
    [[nodiscard]] std::string const& name() const noexcept { return block_->name; }

    /// In bytes; Windows rounds up for those that attach. Python: `SharedMemory.size`.
    [[nodiscard]] std::size_t size() const noexcept { return block_->size; }

    /// The bytes, or as many T as fit in; nothing after close(), when older spans dangle.
    /// Python: `SharedMemory.buf`.
    template <class T = std::byte>
        requires std::is_trivially_copyable_v<T>
    [[nodiscard]] std::span<T> buf() const noexcept {
        auto const& memory = block_->memory;
        return {reinterpret_cast<T*>(memory.data()), memory.size() / sizeof(T)};
    }

    /// Unmaps it, for all copies in this process. May be called twice.
    /// Python: `SharedMemory.close()`.
    void close() noexcept { block_->memory = {}; }

    /// Takes the name away, once for all programs. Windows: nothing.
    /// Errors: FileNotFoundError when it is gone already.
    /// Python: `SharedMemory.unlink()`.
    void unlink() const {
        if (!platform::unlink_memory(name()))
            throw FileNotFoundError(fmt::format("No such file or directory: '/{}'", name()));
    }

    [[nodiscard]] std::string repr() const {
        return fmt::format("SharedMemory('{}', size={})", name(), size());
    }

private:
    struct Block {
        Block(std::string n, platform::NamedMemory m)
            : name(std::move(n)), memory(std::move(m)), size(memory.size()) {}
        std::string name;
        platform::NamedMemory memory;
        std::size_t size;
    };

    static void check(std::string_view name) {
        if (name.find('\0') != name.npos) throw ValueError("embedded null character");
        if (name.empty() || name.find('/') != name.npos)
            throw ValueError(fmt::format("'{}' is no name for shared memory", name));
    }

    static Block create(std::optional<std::string> name, std::size_t size) {
        while (!name) {
            auto made_up = random_name();
            try {
                auto memory = platform::NamedMemory::create(made_up, size);
                return {std::move(made_up), std::move(memory)};
            } catch (FileExistsError const&) {  // somebody has the same luck
            }
        }
        auto memory = platform::NamedMemory::create(*name, size);
        return {std::move(*name), std::move(memory)};
    }

    static std::string random_name() {
        std::array<std::uint32_t, 1> number{};
        platform::random_bytes(std::as_writable_bytes(std::span(number)));
        return fmt::format("{}{:08x}", platform::memory_names_persist ? "psm_" : "wnsm_",
                           number[0]);
    }

    std::shared_ptr<Block> block_;
};

}  // namespace multiprocessing::shared_memory

/// By its name.
template <>
struct multiprocessing::pickle<multiprocessing::shared_memory::SharedMemory> {
    using SharedMemory = shared_memory::SharedMemory;
    static void dump(Writer& writer, SharedMemory const& block) { writer.write(block.name()); }
    static SharedMemory load(Reader& reader) {
        return SharedMemory({.name = reader.read<std::string>()});
    }
};

template <>
struct fmt::formatter<multiprocessing::shared_memory::SharedMemory>
    : multiprocessing::detail::ReprFormatter {};
