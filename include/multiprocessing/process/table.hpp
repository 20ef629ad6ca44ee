// SPDX-License-Identifier: MIT
// multiprocessing/process/table.hpp — what a process knows of itself, its parent and its children.
// Layer 5 (process). Mirrors the module globals of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/forkserver/cell.hpp>
#include <multiprocessing/heap/slots.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/types.hpp>
#include <multiprocessing/process/authkey.hpp>
#include <multiprocessing/process/target.hpp>
#include <multiprocessing/util/anchored.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace multiprocessing {

/// How a child comes into being.
/// Python: the names of the start methods.
enum class StartMethod : std::uint8_t { fork, spawn, forkserver };

namespace process {

/// What all copies of one Process object share. Everything that changes is guarded by Table::mutex.
struct Child {
    enum class Stage : std::uint8_t { initial, starting, started, closed };

    std::string kind;      // "Process", "ForkProcess" ...
    std::string identity;  // "1:2": the second child of the first child
    heap::SlotStamp creator;
    std::int64_t creator_pid = 0;       // 0: the root, which nobody made
    std::optional<StartMethod> method;  // none: the default one

    std::string name;
    bool daemon = false;
    bool watches_parent = true;
    AuthenticationString authkey;
    Stage stage = Stage::initial;
    std::unique_ptr<Target> target;  // until it is started; none: there is nothing to run
    Target* done = nullptr;          // in the child: what the target was
    ChildBody* object = nullptr;     // while it is started: the Process, if it overrides run()

    std::int64_t pid = 0;
    heap::SlotStamp stamp;
    std::shared_ptr<platform::Handle> sentinel;  // made when it is asked for; see sentinel_of
    unsigned waiters = 0;                        // threads that wait by its number: it stays so
    bool is_reaped = false;
    forkserver::CellRef cell;                    // if the fork server has forked it
    std::optional<int> exitcode;

    /// Runs what it was made for; once, in the child. Destroys it, but keeps its memory: to give
    /// that back takes longer than to leave it.
    void run() {
        if (object != nullptr) object->run();
        else if (target) target->run();
        done = target.release();
        if (done != nullptr) std::destroy_at(done);
    }
    /// Writes what reduction::load_task reads.
    /// Errors: PicklingError.
    void dump(Writer& out) const {
        if (object != nullptr) object->dump(out);
        else if (target) target->dump(out);
        else reduction::dump_target(out, +[] {});
    }
};

struct Parent {
    platform::ProcessIdentity process;
    std::optional<std::string> name;  // none: see Table::former
};

struct Table {
    std::mutex mutex;                // of all below and of every Child; held across a fork
    std::shared_ptr<Child> current;  // this process, as its parent made it
    std::optional<Parent> parent;
    std::shared_ptr<Child> former;  // in a forked child: what its parent was to itself
    std::vector<std::shared_ptr<Child>> children;  // started, and not known to have ended
    std::uint64_t made = 0;                        // Process objects, ever

    std::optional<StartMethod> method;
    std::optional<std::string> executable;
    bool is_spawned = false;  // this process runs the program anew for its parent
    bool is_ready = false;    // freeze_support() has run
    void (*leaving)(int code) = nullptr;  // the last thing that a forked child does

    Table() {
        auto const& slot = heap::State::instance().my_slot();
        current = std::make_shared<Child>();
        current->kind = "_MainProcess";
        current->name = heap::slots::name(slot);
        current->stage = Child::Stage::started;
        current->stamp = heap::my_stamp();
        current->pid = static_cast<std::int64_t>(slot.pid.load(std::memory_order_relaxed));
        is_spawned = heap::State::instance().inheritance.has_value();
        if (!is_spawned) current->authkey = AuthenticationString::random();
    }

    static Table& instance() {
        if (heap::State::instance().foreign) heap::State::refuse_foreign();
        return util::anchored<util::Anchored::process, Table>();
    }
};

inline std::string current_name() {
    auto& table = Table::instance();
    std::lock_guard guard(table.mutex);
    return table.current->name;
}

/// A Process object that this process makes. Its name, unless it is given, counts them.
inline std::shared_ptr<Child> make_child(std::string kind, std::optional<std::string> name,
                                         std::optional<bool> daemon,
                                         std::optional<StartMethod> method) {
    auto& table = Table::instance();
    auto child = std::make_shared<Child>();
    std::lock_guard guard(table.mutex);
    auto const number = std::to_string(++table.made);
    auto const& above = table.current->identity;
    child->identity = above.empty() ? number : above + ':' + number;
    child->name = name ? std::move(*name) : kind + '-' + child->identity;
    child->kind = std::move(kind);
    child->creator = heap::my_stamp();
    child->creator_pid = table.current->pid;
    child->daemon = daemon.value_or(table.current->daemon);
    child->authkey = table.current->authkey;
    child->method = method;
    return child;
}

}  // namespace process
}  // namespace multiprocessing
