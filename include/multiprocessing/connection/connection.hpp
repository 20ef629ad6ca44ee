// SPDX-License-Identifier: MIT
// multiprocessing/connection/connection.hpp — one end of a pipe through which T travels.
// Layer 4 (channels). Mirrors Connection of Lib/multiprocessing/connection.py.
#pragma once

#include <multiprocessing/connection/pipe_end.hpp>
#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/fwd.hpp>
#include <multiprocessing/object.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction/item.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace multiprocessing {

namespace detail {
struct ConnectionAccess;
}

/// Python: the arguments of `Pipe`.
struct PipeOptions {
    bool duplex = true;            // else the first end receives only, the second sends only
    std::uint64_t capacity = 1024;  // ours: messages that lie in one direction before send() waits
};

/// One end of a pipe; Pipe() makes both. What is sent at one end is received at the other, whole
/// and in order.
///
/// Sharing: a handle. Copies in one process are closed together; an end may travel to any process
///     of the tree, and is gone when every process that had it has closed it or ended. Any number
///     of threads and processes may use an end at once; each message goes to one of them.
/// Python: `multiprocessing.connection.Connection`.
/// Differs: what is sent lies in shared memory, whole, so a killed process tears no message; one
///     end may be used by several at once. The end of a killed process counts as closed.
template <class T>
class Connection {
public:
    using value_type = T;

    /// Sends a copy of an item.
    /// Blocks: while the pipe is full.
    /// Errors: what pickling throws, and then nothing was sent; OSError after close(), on an end
    ///     that only receives, and with std::errc::broken_pipe when the other end is gone.
    /// Python: `Connection.send(obj)`.
    void send(T const& item) {
        detail::put_item(item, [&](auto&&... parts) { return end_->send(parts...); });
    }

    /// Receives an item.
    /// Blocks: until there is one.
    /// Errors: EOFError when the other end is gone and nothing is left; OSError after close() and
    ///     on an end that only sends; UnpicklingError, and then the message is gone.
    /// Python: `Connection.recv()`.
    T recv() {
        return detail::get_item<T>([&](auto&& visit) { return end_->receive(visit); }, [] {});
    }

    /// As recv(), of a vector of trivially copyable elements, a std::string or Bytes: a view of
    /// what lies in shared memory, which spares the copy of a large one.
    /// Python: none.
    auto recv_view()
        requires detail::InPlace<T>::value
    {
        detail::TakenItem item;
        end_->receive(item);
        return item.template view<T>();
    }

    /// Whether recv() would not wait: there is a message, or none can come any more.
    /// Blocks: until that is so, or for `timeout`; none waits for ever.
    /// Errors: OSError as recv().
    /// Python: `Connection.poll(timeout=0.0)`.
    bool poll(Timeout timeout = Timeout::from_ns(0)) { return end_->poll(Deadline(timeout)); }

    /// Sends bytes as one message, from `offset` on, `size` of them or all that follow.
    /// Errors: ValueError when offset and size do not fit the bytes; else as send().
    /// Python: `Connection.send_bytes(buf, offset=0, size=None)`.
    void send_bytes(std::span<std::byte const> bytes, std::ptrdiff_t offset = 0,
                    std::optional<std::ptrdiff_t> size = std::nullopt);
    void send_bytes(std::string_view bytes, std::ptrdiff_t offset = 0,
                    std::optional<std::ptrdiff_t> size = std::nullopt) {
        send_bytes(std::as_bytes(std::span(bytes)), offset, size);
    }
    void send_bytes(Bytes const& bytes, std::ptrdiff_t offset = 0,
                    std::optional<std::ptrdiff_t> size = std::nullopt) {
        send_bytes(bytes.view(), offset, size);
    }

    /// Receives a message as bytes.
    /// Errors: ValueError for a negative length; OSError when the message is longer, and then it
    ///     is lost and nothing more can be received here; else as recv().
    /// Python: `Connection.recv_bytes(maxlength=None)`.
    Bytes recv_bytes(std::optional<std::ptrdiff_t> maxlength = std::nullopt);

    /// Receives a message into a buffer, from `offset` on. Returns its length in bytes.
    /// Errors: ValueError when the offset lies outside; BufferTooShort with the message when it
    ///     does not fit; else as recv().
    /// Python: `Connection.recv_bytes_into(buf, offset=0)`.
    std::size_t recv_bytes_into(std::span<std::byte> buffer, std::ptrdiff_t offset = 0);

