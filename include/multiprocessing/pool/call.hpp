// SPDX-License-Identifier: MIT
// multiprocessing/pool/call.hpp — a call under way, and where its chunks leave their values.
// Layer 6 (pool). Mirrors ApplyResult and MapResult of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/timeout.hpp>
#include <multiprocessing/util/log.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace multiprocessing::pool {

class Call;

/// Who runs calls: processes or threads.
class Runner {
public:
    virtual ~Runner() = default;

    /// What of the call has not begun never does; what has is stopped, if `running`. True when
    /// there was something of either. Any thread.
    virtual bool cancel(Call& call, bool running) = 0;

    /// Whether a chunk of it has begun and not ended. Any thread.
    virtual bool is_running(Call const& call) const = 0;
};

/// What a call allows its chunks.
struct Limits {
    unsigned retries = 0;  // how often a chunk is run again when its worker dies
    Timeout timeout = {};  // how long one run of a chunk may take
};

/// A call under way, whatever its type. Its runner settles it, once a chunk, one at a time.
class Call {
public:
    explicit Call(std::uint64_t chunks) : chunks_(chunks), unsettled_(chunks) {}
    Call(Call const&) = delete;
    Call& operator=(Call const&) = delete;
    virtual ~Call() = default;

    std::uint64_t chunks() const { return chunks_; }

    /// As the runner's thread sees it.
    std::uint64_t unsettled() const { return unsettled_; }

    /// A chunk has ended. True when it was the last one.
    bool settle(std::exception_ptr error = nullptr) {
        if (unsettled_ == 0) return false;  // the call was abandoned meanwhile
        if (error && !error_) error_ = std::move(error);  // the first that arrived, as in Python
        --unsettled_;
        progressed();
        return unsettled_ == 0;
    }

    /// Ends the whole call with an error. False when it has ended already.
    bool abandon(std::exception_ptr const& error) {
        if (chunks_ != 0 && unsettled_ == 0) return false;
        if (!error_) error_ = error;
        unsettled_ = 0;
        return true;
    }

    /// Runs the callback and lets everybody who waits go on. What a callback throws is logged.
    void complete() {
        try {
            finish(std::exchange(error_, nullptr));
        } catch (std::exception const& error) {
            util::log(logging::error, "a callback of a pool has thrown: {}", error.what());
        } catch (...) {
            util::log(logging::error, "a callback of a pool has thrown");
        }
    }

    /// Before the runner shows the call to anybody else.
    void posted(std::weak_ptr<Runner> runner, std::uint64_t number) {
        runner_ = std::move(runner);
        number_ = number;
    }
    /// What the runner knows it by.
    std::uint64_t number() const { return number_; }

    bool cancel(bool running) {
        auto const runner = runner_.lock();
        return runner && runner->cancel(*this, running);
    }

    bool is_running() const {
        auto const runner = runner_.lock();
        return runner && runner->is_running(*this);
    }

    /// Why a call that was cancelled ended.
    static std::exception_ptr cancelled() {
        return std::make_exception_ptr(CancelledError("the task was cancelled"));
    }
    /// Its chunks were taken back before they had begun.
    void withdraw() { is_withdrawn_ = true; }
    bool was_withdrawn() const { return is_withdrawn_; }

protected:
    /// After each chunk. Must not throw.
    virtual void progressed() {}
    virtual void finish(std::exception_ptr error) = 0;

private:
    std::uint64_t chunks_;
    std::uint64_t unsettled_;
    std::exception_ptr error_;
    std::weak_ptr<Runner> runner_;
    std::uint64_t number_ = 0;
    bool is_withdrawn_ = false;
};

/// What stands for the value of a call that returns nothing.
template <class R>
using stored_result_t = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

/// One function call with one value.
template <class R>
class ValueCall : public Call {
public:
    ValueCall() : Call(1) {}

    void store(stored_result_t<R>&& value) { value_.emplace(std::move(value)); }

protected:
    std::optional<stored_result_t<R>> value_;
};

/// A function called with many elements, in chunks. Different chunks may be stored at once.
template <class R>
class ElementsCall : public Call {
public:
    using Values = std::vector<stored_result_t<R>>;

    ElementsCall(std::uint64_t elements, std::uint64_t chunksize)
        : Call(elements / chunksize + (elements % chunksize != 0 ? 1 : 0)),
          elements_(elements),
          chunksize_(chunksize) {}

    std::uint64_t elements() const { return elements_; }
    std::uint64_t chunksize() const { return chunksize_; }
    std::uint64_t first(std::uint64_t chunk) const { return chunk * chunksize_; }
    std::uint64_t count(std::uint64_t chunk) const {
        return std::min(chunksize_, elements_ - first(chunk));
    }

    virtual void store(std::uint64_t chunk, Values&& values) = 0;

private:
    std::uint64_t elements_;
    std::uint64_t chunksize_;
};

}  // namespace multiprocessing::pool
