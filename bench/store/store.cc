// Durable appends per second: the ledger, and SQLite written to directly with the same tables, settings and group
// sizes. Both in the same folder, one after the other in short rounds, so that what else the machine does meets both.
//
//     bench_store [--folder F] [--rounds N] [--seconds S]     a table in Markdown (current folder; 5; 1)
//     bench_store --check                                     some commits of each; fails if a message is missing
//
// A group is what is committed together, with one sync. Each message is 128 B; the streams of a group are one or as
// many as it has messages. CPU time is that of the thread: what is left of the time is the disk.
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loop/kernel_entropy.h"
#include "store/kernel_disk.h"
#include "store/ledger.h"

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPayloadBytes = 128;
const store::LedgerOptions kOptions;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_store: %s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

double cpu_s() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

class AllRules final : public store::RetentionRules {
 public:
  store::Retention of(std::string_view) const override {
    return {.messages_max = UINT64_MAX / 4, .bytes_max = UINT64_MAX / 4};
  }
};

// One way to write groups. commit() returns when the group is on the disk.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void commit(std::size_t messages, std::size_t streams) = 0;
  virtual std::uint64_t held() = 0;  // messages
};

class LedgerWriter final : public Writer {
 public:
  explicit LedgerWriter(const std::string& folder) {
    auto disk = store::KernelDisk::open_folder(folder);
    if (!disk) give_up(disk.error());
    disk_ = std::move(*disk);
    auto ledger = store::Ledger::open(*disk_, entropy_, kOptions, std::make_shared<AllRules>());
    if (!ledger) give_up(ledger.error());
    ledger_ = std::move(*ledger);
  }

  void commit(std::size_t messages, std::size_t streams) override {
    for (std::size_t i = 0; i < messages; ++i) {
      store::Command command{.ticket = i};
      command.operations.emplace_back(
          store::Append{"stream" + std::to_string(i % streams),
                        std::make_unique<hub::Message>(hub::Kind::text, payload_, base::Instant{})});
      if (!ledger_->submit(command)) give_up("the queue of the ledger is full");
    }
    const auto now = std::chrono::duration_cast<base::Duration>(SteadyClock::now().time_since_epoch());
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    const base::WallTime at{std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()};
    std::size_t done = 0;
    while (done < messages) {
      ledger_->step(base::Instant(now), at);
      while (const auto result = ledger_->poll_result()) {
        if (result->outcome != store::Outcome::done) give_up("refused: " + std::string(to_string(result->error)));
        ++done;
      }
    }
  }

  std::uint64_t held() override {
    auto reader = ledger_->new_reader();
    std::uint64_t messages = 0;
    for (std::size_t i = 0; reader; ++i) {
      const auto view = (*reader)->look("stream" + std::to_string(i));
      if (!view || !*view) break;
      messages += (*view)->head.offset - (*view)->base;
    }
    return messages;
  }

 private:
  const std::string payload_ = std::string(kPayloadBytes, 'x');
  loop::KernelEntropy entropy_;
  std::unique_ptr<store::KernelDisk> disk_;
  std::unique_ptr<store::Ledger> ledger_;
};

// What somebody would write who needs nothing but rows on a disk.
class PlainWriter final : public Writer {
 public:
  explicit PlainWriter(const std::string& folder) {
    if (sqlite3_open((folder + "/plain.db").c_str(), &database_) != SQLITE_OK) give_up("cannot open plain.db");
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    run("PRAGMA cache_size=-" + std::to_string(kOptions.cache_bytes / 1024));
    run("PRAGMA wal_autocheckpoint=" + std::to_string(kOptions.checkpoint_bytes / 4120));
    run("CREATE TABLE IF NOT EXISTS messages(stream INTEGER NOT NULL, offset INTEGER NOT NULL, time INTEGER NOT NULL,"
        " bytes_through INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY(stream, offset)) WITHOUT ROWID");
    insert_ = prepare("INSERT INTO messages VALUES(?,?,?,?,?)");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
  }
  ~PlainWriter() override {
    for (sqlite3_stmt* each : {insert_, begin_, commit_}) sqlite3_finalize(each);
    sqlite3_close(database_);
  }

