// SPDX-License-Identifier: MIT
// multiprocessing/forkserver/rehearsal.hpp — does ahead what a stand-by will do with its task.
// Layer 5 (forkserver). Mirrors no Python file.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap.hpp>
#include <multiprocessing/platform/lifeline.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/process/preparation.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace multiprocessing::forkserver {

/// The current folder. Nothing where there is none, since somebody has removed it.
inline std::string current_directory() {
    try {
        return platform::working_directory();
    } catch (OSError const&) {
        return {};
    }
}

/// A task like any other, that does nothing. The server performs it whole, so that the names which
/// a task's way calls are bound before it forks. A child only reads it, from memory of its own:
/// that brings the pages which it will need between the hand-over and the target's first
/// instruction, and none that it will not.
class Rehearsal {
public:
    /// In the server.
    Rehearsal() : directory_(current_directory()) {
        HeapCourier courier;
        Writer writer(&courier);
        {
            auto& table = process::Table::instance();
            std::lock_guard guard(table.mutex);
            writer.write(process::prepare(table, *table.current, StartMethod::forkserver));
        }
        writer.write(directory_);
        reduction::dump_target(writer, +[] {});
        auto const bytes = writer.bytes();
        script_.assign(bytes.begin(), bytes.end());
        auto const message = to_message(writer, courier);
        MessageReader in(message.header());
        perform(in.reader());
        auto const& mine = heap::State::instance().my_slot();
        static_cast<void>(platform::lifeline_end(static_cast<std::int64_t>(mine.pid.load()),
                                                 mine.notes.load()));
    }

    void in_child() const {
        Reader in{std::span<std::byte const>{script_}, Origin::tree};
        perform(in);
    }

    /// Goes where the client is, unless the server was there already.
    void change_directory(std::string const& clients) const {
        if (clients != directory_ && !clients.empty()) platform::change_directory(clients);
    }

private:
    void perform(Reader& reader) const {
        static_cast<void>(reader.read<process::Preparation>());
        change_directory(reader.read<std::string>());
        reduction::load_task(reader).run(reader);
    }

    std::string directory_;
    std::vector<std::byte> script_;
};

}  // namespace multiprocessing::forkserver
