// SPDX-License-Identifier: MIT
// multiprocessing/heap/ledger.hpp — references counted so that a killed step can be finished or
// undone by anyone.
// Layer 2 (heap).
//
// A reference is a word that holds a Ref (in a process's holdings, in a message's links). Making or
// dropping one changes that word and the object's count. The count carries the stamp of its last
// writer; whoever replaces a stamp first tells that writer that its change happened. So for a
// record whose thread died it is always known whether the count was changed:
//   op published, count not changed   nothing happened; the word still holds `from`
//   count changed, word not           the sweeper sets the word
//   count became 0                    the one who made it so destroys the object: Record::current
// Destruction goes down a chain (Header::resume), so its depth needs no stack and its state is two
// words of the record.
#pragma once

#include <multiprocessing/heap/blocks.hpp>

#include <cstring>

namespace multiprocessing::heap {

class Ledger;

// Defined in heap/ring.hpp; the ring's own words are known there only.
/// Empties a ring that nobody refers to any more by one step. False when nothing is left in it.
bool empty_ring(Ledger& ledger, Ref ring);
/// Settles the ring operation in which the record's thread died.
void recover_ring(Ledger& ledger);

/// All multi-step changes of one record: the caller's own, or a dead one that the caller sweeps.
class Ledger {
public:
    Ledger(Arena& arena, std::uint16_t index)
        : arena_(arena), record_(arena.record(index)), index_(index), blocks_(arena, index) {}

    Arena& arena() { return arena_; }
    Record& record() { return record_; }
    std::uint16_t index() const { return index_; }
    Blocks& blocks() { return blocks_; }

    /// The header of a live block, or nothing when the block is gone.
    Header* header(Ref ref) const {
        return ref && blocks_.is_live(ref) ? arena_.at<Header>(ref.offset()) : nullptr;
    }

    /// Takes a block for a header with so many links and a body; it is in `hand`. An object's body
    /// is zeroed, since a sweep may have to destroy it before its maker has filled it.
    Ref allocate(Kind kind, std::uint32_t links, std::uint64_t body, Word& hand) {
        auto const bytes = Header::body_offset(links) + body;
        auto const ref = kind == Kind::segment ? blocks_.allocate_segment(hand)
                                               : blocks_.allocate(bytes, hand);
        auto& h = *arena_.at<Header>(ref.offset());
        h.kind = kind;
        h.links = links;
        h.size = body;
        h.references.store(0, std::memory_order_relaxed);
        h.resume.store(0, std::memory_order_relaxed);
        for (std::uint32_t i = 0; i < links; ++i) h.link(i).store(0, std::memory_order_relaxed);
        if (kind == Kind::plain || kind == Kind::ring) std::memset(h.body(), 0, body);
        // From here on a sweep may read the header.
        hand.store(ref.bits, std::memory_order_release);
        return ref;
    }

    /// `word` (from -> to) and the count of `target` (+1 or -1) change as one. The caller keeps the
    /// target alive and is the only one who writes `word`.
    void change(Ref target, bool more, Word& word, std::uint64_t from, std::uint64_t to) {
        auto& references = arena_.at<Header>(target.offset())->references;
        auto seen = references.load(std::memory_order_acquire);
        if (more && Stamp::count(seen) == Stamp::most)
            throw MemoryError("too many references to one shared object");
        // All changes before this one happened. A word left far behind would seem to be ahead,
        // since sequence numbers wrap, and what others tell would be dropped.
        record_.acknowledged.store(record_.sequence.load(std::memory_order_relaxed));
        auto const sequence = next_sequence(seen);
        record_.op_target.store(target.bits, std::memory_order_relaxed);
        record_.op_delta.store(more ? 1 : 0, std::memory_order_relaxed);
        record_.op_word.store(arena_.offset_of(&word), std::memory_order_relaxed);
        record_.op_from.store(from, std::memory_order_relaxed);
        record_.op_to.store(to, std::memory_order_relaxed);
        record_.op.store(sequence, std::memory_order_release);
        do acknowledge(seen);
        while (!references.compare_exchange_weak(
            seen, Stamp::pack(Stamp::count(seen) + (more ? 1 : ~std::uint64_t{0}), index_,
                              sequence)));
        settle();
    }

    /// Drops what a word of ours refers to: a message is destroyed, an object loses a reference.
    /// The word is 0 afterwards. Destruction is left in Record::current; see run().
    void drop_word(Word& word) {
        Ref const ref{word.load(std::memory_order_acquire)};
        auto* const target = header(ref);
        if (target == nullptr) {
            word.store(0, std::memory_order_release);
        } else if (target->kind == Kind::message || target->kind == Kind::segment ||
                   Stamp::count(target->references.load(std::memory_order_acquire)) == 0) {
            descend(ref);  // one owner, and that is us; the word is stale once it is gone
        } else {
            change(ref, false, word, ref.bits, 0);
        }
    }

    /// Puts a block on top of the chain of what is to be destroyed.
    void descend(Ref ref) {
        auto const above = record_.current.load(std::memory_order_relaxed);
        if (above == ref.bits) return;
        arena_.at<Header>(ref.offset())->resume.store(above, std::memory_order_release);
        record_.current.store(ref.bits, std::memory_order_release);
    }

    /// Destroys everything on the chain.
    void run() {
        for (;;) {
            finish_freeing();
            Ref const top{record_.current.load(std::memory_order_acquire)};
            if (!top) return;
            if (!empty_one(top)) continue;
            record_.freeing.store(top.bits, std::memory_order_release);
            record_.current.store(arena_.at<Header>(top.offset())->resume.load(),
                                  std::memory_order_release);
        }
    }