    /// Receives a message of bytes without a copy.
    /// Errors: as recv(). Python: none.
    View<std::byte> recv_bytes_view() {
        detail::TakenItem item;
        end_->receive(item);
        return item.bytes_view();
    }

    /// Closes the end for all its copies in this process. May be called twice; those that wait
    /// on it get an OSError.
    /// Python: `Connection.close()`.
    void close() { end_->close(); }

    /// Python: `Connection.closed`.
    [[nodiscard]] bool closed() const { return end_->closed(); }
    /// Python: `Connection.readable`.
    [[nodiscard]] bool readable() const { return end_->readable(); }
    /// Python: `Connection.writable`.
    [[nodiscard]] bool writable() const { return end_->writable(); }

    /// Whether both are the same end of the same pipe.
    friend bool operator==(Connection const& a, Connection const& b) {
        return a.end_->same_end(*b.end_);
    }

    std::string repr() const {
        return fmt::format("<multiprocessing.connection.Connection object at {}>",
                           fmt::ptr(end_.get()));
    }

private:
    friend struct pickle<Connection>;
    friend struct detail::ConnectionAccess;
    template <class U>
    friend std::pair<Connection<U>, Connection<U>> Pipe(PipeOptions options);

    explicit Connection(detail::PipeEndHandle end)
        : end_(std::make_shared<detail::PipeEnd>(std::move(end))) {}

    static constexpr std::uint64_t type_hash() {
        return detail::fnv1a(schema_hash<T>, detail::fnv1a("Connection"));
    }

    std::shared_ptr<detail::PipeEnd> end_;
};

/// For wait(), which knows no T.
struct detail::ConnectionAccess {
    template <class T>
    static std::shared_ptr<PipeEnd> const& end(Connection<T> const& connection) {
        return connection.end_;
    }
};

template <class T>
void Connection<T>::send_bytes(std::span<std::byte const> bytes, std::ptrdiff_t offset,
                               std::optional<std::ptrdiff_t> size) {
    auto const length = static_cast<std::ptrdiff_t>(bytes.size());
    if (offset < 0) throw ValueError("offset is negative");
    if (offset > length) throw ValueError("buffer length < offset");
    if (size && *size < 0) throw ValueError("size is negative");
    if (size && *size > length - offset) throw ValueError("buffer length < offset + size");
    auto const part = bytes.subspan(static_cast<std::size_t>(offset),
                                    static_cast<std::size_t>(size ? *size : length - offset));
    end_->require_open();
    if (part.size() <= heap::inline_bytes) {
        end_->send(part);
    } else {
        auto message = to_message(part);
        end_->send(message);
    }
}

template <class T>
Bytes Connection<T>::recv_bytes(std::optional<std::ptrdiff_t> maxlength) {
    if (maxlength && *maxlength < 0) throw ValueError("negative maxlength");
    detail::TakenItem item;
    end_->receive(item);
    if (maxlength && item.bytes().size() > static_cast<std::size_t>(*maxlength)) {
        end_->deafen();
        throw OSError(std::make_error_code(std::errc::message_size), "bad message length");
    }
    return Bytes(item.bytes());
}

template <class T>
std::size_t Connection<T>::recv_bytes_into(std::span<std::byte> buffer, std::ptrdiff_t offset) {
    if (offset < 0) throw ValueError("negative offset");
    if (static_cast<std::size_t>(offset) > buffer.size()) throw ValueError("offset too large");
    auto const room = buffer.subspan(static_cast<std::size_t>(offset));
    detail::TakenItem item;
    end_->receive(item);
    auto const bytes = item.bytes();
    if (bytes.size() > room.size())
        throw BufferTooShort("the message does not fit into the buffer",
                             std::string(Bytes(bytes).view()));
    if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
    return bytes.size();
}

/// An end travels as a reference to itself; who reads it must name the same T.
template <class T>
struct pickle<Connection<T>> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a(detail::type_name<Connection<T>>());
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, Connection<T> const& connection) {
        writer.handle(connection.end_->shared());
    }
    static Connection<T> load(Reader& reader) {
        auto end = detail::PipeEndHandle::from(reader.handle(), "Connection");
        if (end->type != Connection<T>::type_hash())
            throw UnpicklingError("the shared object in the message is not a " +
                                  std::string(detail::type_name<Connection<T>>()));
        return Connection<T>(std::move(end));
    }
};

}  // namespace multiprocessing

template <class T>
struct fmt::formatter<multiprocessing::Connection<T>> : multiprocessing::detail::ReprFormatter {};
