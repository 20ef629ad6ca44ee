// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/detail/children.hpp — the children that nobody has waited for yet.
// Layer 1 (platform). Helper of platform/win32.
#pragma once

#include <multiprocessing/platform/anchor.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::platform::inline win32::detail {

// A child's number stays its own until it has been waited for, as on POSIX. Here that takes an open
// handle. One list in the process: one module may start the child and another one wait for it.
class Children {
    struct Child {
        std::int64_t pid;
        Handle process;
        Child* next = nullptr;
        int users = 0;
        bool waited_for = false;
    };

public:
    static Children& instance() {
        static Children& children = *static_cast<Children*>(named_anchor(
            "children", sizeof(Children), 1, [](void* place) { new (place) Children; }));
        return children;
    }

    // Held by who makes handles inheritable for a moment.
    std::mutex& starting() noexcept { return starting_; }

    // Room for a child, so that one that runs cannot be lost for want of memory.
    class Place {
    public:
        Place() : child_(new Child{}) {}

        std::int64_t enter(std::int64_t pid, Handle process) noexcept {
            child_->pid = pid;
            child_->process = std::move(process);
            auto& all = instance();
            std::lock_guard guard(all.mutex_);
            child_->next = std::exchange(all.first_, child_.get());
            static_cast<void>(child_.release());
            return pid;
        }

    private:
        std::unique_ptr<Child> child_;
    };

    // The handle stays open while one of these exists.
    // Errors: OSError (no_child_process).
    class Use {
    public:
        explicit Use(std::int64_t pid) : child_(instance().find(pid)) {
            if (child_ == nullptr) throw_no_child(pid);
        }
        Use(Use const&) = delete;
        Use& operator=(Use const&) = delete;
        ~Use() { instance().leave(child_); }

        [[nodiscard]] native_handle process() const noexcept { return child_->process.get(); }

        // For whoever is the first to see its end.
        void take() {
            auto const pid = child_->pid;
            if (!instance().take(child_)) throw_no_child(pid);
        }

    private:
        Child* child_;
    };

    // Does `act(handle)` to a child that has not been waited for; false if there is none.
    template <class Act>
    bool with(std::int64_t pid, Act act) {
        std::lock_guard guard(mutex_);
        for (auto* child = first_; child != nullptr; child = child->next)
            if (child->pid == pid) {
                act(child->process.get());
                return true;
            }
        return false;
    }

private:
    [[noreturn]] static void throw_no_child(std::int64_t pid) {
        throw OSError(std::make_error_code(std::errc::no_child_process),
                      fmt::format("cannot wait for process {}: no child of this process, or waited "
                                  "for already",
                                  pid));
    }

    Child* find(std::int64_t pid) noexcept {
        std::lock_guard guard(mutex_);
        for (auto* child = first_; child != nullptr; child = child->next)
            if (child->pid == pid) {
                ++child->users;
                return child;
            }
        return nullptr;
    }

    bool take(Child* taken) noexcept {
        std::lock_guard guard(mutex_);
        if (std::exchange(taken->waited_for, true)) return false;
        auto** link = &first_;
        while (*link != taken) link = &(*link)->next;
        *link = taken->next;
        return true;
    }

    void leave(Child* child) noexcept {
        std::unique_lock guard(mutex_);
        if (--child->users > 0 || !child->waited_for) return;
        guard.unlock();
        delete child;
    }

    std::mutex mutex_, starting_;
    Child* first_ = nullptr;
};

}  // namespace multiprocessing::platform::inline win32::detail
