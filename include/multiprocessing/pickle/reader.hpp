// SPDX-License-Identifier: MIT
// multiprocessing/pickle/reader.hpp — reads values back and trusts none of the bytes.
// Layer 3 (pickling). Mirrors pickle.Unpickler.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/diagnose.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/pickle/handles.hpp>
#include <multiprocessing/pickle/identity.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing {

/// Reads values one after the other; `pickle<T>::load` gets one. The bytes must outlive it.
///
/// Every length is compared with the bytes that remain before memory is taken for it.
/// Errors: every function throws `UnpicklingError` if the bytes are not what is asked for; then the
/// Reader is of no more use.
/// Sharing: one thread at a time.
/// Python: `pickle.Unpickler`.
class Reader {
public:
    explicit Reader(std::span<std::byte const> bytes, Origin origin = Origin::outside,
                    HandleSource* source = nullptr) noexcept
        : begin_(bytes.data()),
          at_(begin_),
          end_(begin_ + bytes.size()),
          source_(source),
          origin_(origin) {}

    Reader(Reader const&) = delete;
    Reader& operator=(Reader const&) = delete;

    /// Reads a value that was written as a T.
    template <class T>
    [[nodiscard]] std::remove_cv_t<T> read();

    /// The next bytes, in place.
    [[nodiscard]] std::span<std::byte const> raw(std::size_t bytes) {
        if (remaining() < bytes) [[unlikely]] {
            fail_short(bytes);
        }
        return {std::exchange(at_, at_ + bytes), bytes};
    }

    /// Copies the next bytes.
    void raw(void* to, std::size_t bytes) {
        if (remaining() < bytes) [[unlikely]] {
            fail_short(bytes);
        }
        if (bytes != 0) {
            std::memcpy(to, at_, bytes);
            at_ += bytes;
        }
    }

    /// Reads what `Writer::write_size` wrote.
    [[nodiscard]] std::uint64_t read_size() {
        if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) [[likely]] {
            return static_cast<unsigned char>(*at_++);
        }
        return read_long_size();
    }

    /// Reads the number of elements that follow, each of which takes at least `bytes_each` bytes.
    [[nodiscard]] std::size_t read_count(std::size_t bytes_each = 1) {
        std::uint64_t const count = read_size();
        if (count > remaining() / (bytes_each == 0 ? 1 : bytes_each)) [[unlikely]] {
            fail("a length of " + std::to_string(count) + " does not fit into what remains");
        }
        return static_cast<std::size_t>(count);
    }

    /// Reads a reference to an object of the shared heap.
    template <class Object = heap::Shared>
    [[nodiscard]] Object handle() {
        require_tree("a shared object (queue, lock, value ...)");
        if (source_ == nullptr) {
            fail("a shared object is named, but this message carries none");
        }
        std::uint64_t const place = read_size();
        if (place >= source_->count()) {
            fail("the shared object number " + std::to_string(place) +
                 " is named, but the message carries " + std::to_string(source_->count()));
        }
        Object object;
        source_->get(static_cast<std::uint32_t>(place), object);
        return object;
    }

    [[nodiscard]] Origin origin() const noexcept { return origin_; }

    /// Refuses, in bytes from outside, what only the own process tree may send.
    void require_tree(std::string_view what) const {
        if (origin_ != Origin::tree) {
            fail("bytes from outside the process tree must not hold " + std::string(what));
        }
    }

    [[nodiscard]] std::size_t remaining() const noexcept {
        return static_cast<std::size_t>(end_ - at_);
    }
    [[nodiscard]] std::size_t offset() const noexcept {
        return static_cast<std::size_t>(at_ - begin_);
    }

    /// Requires that everything has been read.
    void expect_end() const {
        if (at_ != end_) {
            fail(std::to_string(remaining()) + " bytes are left over");
        }
    }

    /// Throws an `UnpicklingError` that says where, and what was wrong there.
    [[noreturn, gnu::cold, gnu::noinline]] void fail(std::string_view reason) const {
        throw UnpicklingError("not a valid pickle: at byte " + std::to_string(offset()) + " of " +
                              std::to_string(offset() + remaining()) + ": " + std::string(reason));
    }

    /// Counts one level of nesting for as long as the result lives.
    [[nodiscard]] auto nested() {
        struct Level {
            Reader& reader;
            explicit Level(Reader& r) : reader(r) {}
            Level(Level const&) = delete;
            Level& operator=(Level const&) = delete;
            ~Level() { --reader.depth_; }
        };
        if (depth_ >= pickle_depth_limit) {
            fail("values are nested too deeply (1000 levels)");
        }
        ++depth_;
        return Level(*this);
    }

    /// The objects read by shared_ptr so far.
    [[nodiscard]] std::vector<detail::SharedEntry>& shared_read() noexcept { return shared_; }

private:
    [[noreturn, gnu::cold, gnu::noinline]] void fail_short(std::size_t bytes) const {
        fail(std::to_string(bytes) + " more bytes were expected");
    }
    std::uint64_t read_long_size();

    std::byte const* begin_;
    std::byte const* at_;
    std::byte const* end_;
    HandleSource* source_;
    std::vector<detail::SharedEntry> shared_;
    std::uint32_t depth_ = 0;
    Origin origin_;
};

namespace detail {

/// Reads a value without asking again whether it can be read.
template <class T>
inline T get(Reader& reader) {
    if constexpr (nests<T>) {
        auto const level = reader.nested();
        return pickle<T>::load(reader);
    } else {
        return pickle<T>::load(reader);
    }
}

}  // namespace detail

template <class T>
std::remove_cv_t<T> Reader::read() {
    if constexpr (Picklable<T>) {
        return detail::get<std::remove_cv_t<T>>(*this);
    } else {
        detail::diagnose<T>();
        fail("no such type");
    }
}

[[gnu::noinline]] inline std::uint64_t Reader::read_long_size() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (at_ == end_) {
            fail_short(1);
        }
        auto const byte = static_cast<unsigned char>(*at_++);
        if (shift == 63 && byte > 1) {
            break;
        }
        number |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    fail("a length has more than 64 bits");
}

}  // namespace multiprocessing
