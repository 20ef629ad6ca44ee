// SPDX-License-Identifier: MIT
// multiprocessing/heap/hand.hpp — a block that only this thread holds, and that a sweep finds if it
// dies.
// Layer 2 (heap).
#pragma once

#include <multiprocessing/heap/ring_recovery.hpp>
#include <multiprocessing/heap/state.hpp>

#include <utility>

namespace multiprocessing::heap {

/// When memory is short: sweeps the dead and gives free pages back. True: try again. In sweep.hpp.
bool relieve();

/// Owns one message or one object without references yet. At most hands_per_record at once per
/// thread; must be destroyed by the thread that made it.
class Hand {
public:
    Hand() = default;

    /// Shape: `links` words set to 0 and a body of so many bytes, not initialised.
    /// Errors: MemoryError. Never blocks.
    static Hand allocate(Kind kind, std::uint32_t links, std::uint64_t body) {
        auto ledger = heap::ledger();
        Hand hand{free_word(ledger)};
        try {
            ledger.allocate(kind, links, body, *hand.word_);
        } catch (MemoryError const&) {
            if (!relieve()) throw;
            ledger.allocate(kind, links, body, *hand.word_);
        }
        return hand;
    }

    /// Takes over what `from`, a word that the caller alone may write and a sweep knows, holds.
    /// The caller then clears `from`. A message only.
    static Hand take(Word const& from) {
        auto ledger = heap::ledger();
        Hand hand{free_word(ledger)};
        hand.word_->store(from.load(std::memory_order_acquire), std::memory_order_release);
        return hand;
    }

    Hand(Hand&& other) noexcept : word_(std::exchange(other.word_, nullptr)) {}
    Hand& operator=(Hand&& other) noexcept {
        if (this != &other) {
            drop();
            word_ = std::exchange(other.word_, nullptr);
        }
        return *this;
    }
    ~Hand() { drop(); }

    explicit operator bool() const { return word_ != nullptr && ref().bits != 0; }
    Ref ref() const { return Ref{word_->load(std::memory_order_relaxed)}; }
    Header& header() const { return *State::instance().arena.at<Header>(ref().offset()); }
    std::byte* body() const { return header().body(); }

    /// Somebody else's from now on: it is stored where a sweep finds it.
    void forget() {
        if (word_ != nullptr) word_->store(0, std::memory_order_release);
        word_ = nullptr;
    }

    /// Destroys what is held: its links lose their references, its memory is free.
    void drop() {
        if (word_ == nullptr) return;
        if (word_->load(std::memory_order_relaxed) != 0) heap::ledger().drop(*word_);
        word_ = nullptr;
    }

private:
    explicit Hand(Word& word) : word_(&word) {}

    static Word& free_word(Ledger& ledger) {
        for (auto& word : ledger.record().hands)
            if (word.load(std::memory_order_relaxed) == 0) return word;
        throw RuntimeError("a thread holds more than " + std::to_string(hands_per_record) +
                           " blocks of shared memory in its hands");
    }

    Word* word_ = nullptr;
};

/// A message: what a sender wrote, with the references it carries. Anyone can drop it.
inline Hand new_message(std::uint32_t links, std::uint64_t body) {
    return Hand::allocate(Kind::message, links, body);
}

/// `holder`, which the caller holds, now owns the message too.
inline void link_message(Header& holder, std::uint32_t index, Hand&& message) {
    holder.link(index).store(message.ref().bits, std::memory_order_release);
    message.forget();
}

}  // namespace multiprocessing::heap