    /// Drops what lies in a hand, or in another word that only this record owns.
    void drop(Word& word) {
        Ref const ref{word.load(std::memory_order_acquire)};
        if (!ref) return;
        if ((ref.bits & Record::raw_bit) != 0) {
            Ref const block{ref.bits & ~Record::raw_bit};
            if (blocks_.is_taken_by_us(block)) {
                record_.freeing.store(block.bits, std::memory_order_release);
                word.store(0, std::memory_order_release);
                run();
            } else if (blocks_.is_live(block) == false) {
                word.store(0, std::memory_order_release);
            }
        } else {
            drop_word(word);
            run();
        }
        word.store(0, std::memory_order_release);
    }

    /// Finishes or undoes whatever a dead thread had begun. May itself be cut short and begun
    /// again.
    void recover() {
        blocks_.recover();
        if (record_.op.load(std::memory_order_acquire) != 0) {
            if (happened()) settle();
            else record_.op.store(0, std::memory_order_release);
        }
        run();
        recover_ring(*this);
        run();
        for (auto& hand : record_.hands) drop_hand(hand);
    }

private:
    /// A hand holds a block for which no reference counts. One that counts was made in the hand and
    /// is already held elsewhere; only the hand had not let go yet.
    void drop_hand(Word& hand) {
        Ref const ref{hand.load(std::memory_order_acquire)};
        if ((ref.bits & Record::raw_bit) == 0)
            if (auto* const held = header(ref);
                held != nullptr && held->kind != Kind::message &&
                Stamp::count(held->references.load(std::memory_order_acquire)) != 0) {
                hand.store(0, std::memory_order_release);
                return;
            }
        drop(hand);
    }

    std::uint64_t next_sequence(std::uint64_t seen) {
        auto sequence = record_.sequence.load(std::memory_order_relaxed);
        do sequence = (sequence + 1) & Stamp::sequence_mask;
        while (sequence == 0 ||
               (Stamp::writer(seen) == index_ && Stamp::sequence(seen) == sequence));
        record_.sequence.store(sequence, std::memory_order_relaxed);
        return sequence;
    }

    /// Tells the last writer of a count that its change is about to be replaced, hence happened.
    void acknowledge(std::uint64_t seen) {
        auto const writer = Stamp::writer(seen);
        if (writer == 0 || writer == index_) return;
        auto& word = arena_.record(writer).acknowledged;
        auto const sequence = Stamp::sequence(seen);
        auto known = word.load(std::memory_order_acquire);
        while (Stamp::distance(sequence, known) > 0 &&
               !word.compare_exchange_weak(known, sequence)) {
        }
    }

    bool happened() const {
        Ref const target{record_.op_target.load(std::memory_order_relaxed)};
        auto const sequence = record_.op.load(std::memory_order_relaxed);
        auto const seen =
            arena_.at<Header>(target.offset())->references.load(std::memory_order_acquire);
        // A target that is gone does not tell any more. Its last reference went, hence ours; and if
        // we were adding one, it is stale and will be dropped as such.
        if (!blocks_.is_live(target)) return true;
        // The order matters: a writer acknowledges before it replaces.
        return (Stamp::writer(seen) == index_ && Stamp::sequence(seen) == sequence) ||
               record_.acknowledged.load(std::memory_order_acquire) == sequence;
    }

    /// The count is changed; what follows from it.
    void settle() {
        Ref const target{record_.op_target.load(std::memory_order_relaxed)};
        auto const sequence = record_.op.load(std::memory_order_relaxed);
        if (record_.op_delta.load(std::memory_order_relaxed) == 0) {
            auto const seen = arena_.at<Header>(target.offset())->references.load();
            if (Stamp::count(seen) == 0 && Stamp::writer(seen) == index_ &&
                Stamp::sequence(seen) == sequence && blocks_.is_live(target))
                descend(target);
        }
        arena_.at<Word>(record_.op_word.load(std::memory_order_relaxed))
            ->store(record_.op_to.load(std::memory_order_relaxed), std::memory_order_release);
        record_.op.store(0, std::memory_order_release);
    }

    /// True when nothing in the block refers to anything any more.
    bool empty_one(Ref ref) {
        auto& h = *arena_.at<Header>(ref.offset());
        for (std::uint32_t i = 0; i < h.links; ++i) {
            if (h.link(i).load(std::memory_order_acquire) == 0) continue;
            drop_word(h.link(i));
            if (record_.current.load(std::memory_order_relaxed) != ref.bits) return false;
        }
        if (h.kind != Kind::ring) return true;
        while (empty_ring(*this, ref))
            if (record_.current.load(std::memory_order_relaxed) != ref.bits) return false;
        return true;
    }

    void finish_freeing() {
        Ref const ref{record_.freeing.load(std::memory_order_acquire)};
        if (!ref) return;
        if (record_.current.load(std::memory_order_relaxed) == ref.bits && blocks_.is_live(ref))
            record_.current.store(arena_.at<Header>(ref.offset())->resume.load(),
                                  std::memory_order_release);
        blocks_.free(ref);
        record_.freeing.store(0, std::memory_order_release);
    }

    Arena& arena_;
    Record& record_;
    std::uint16_t index_;
    Blocks blocks_;
};

}  // namespace multiprocessing::heap
