// SPDX-License-Identifier: MIT
// multiprocessing/heap/shared.hpp — a process's reference to a shared object; the base of every
// public handle.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/hand.hpp>
#include <multiprocessing/heap/slots.hpp>


namespace multiprocessing::heap {

/// Names a shared object. Copies are cheap and name the same object; all handles of one process
/// count as one reference, kept in its slot, so a dead process's references can be given back.
/// Sharing: any thread may copy, destroy and use its own copy.
class Shared {
public:
    Shared() = default;

    /// A new object whose body is zero-filled, then initialised by `init(std::byte* body)`.
    /// Errors: MemoryError; whatever `init` throws.
    template <class Init>
    static Shared make(Kind kind, std::uint32_t links, std::uint64_t body_bytes, Init init) {
        auto hand = Hand::allocate(kind, links, body_bytes);
        init(hand.body());
        Shared shared{hold(hand.ref())};
        hand.forget();
        return shared;
    }

    /// One more reference of this process to an object that a message of ours keeps alive.
    /// Errors: ValueError when there is no such object (any more) in this process tree.
    static Shared adopt(std::uint64_t bits) {
        Ref const ref{bits};
        auto* const header = ledger().header(ref);
        if (header == nullptr || header->kind == Kind::message || header->kind == Kind::segment ||
            header->kind == Kind::none)
            throw ValueError("the handle names no shared object of this process tree");
        return Shared{hold(ref)};
    }

    Shared(Shared const& other) noexcept : held_(other.held_) {
        if (held_ != nullptr) held_->handles.fetch_add(1, std::memory_order_relaxed);
    }
    Shared(Shared&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~Shared() {
        if (held_ != nullptr) let_go(held_);
    }

    explicit operator bool() const { return held_ != nullptr; }
    bool operator==(Shared const&) const = default;
    Ref ref() const { return held_->ref; }
    Header& header() const { return *State::instance().arena.at<Header>(held_->ref.offset()); }
    template <class Body>
    Body* body() const {
        return reinterpret_cast<Body*>(header().body());
    }

private:
    friend class Loan;

    explicit Shared(Held* held) : held_(held) {}

    static Held* hold(Ref ref) {
        auto& state = State::instance();
        auto ledger = heap::ledger();
        std::lock_guard guard(state.mutex);
        auto& entry = state.held[ref.bits];
        if (entry != nullptr) {
            entry->handles.fetch_add(1, std::memory_order_relaxed);
            return entry;
        }
        try {
            auto& holding = free_holding(state);
            entry = new Held{1, ref, &holding};
            ledger.change(ref, true, holding, 0, ref.bits);
            state.free_holdings.pop_back();
        } catch (...) {
            delete entry;
            state.held.erase(ref.bits);
            throw;
        }
        return entry;
    }

    static void let_go(Held* held) noexcept {
        auto handles = held->handles.load(std::memory_order_relaxed);
        while (handles > 1)
            if (held->handles.compare_exchange_weak(handles, handles - 1,
                                                    std::memory_order_acq_rel))
                return;
        auto& state = State::instance();
        if (state.foreign) return;  // the references are the parent's
        std::lock_guard guard(state.mutex);
        if (held->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        auto ledger = heap::ledger();
        ledger.drop_word(*held->holding);
        ledger.run();
        state.held.erase(held->ref.bits);
        state.free_holdings.push_back(held->holding);
        delete held;
    }

    /// A word of our slot that counts for nothing now. A new chunk is linked before its words are
    /// used, so a sweep finds every word that may hold a reference.
    static Word& free_holding(State& state) {
        if (!state.free_holdings.empty()) return *state.free_holdings.back();
        if (state.last_more == nullptr) {
            state.last_more = &state.my_slot().more;
            offer(state, state.my_slot().holdings);
        } else {
            offer(state, slots::add_chunk(state.last_more));
        }
        return *state.free_holdings.back();
    }
    static void offer(State& state, std::array<Word, holdings_per_chunk>& words) {
        for (auto& word : words) state.free_holdings.push_back(&word);
    }

    Held* held_ = nullptr;
};

/// A message that this process holds for as long as it likes, unlike a Hand as many as it likes,
/// and lets go in any thread. If the process dies, a sweep frees it.
/// In a forked child it is the parent's, and destroying it does nothing.
class Loan {
public:
    Loan() = default;
    /// Errors: MemoryError; the hand has it still then.
    explicit Loan(Hand&& hand) : ref_(hand.ref()) {
        auto& state = State::instance();
        std::lock_guard guard(state.mutex);
        word_ = &Shared::free_holding(state);
        word_->store(ref_.bits, std::memory_order_release);
        state.free_holdings.pop_back();
        epoch_ = state.epoch.load();
        hand.forget();
    }
    Loan(Loan&& other) noexcept
        : word_(std::exchange(other.word_, nullptr)), ref_(other.ref_), epoch_(other.epoch_) {}
    Loan& operator=(Loan other) noexcept {
        std::swap(word_, other.word_);
        std::swap(ref_, other.ref_);
        std::swap(epoch_, other.epoch_);
        return *this;
    }
    ~Loan() {
        auto& state = State::instance();
        if (word_ == nullptr || epoch_ != state.epoch.load()) return;
        auto ledger = heap::ledger();
        std::lock_guard guard(state.mutex);
        ledger.drop_word(*word_);
        ledger.run();
        word_->store(0, std::memory_order_release);
        state.free_holdings.push_back(word_);
    }

    Header& header() const { return *State::instance().arena.at<Header>(ref_.offset()); }

private:
    Word* word_ = nullptr;
    Ref ref_;
    std::uint64_t epoch_ = 0;
};

/// The message, which the caller holds, keeps the object alive from now on.
inline void link(Header& message, std::uint32_t index, Shared const& object) {
    heap::ledger().change(object.ref(), true, message.link(index), 0, object.ref().bits);
}

}  // namespace multiprocessing::heap