  void commit(std::size_t messages, std::size_t streams) override {
    step(begin_);
    for (std::size_t i = 0; i < messages; ++i) {
      const std::size_t stream = i % streams;
      if (offsets_.size() <= stream) offsets_.resize(stream + 1);
      const sqlite3_int64 offset = ++offsets_[stream];
      sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(stream));
      sqlite3_bind_int64(insert_, 2, offset);
      sqlite3_bind_int64(insert_, 3, 1'763'640'000'000 + offset);
      sqlite3_bind_int64(insert_, 4, offset * static_cast<sqlite3_int64>(record_.size()));
      sqlite3_bind_blob(insert_, 5, record_.data(), static_cast<int>(record_.size()), SQLITE_STATIC);
      step(insert_);
    }
    step(commit_);
  }

  std::uint64_t held() override {
    std::uint64_t messages = 0;
    for (const sqlite3_int64 offset : offsets_) messages += static_cast<std::uint64_t>(offset);
    return messages;
  }

 private:
  void run(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      give_up(sqlite3_errmsg(database_));
    }
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) give_up(sqlite3_errmsg(database_));
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) give_up(sqlite3_errmsg(database_));
    sqlite3_reset(statement);
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::vector<sqlite3_int64> offsets_;
  const std::string record_ = std::string(kPayloadBytes + 12 + 8, 'x');  // as long as the ledger's, with its cause
};

struct Measured {
  double per_second = 0;
  double cpu_us = 0;  // per message
};

Measured measure(Writer& writer, std::size_t group, std::size_t streams, double seconds) {
  const auto begin = SteadyClock::now();
  const double cpu = cpu_s();
  std::uint64_t messages = 0;
  double elapsed = 0;
  while (elapsed < seconds) {
    writer.commit(group, streams);
    messages += group;
    elapsed = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  }
  const auto count = static_cast<double>(messages);
  return {count / elapsed, (cpu_s() - cpu) * 1e6 / count};
}

Measured median(std::vector<Measured> all) {
  std::sort(all.begin(), all.end(), [](const Measured& a, const Measured& b) { return a.per_second < b.per_second; });
  return all[all.size() / 2];
}

void compare(const std::string& folder, int rounds, double seconds) {
  std::printf(
      "| group | streams | ledger/s | plain SQLite/s | share | ledger us CPU | plain us CPU "
      "|\n|---|---|---|---|---|---|---|\n");
  const std::pair<std::size_t, std::size_t> sizes[] = {{1, 1}, {16, 1}, {16, 16}, {256, 1}, {256, 256}};
  for (const auto& [group, streams] : sizes) {
    LedgerWriter ledger(folder + "/ledger-" + std::to_string(group) + "-" + std::to_string(streams));
    const std::string plain_folder = folder + "/plain-" + std::to_string(group) + "-" + std::to_string(streams);
    std::filesystem::create_directory(plain_folder);
    PlainWriter plain(plain_folder);
    std::vector<Measured> of_ledger;
    std::vector<Measured> of_plain;
    std::vector<double> shares;
    for (int round = 0; round < rounds; ++round) {
      of_ledger.push_back(measure(ledger, group, streams, seconds));
      of_plain.push_back(measure(plain, group, streams, seconds));
      shares.push_back(of_ledger.back().per_second / of_plain.back().per_second);
    }
    std::sort(shares.begin(), shares.end());
    const Measured a = median(of_ledger);
    const Measured b = median(of_plain);
    std::printf("| %zu | %zu | %.0f | %.0f | %.0f %% | %.1f | %.1f |\n", group, streams, a.per_second, b.per_second,
                100 * shares[shares.size() / 2], a.cpu_us, b.cpu_us);
    std::fflush(stdout);
  }
}

void check(const std::string& folder) {
  LedgerWriter ledger(folder + "/ledger");
  PlainWriter plain(folder);
  std::uint64_t messages = 0;
  for (const std::size_t group : {std::size_t{1}, std::size_t{16}, std::size_t{256}}) {
    for (int i = 0; i < 3; ++i, messages += group) {
      ledger.commit(group, 16);
      plain.commit(group, 16);
    }
  }
  if (ledger.held() != messages || plain.held() != messages) give_up("messages are missing");
}

}  // namespace

int main(int argc, char** argv) {
  std::string parent = ".";
  int rounds = 5;
  double seconds = 1;
  bool only_check = false;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--check") == 0) {
      only_check = true;
    } else if (has_value && std::strcmp(argv[i], "--folder") == 0) {
      parent = argv[++i];
    } else if (has_value && std::strcmp(argv[i], "--rounds") == 0) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (has_value && std::strcmp(argv[i], "--seconds") == 0) {
      seconds = std::atof(argv[++i]);
    } else {
      give_up("unknown option " + std::string(argv[i]));
    }
  }
  std::string folder = parent + "/bench_store-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) give_up("cannot make a folder in " + parent);
  only_check ? check(folder) : compare(folder, rounds, seconds);
  std::filesystem::remove_all(folder);
  return EXIT_SUCCESS;
}
